-- no transaction
create index concurrently if not exists people_hushed on people (user_id) include (status)
  where status in ('away', 'dnd');
