-- Links by which users come into a group. The code begins with the partition of the group, by which its store is found.
create table invites (
    code            text collate "C" primary key,
    conversation_id uuid not null,
    created_by      uuid not null,
    created_at      timestamptz not null,
    expires_at      timestamptz,
    max_uses        integer,
    uses            integer not null default 0
);
create index invites_of_conversation on invites (conversation_id, created_at, code);

-- Uses of users who were about to register by an invite, until they come in by it.
create table invite_uses (
    code            text collate "C" not null,
    user_id         uuid not null,
    conversation_id uuid not null,
    primary key (code, user_id)
);
create index invite_uses_of_conversation on invite_uses (conversation_id);
