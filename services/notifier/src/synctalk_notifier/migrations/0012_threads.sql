-- The thread that the message replies in, by whose own watermark it is read; and whether the conversation shows it too.
alter table pushes add column thread_id uuid;
alter table pushes add column also_in_conversation boolean not null default false;
