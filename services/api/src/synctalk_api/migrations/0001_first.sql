-- People as this service shows them. `phrases` are what a search may begin with, one row each.
create table users (
  id uuid primary key,
  username text not null,
  display_name text not null,
  avatar_url text
);

create index users_by_username on users (username);

create table user_phrases (
  user_id uuid not null,
  phrase text collate "C" not null,
  primary key (user_id, phrase)
);
create index user_phrases_by_phrase on user_phrases (phrase, user_id);

-- The row that is locked while numbers are given. No index holds what a message changes: those updates stay in the page.
create table conversations (
  id uuid primary key,
  type text not null check (type in ('direct', 'group')),
  title text,
  direct_key text collate "C" constraint conversations_direct_key unique,
  created_by uuid not null,
  created_at timestamptz not null,
  last_seq bigint not null default 0,
  change_seq bigint not null,
  members_count integer not null,
  active_at timestamptz not null,
  updated_at timestamptz not null
) with (fillfactor = 60);

-- A member who is gone stays as a row with `left_at`, so that sync can tell it.
create table members (
  conversation_id uuid not null,
  user_id uuid not null,
  role text not null check (role in ('owner', 'admin', 'member')),
  joined_at timestamptz not null,
  left_at timestamptz,
  delivered_seq bigint not null default 0,
  read_seq bigint not null default 0,
  change_seq bigint not null,
  primary key (conversation_id, user_id)
) with (fillfactor = 70);
create index members_of_person on members (user_id, conversation_id) where left_at is null;
create index members_changes on members (conversation_id, change_seq, user_id);

-- `digest` is of what was first sent: a repeat is told apart from another message even after an edit.
-- `txid` lets a walk over conversations ask for the activity as of its start.
create table messages (
  conversation_id uuid not null,
  seq bigint not null,
  id uuid not null,
  change_seq bigint not null,
  sender_id uuid not null,
  client_message_id text collate "C" not null,
  digest bytea not null,
  body text not null,
  reply_to uuid,
  mentions uuid[] not null,
  created_at timestamptz not null,
  edited_at timestamptz,
  deleted_at timestamptz,
  txid xid8 not null default pg_current_xact_id(),
  primary key (conversation_id, seq),
  constraint messages_client_message_id unique (conversation_id, sender_id, client_message_id),
  constraint messages_id unique (conversation_id, id)
) with (fillfactor = 90);
create index messages_changes on messages (conversation_id, change_seq);
create index messages_deleted on messages (conversation_id, seq) where deleted_at is not null;
-- The conversation is one of the words: a search for a common word then reads only what the person may see. It is one
-- scan a conversation, and each reads the index's pending list, so that is kept short (kB).
create index messages_words on messages using gin (
  (to_tsvector('simple', body) || array_to_tsvector(array['conversation:' || conversation_id]))
) with (gin_pending_list_limit = 128) where deleted_at is null;

create table reactions (
  conversation_id uuid not null,
  message_id uuid not null,
  emoji text collate "C" not null,
  user_id uuid not null,
  position bigint generated always as identity,
  primary key (conversation_id, message_id, emoji, user_id)
);

-- A message with its reactions as everybody sees them: {emoji: [user ids]}, each in the order in which they came.
create view shown_messages as
select m.conversation_id, m.seq, m.id, m.change_seq, m.sender_id, m.client_message_id, m.digest, m.body, m.reply_to,
       m.mentions, m.created_at, m.edited_at, m.deleted_at,
       (select json_object_agg(kind.emoji, kind.user_ids order by kind.first)
        from (select r.emoji, json_agg(r.user_id order by r.position) as user_ids, min(r.position) as first
              from reactions r
              where r.conversation_id = m.conversation_id and r.message_id = m.id
              group by r.emoji) kind) as reactions
from messages m;

create table outbox (
  id bigint generated always as identity primary key,
  type text not null,
  envelope text not null
);

alter table outbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
