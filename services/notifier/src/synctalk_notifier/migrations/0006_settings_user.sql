-- no transaction
create index concurrently if not exists settings_user on settings (user_id);
