-- Files of users, in the main store; the bytes are in the object store.
create table files (
    id           uuid primary key,
    owner_id     uuid not null,
    purpose      text not null check (purpose in ('message', 'avatar')),
    name         text not null,
    size         bigint not null check (size > 0),
    -- Without what was taken out of it.
    stored_size  bigint,
    state        text not null default 'pending' check (state in ('pending', 'ready', 'refused')),
    -- As the client says, until the bytes have been looked at.
    content_type text not null,
    width        integer,
    height       integer,
    duration_s   double precision,
    blurhash     text,
    -- Where the checked bytes are; null unless the file is ready.
    object_key   text,
    created_at   timestamptz not null default now(),
    -- The message, sent by the owner, that it was taken for.
    conversation_id   uuid,
    client_message_id text collate "C",
    -- When it is to be looked at whether anything uses it; null: its message is written.
    due_at       timestamptz,
    -- Its message was deleted, or, of an avatar, it was nobody's picture when it was looked at last.
    unused       boolean not null default false
);
create index files_due on files (due_at) where due_at is not null;
create index files_by_object_key on files (object_key) where object_key is not null;

-- How many bytes the files of each user have together.
create table file_usage (
    owner_id uuid primary key,
    bytes    bigint not null
);
