-- no transaction
create index concurrently if not exists conversations_public on conversations (members_count desc, id desc)
  where visibility = 'public';
create index concurrently if not exists conversations_public_changed on conversations (members_changed_at)
  where visibility = 'public';
create index concurrently if not exists conversations_public_terms on conversations using gin (title_terms)
  where visibility = 'public';
