-- In which store each partition lies, in the main store: empty, all are in this one.
alter table partition_map add column stores text[] not null default '{}';
alter table partition_map add column moving integer[] not null default '{}';
alter table partition_map add column moving_until timestamptz not null default '-infinity';
-- What an api process goes by: a partition is moved when all that run know of it.
alter table partition_owners add column map_version bigint not null default 0;

-- In every store: a partition that has been moved away gets no conversation here any more.
create table partitions (
    partition integer primary key,
    moved_to  text
);
insert into partitions (partition) select n from generate_series(0, 255) as n;

-- Users whose new name or picture other stores do not have yet.
create table user_copies (
    store   text not null,
    user_id uuid not null,
    primary key (store, user_id)
);

-- A partition is moved by its conversations; those of before have none until it is asked for.
alter table conversations add column partition integer;

-- Conversations whose messages are being copied here, and as of which change.
create table moving_conversations (
    conversation_id uuid primary key,
    partition       integer not null,
    change_seq      bigint not null
);
-- Conversations that have been moved away, whose messages are still to be deleted here.
create table moved_conversations (
    conversation_id uuid primary key
);
