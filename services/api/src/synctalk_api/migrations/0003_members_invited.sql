-- no transaction
create index concurrently if not exists members_invited on members (user_id)
where left_at is null and invited_by is not null;
