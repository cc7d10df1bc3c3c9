-- In the main store: blocks that were made or lifted, which other stores have yet to take over.
create table block_copies (
    store      text not null,
    id         bigint generated always as identity,
    user_id    uuid not null,
    blocked_id uuid not null,
    primary key (store, id)
);

-- In the main store: when each other store's blocks were compared with its own, which finds what nobody noted.
create table block_comparisons (
    store       text primary key,
    compared_at timestamptz not null
);
