-- A message whose text is still being written, and one whose writer fell silent before its end.
alter table messages
    add column streaming boolean not null default false,
    add column interrupted boolean not null default false;

-- The view as it is, whatever columns it has by now, with two more.
do $$
declare
    shown text := pg_get_viewdef('displayed_messages'::regclass);
begin
    execute 'create or replace view displayed_messages as '
        || regexp_replace(shown, '\n\s*FROM messages m;\s*$', ', m.streaming, m.interrupted FROM messages m');
end $$;
