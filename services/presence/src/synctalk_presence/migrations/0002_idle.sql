-- Idle on all of their devices, as decided.
alter table people add column idle boolean not null default false;
