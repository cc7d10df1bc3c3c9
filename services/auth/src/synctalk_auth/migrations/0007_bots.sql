-- A bot's session lasts until its token is revoked. Of the token only the hash is kept.
alter table sessions add column lasting boolean not null default false;
create table bot_tokens (
  hash bytea primary key,
  session_id uuid not null unique references sessions (id) on delete cascade
);
