-- no transaction
-- What is no unread message. `messages_deleted` stays for the version before.
create index concurrently if not exists messages_uncounted on messages (conversation_id, seq)
where deleted_at is not null or system is not null;
