-- Guests whom users have claimed, until everything of theirs has been given to them.
create table claims (
    guest_id   uuid primary key,
    user_id    uuid not null,
    claimed_at timestamptz not null default now(),
    due_at     timestamptz not null default now()
);

-- A guest's membership that has been dealt with: where the user has taken its place, or it has ended.
alter table members add column claimed_by uuid;
-- Clients with an earlier cursor load the conversation anew: more has changed than the changes say.
alter table conversations add column reset_seq bigint not null default 0;
