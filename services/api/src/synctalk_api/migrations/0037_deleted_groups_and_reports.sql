-- Groups that have been deleted, whose messages are still to be.
create table deleted_conversations (conversation_id uuid primary key);

-- Messages that members have reported, as they were then, for the operators.
create table reports (
    id              uuid primary key,
    conversation_id uuid not null,
    message_id      uuid not null,
    sender_id       uuid not null,
    body            text not null,
    reported_by     uuid not null,
    reason          text not null,
    created_at      timestamptz not null,
    closed_at       timestamptz,
    constraint reports_once unique (conversation_id, message_id, reported_by)
);
create index reports_open on reports (created_at, id) where closed_at is null;
