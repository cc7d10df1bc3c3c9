-- How far erasures have come in the stores that are not done, each by itself, so that none waits for another one.
create table erasure_parts (
    store   text not null,
    user_id uuid not null,
    -- The conversations up to this one are done.
    after   uuid not null default '00000000-0000-0000-0000-000000000000',
    due_at  timestamptz not null default now(),
    primary key (store, user_id)
);
create index erasure_parts_due on erasure_parts (store, due_at);
