-- What auth says of users beside their names: bots and guests, what host apps keep with them, who may not sign in.
alter table users add column is_bot boolean not null default false;
alter table users add column is_guest boolean not null default false;
alter table users add column metadata jsonb not null default '{}';
alter table users add column deactivated boolean not null default false;

-- Users whose messages have to go.
create table erasures (
    user_id uuid primary key,
    -- How far it has come: the stores that are done, and the conversations up to this one in the next.
    stores  text[] not null default '{}',
    after   uuid not null default '00000000-0000-0000-0000-000000000000'
);
