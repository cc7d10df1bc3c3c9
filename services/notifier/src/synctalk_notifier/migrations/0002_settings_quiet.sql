-- no transaction
create index concurrently if not exists settings_quiet on settings (user_id)
  where level = 'none' or muted_until is not null;
