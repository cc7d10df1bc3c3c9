-- Where not everyone sees when a user was last seen: those still do who share a direct conversation.
alter table people add column last_seen_to_contacts boolean not null default false;
