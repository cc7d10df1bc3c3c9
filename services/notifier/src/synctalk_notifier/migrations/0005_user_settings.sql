-- What holds for all conversations of a user; who has no row has the defaults.
create table user_settings (
  user_id uuid primary key,
  level text not null default 'all',
  content text not null default 'full',
  quiet_from text,
  quiet_to text,
  time_zone text
);

-- Null: the user's level for all conversations.
alter table settings alter column level drop not null;

-- A member of a direct conversation, where every message is meant for them.
alter table members add column direct boolean not null default false;
