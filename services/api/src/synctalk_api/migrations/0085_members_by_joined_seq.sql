-- no transaction
-- For whom a message does not exist: those who joined after it. Of a group of 10,000 these are few, and each edit asks.
create index concurrently if not exists members_joined on members (conversation_id, joined_seq) where left_at is null;
