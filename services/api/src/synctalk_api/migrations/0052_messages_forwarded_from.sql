-- no transaction
-- Whose messages were forwarded into a conversation: a user who claims a guest is named there in its place.
create index concurrently if not exists messages_forwarded_from
on messages (conversation_id, (forwarded_from ->> 'sender_id')) where forwarded_from is not null;
