-- no transaction
create index concurrently if not exists users_guests on users (id) where is_guest;
