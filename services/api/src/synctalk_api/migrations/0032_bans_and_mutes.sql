-- Until when a member may not write.
alter table members add column muted_until timestamptz;

-- Who is kept out of a group, whichever way in: members are removed when they are banned.
create table bans (
    conversation_id uuid not null,
    user_id         uuid not null,
    banned_by       uuid not null,
    reason          text not null,
    -- Null: until it is lifted.
    until           timestamptz,
    created_at      timestamptz not null,
    primary key (conversation_id, user_id)
);
