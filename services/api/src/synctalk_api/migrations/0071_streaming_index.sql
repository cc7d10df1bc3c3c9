-- no transaction
create index concurrently if not exists messages_streaming on messages (created_at) where streaming;
