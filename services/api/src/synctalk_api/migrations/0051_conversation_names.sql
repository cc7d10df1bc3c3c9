-- What host apps call conversations, in the main store alone. The conversation says the same of itself, and it decides:
-- a name of which it knows nothing is reserved, or free.
create table conversation_names (
    external_id     text collate "C" primary key,
    conversation_id uuid not null,
    type            text not null,
    named_at        timestamptz not null default now()
);

alter table conversations add column external_id text;
alter table conversations add column deleted_at timestamptz;
-- Only deleted groups had no title so far.
update conversations set deleted_at = updated_at where type = 'group' and title is null;
