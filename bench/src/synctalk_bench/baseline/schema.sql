create table conversations (
    id uuid primary key,
    last_seq bigint not null default 0
);

create table members (
    conversation_id uuid not null references conversations,
    user_id uuid not null,
    primary key (conversation_id, user_id)
);

create index members_by_user on members (user_id);

create table messages (
    id uuid primary key,
    conversation_id uuid not null references conversations,
    seq bigint not null,
    sender_id uuid not null,
    client_message_id text not null,
    body text not null,
    created_at timestamptz not null,
    unique (conversation_id, seq),
    unique (conversation_id, sender_id, client_message_id)
);
