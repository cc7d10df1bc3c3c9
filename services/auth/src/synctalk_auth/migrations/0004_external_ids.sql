-- How a host app or an identity provider calls a user: byte for byte, and never linked by anything else.
create table external_ids (
  external_id text collate "C" primary key,
  user_id uuid not null unique references users (id) on delete cascade
);

-- A user of a host app has no password here; one who is deactivated may not sign in.
alter table users alter column password_hash drop not null, add column deactivated_at timestamptz;
