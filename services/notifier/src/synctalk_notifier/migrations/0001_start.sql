-- Where a person is reached. A device belongs to the session that put it, a token to one device.
create table devices (
  user_id uuid not null,
  device_id text not null,
  session_id uuid not null,
  platform text not null,
  token text not null,
  -- Tokens have up to 4,096 characters, more than an index entry holds.
  token_sha256 bytea not null,
  created_at timestamptz not null,
  primary key (user_id, device_id),
  constraint devices_token unique (token_sha256)
);
create index devices_session on devices (session_id);

create table settings (
  conversation_id uuid not null,
  user_id uuid not null,
  level text not null,
  muted_until timestamptz,
  primary key (conversation_id, user_id)
);

-- Who is where, as api's events tell it. Who left keeps a row, so that a late event does not bring them back.
create table members (
  conversation_id uuid not null,
  user_id uuid not null,
  present boolean not null,
  joined_seq bigint not null,
  change_seq bigint not null,
  primary key (conversation_id, user_id)
);

-- Messages heard of, a row for each batch: on hold until due_at; null once decided, kept a while for those whose
-- membership is heard late.
create table heard (
  id bigint generated always as identity primary key,
  heard_at timestamptz not null,
  due_at timestamptz,
  conversation_ids uuid[] not null,
  messages jsonb not null,
  traceparent text
);
create index heard_due on heard (due_at) where due_at is not null;

-- One push to one device. `sending`: a process has begun, and until due_at nobody else touches it; after that nobody
-- knows whether it arrived. `sent` is kept until it was read, to retract it.
create table pushes (
  user_id uuid not null,
  device_id text not null,
  conversation_id uuid not null,
  seq bigint not null,
  message_id uuid not null,
  kind text not null,
  state text not null,
  -- Read or deleted while it was being sent: to be retracted right after.
  withdrawn boolean not null default false,
  attempts integer not null default 0,
  due_at timestamptz not null,
  created_at timestamptz not null,
  traceparent text,
  primary key (user_id, device_id, conversation_id, seq),
  foreign key (user_id, device_id) references devices on delete cascade
);
create index pushes_due on pushes (due_at) where state <> 'sent';
create index pushes_conversation on pushes (conversation_id, user_id, seq);
create index pushes_created on pushes (created_at);
