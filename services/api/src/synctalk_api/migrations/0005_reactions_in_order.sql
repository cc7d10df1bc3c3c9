-- no transaction
create index concurrently if not exists reactions_in_order
on reactions (conversation_id, message_id, emoji, position) include (user_id);
