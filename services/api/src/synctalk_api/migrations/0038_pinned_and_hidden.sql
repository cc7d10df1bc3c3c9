-- What a conversation is to one member: above the others, and out of the list until something is said in it.
alter table members add column pinned_at timestamptz;
alter table members add column hidden_at timestamptz;
alter table members add column hidden_seq bigint;
-- The last message that brings it back to those who have hidden it.
alter table conversations add column reveal_seq bigint not null default 0;
