-- What searching finds a message by. Apart from `messages`, whose rows are written anew with every reaction: the terms
-- change only with the body. Inserts go straight into the index: with a pending list each look would read all of it.
create table message_terms (
  conversation_id uuid not null,
  seq bigint not null,
  created_at timestamptz not null,
  id uuid not null,
  terms tsvector not null,
  primary key (conversation_id, seq)
);
create index message_terms_by_term on message_terms using gin (terms) with (fastupdate = off);

-- The place before each term: the conversation and the segment of 1,024 numbers.
create function place_of(conversation_id uuid, segment bigint) returns text
language sql immutable parallel safe
return right(conversation_id::text, 8) || to_hex(segment) || '_';

create function placed_terms(terms text, conversation_id uuid, seq bigint) returns tsvector
language sql immutable parallel safe
return replace(terms, E'\x01', place_of(conversation_id, seq >> 10))::tsvector;

-- Messages and names of before, to be indexed by the service while it serves: terms come from Unicode's data, which the
-- database does not have. The second look at a conversation finds what the old version wrote during the roll-out.
create table unindexed_conversations (
  conversation_id uuid not null,
  due_at timestamptz not null,
  below_seq bigint not null default 9223372036854775807,
  primary key (due_at, conversation_id)
);
insert into unindexed_conversations (conversation_id, due_at)
select id, now() + wait from conversations, unnest(array[interval '0', interval '15 minutes']) as wait
where last_seq > 0;

create table unindexed_users (id uuid primary key);
insert into unindexed_users (id) select id from users;
