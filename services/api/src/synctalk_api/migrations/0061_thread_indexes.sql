-- no transaction
create index concurrently if not exists messages_in_thread on messages (conversation_id, thread_id, seq)
where thread_id is not null;
-- Who replied in a thread, one look-up for each of them.
create index concurrently if not exists messages_thread_senders on messages (conversation_id, thread_id, sender_id, seq)
where thread_id is not null and deleted_at is null;
create index concurrently if not exists messages_top_level on messages (conversation_id, seq)
where thread_id is null or also_in_conversation;
-- What is no unread message of the conversation. `messages_uncounted` stays for the version before.
create index concurrently if not exists messages_not_counted on messages (conversation_id, seq)
where deleted_at is not null or system is not null or (thread_id is not null and not also_in_conversation);
create index concurrently if not exists mentions_in_threads on mentions (conversation_id, thread_id, user_id, seq)
where thread_id is not null;
