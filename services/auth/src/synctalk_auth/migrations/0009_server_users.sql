-- What a host app keeps with a user; the private one is for server keys only. An erased user's profile follows api no more.
alter table users
  add column metadata jsonb not null default '{}',
  add column private_metadata jsonb not null default '{}',
  add column is_erased boolean not null default false;

-- SHA-256 of what a host app called a user who is erased: so a repeated request is recognized, and nothing is left to read.
create table former_external_ids (
  hash bytea primary key,
  user_id uuid not null references users (id) on delete cascade
);

-- What was requested, and when api had done it.
create table erasures (
  user_id uuid not null references users (id) on delete cascade,
  mode text not null,
  requested_at timestamptz not null,
  done_at timestamptz,
  primary key (user_id, mode)
);
