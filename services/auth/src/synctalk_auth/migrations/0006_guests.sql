-- A guest that was claimed has ended; what was its own is that user's.
alter table users
  add column is_bot boolean not null default false,
  add column is_guest boolean not null default false,
  add column claimed_by uuid;
