-- The previews of a message's links as everybody sees them.
alter table messages add column previews jsonb not null default '[]';

-- The view as it is, whatever columns it has by now, with one more.
do $$
declare
    shown text := pg_get_viewdef('displayed_messages'::regclass);
begin
    execute 'create or replace view displayed_messages as '
        || regexp_replace(shown, '\n\s*FROM messages m;\s*$', ', m.previews FROM messages m');
end $$;
