-- What edited messages said before, numbered by the change that replaced it. They go with the message when it is deleted.
create table revisions (
  conversation_id uuid not null,
  message_id uuid not null,
  change_seq bigint not null,
  body text not null,
  edited_at timestamptz not null,
  primary key (conversation_id, message_id, change_seq)
);
