-- no transaction
create index concurrently if not exists people_status_expires_at on people (status_expires_at)
  where status_expires_at is not null;
