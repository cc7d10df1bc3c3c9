-- A reply has the id of its thread's root message; `thread` is what the root says of its replies.
alter table messages add column thread_id uuid;
alter table messages add column also_in_conversation boolean not null default false;
alter table messages add column thread jsonb;

-- The view as it is, whatever columns it has by now, with three more.
do $$
declare
    shown text := pg_get_viewdef('displayed_messages'::regclass);
begin
    execute 'create or replace view displayed_messages as '
        || regexp_replace(shown, '\n\s*FROM messages m;\s*$',
                          ', m.thread_id, m.also_in_conversation, m.thread FROM messages m');
end $$;

-- Mentions in threads are counted there, and in the conversation only where the reply is shown in it as well.
alter table mentions add column thread_id uuid;
alter table mentions add column thread_only boolean not null default false;

-- What a thread is to a user. `following` is null where they have read it, and nothing was said of following it.
create table thread_follows (
    conversation_id uuid not null,
    thread_id       uuid not null,
    user_id         uuid not null,
    following       boolean,
    read_seq        bigint not null,
    primary key (conversation_id, thread_id, user_id)
) with (fillfactor = 70);
create index thread_follows_of_user on thread_follows (user_id, conversation_id, thread_id) where following;
