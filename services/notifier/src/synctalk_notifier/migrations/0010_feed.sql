-- The events for host apps, numbered in the order in which they were taken in.
create table feed (
  n bigint primary key,
  id uuid not null unique,
  type text not null,
  created_at timestamptz not null,
  taken_at timestamptz not null,
  conversation_id uuid,
  -- The message or user that it is about; what is erased of that is erased here too.
  subject_id uuid,
  -- JSON, as it is sent.
  data text not null
);
create index feed_type on feed (type, n);
create index feed_conversation on feed (conversation_id) where type like 'message.%';
create index feed_subject on feed (subject_id) where subject_id is not null;

-- One row, locked by whoever numbers: a number is visible only when all lower ones are.
create table feed_end (
  one boolean primary key default true check (one),
  -- The oldest that is kept, or would be.
  first bigint not null,
  last bigint not null
);
insert into feed_end (first, last) values (1, 0);

-- Read marks that wait to be one event a second.
create table feed_receipts (
  conversation_id uuid not null,
  user_id uuid not null,
  seq bigint not null,
  id uuid not null,
  since timestamptz not null,
  primary key (conversation_id, user_id)
);
create index feed_receipts_since on feed_receipts (since);
