-- An archived group can be read, and nothing in it changes.
alter table conversations add column archived_at timestamptz;
-- Who may send: `everyone` or `admins`, and how many seconds each member waits between two messages.
alter table conversations add column posting text not null default 'everyone';
alter table conversations add column slow_mode_s integer not null default 0;
-- When the member sent last.
alter table members add column sent_at timestamptz;
