alter table conversations add column description text not null default '';
alter table conversations add column avatar_url text;
alter table conversations add column metadata jsonb not null default '{}';
-- Every message updates the row: what is long lies beside it, where an update does not copy it.
alter table conversations set (toast_tuple_target = 512);
