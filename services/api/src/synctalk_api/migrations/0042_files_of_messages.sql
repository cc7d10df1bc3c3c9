-- The files of a message as everybody sees them; none of them changes after it is sent.
alter table messages add column files jsonb not null default '[]';

-- Files of messages deleted in this store, which the main store does not know yet.
create table unused_files (
    file_id uuid primary key
);

-- The view as it is, whatever columns it has by now, with one more.
do $$
declare
    shown text := pg_get_viewdef('displayed_messages'::regclass);
begin
    execute 'create or replace view displayed_messages as '
        || regexp_replace(shown, '\n\s*FROM messages m;\s*$', ', m.files FROM messages m');
end $$;
