-- One row a person: what they chose, and what was decided about their being here.
-- `version` rises with every change, so that of two announcements the newer is known.
create table people (
  user_id uuid primary key,
  status text not null default 'online' check (status in ('online', 'away', 'dnd', 'invisible')),
  custom_status text check (char_length(custom_status) <= 128),
  last_seen_visible boolean not null default true,
  connected boolean not null default false,
  last_seen_at timestamptz,
  version bigint not null default 0
) with (fillfactor = 80);

-- For the search for people whose leases were lost with Redis.
create index people_connected on people (user_id) where connected;
