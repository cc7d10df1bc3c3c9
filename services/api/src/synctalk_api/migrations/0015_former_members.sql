-- no transaction
create index concurrently if not exists members_former on members (user_id, conversation_id) where left_at is not null;
