-- Which api process takes the commands of which partition of the conversations.
create table partition_owners (
    owner    text primary key,
    instance text not null,
    leaving  boolean not null,
    seen_at  timestamptz not null
);

-- One row. `members` are the processes that the map is made for; `owners` names that of each partition, 0 first.
create table partition_map (
    only_row boolean primary key default true check (only_row),
    version  bigint not null,
    members  text[] not null,
    owners   text[] not null
);
insert into partition_map (version, members, owners) values (0, '{}', '{}');
