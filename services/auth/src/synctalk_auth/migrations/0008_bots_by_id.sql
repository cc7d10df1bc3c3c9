-- no transaction
create index concurrently if not exists users_bots on users (id) where is_bot;
