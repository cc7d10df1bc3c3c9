-- In the main store: whom users have blocked.
create table blocks (
    user_id    uuid not null,
    blocked_id uuid not null,
    created_at timestamptz not null,
    primary key (user_id, blocked_id)
);
create index blocks_of_blocked on blocks (blocked_id, user_id);

-- The same in their direct conversation, where it decides about every message.
alter table members add column blocks_peer boolean not null default false;
alter table members add column blocked_by_peer boolean not null default false;
