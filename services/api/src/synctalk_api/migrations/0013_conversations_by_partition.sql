-- no transaction
create index concurrently if not exists conversations_by_partition on conversations (partition, id);
