-- The name that says what the table holds. The version before serves on through a view of the old name, which a later
-- migration drops.
-- safe because: the view answers to the old name, from the same transaction on
alter table heard rename to incoming_messages;
-- safe because: the view has the old column
alter table incoming_messages rename column heard_at to received_at;
-- safe because: no statement names the index
alter index heard_due rename to incoming_messages_due;
create view heard as
  select id, received_at as heard_at, due_at, conversation_ids, messages, traceparent from incoming_messages;
