-- no transaction
create index concurrently if not exists messages_pinned
on messages (conversation_id, pinned_at, seq) where pinned_at is not null;
