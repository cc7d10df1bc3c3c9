-- Public groups are listed and searched; the terms are those of the title, null for private ones.
alter table conversations add column visibility text not null default 'private';
alter table conversations add column title_terms tsvector;
-- When the number of members changed last: a list of public groups is walked as of its start.
alter table conversations add column members_changed_at timestamptz not null default '-infinity';
