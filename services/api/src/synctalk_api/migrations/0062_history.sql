-- Whether members see what was said before they joined: `all`, or `since_joined`.
alter table conversations add column history text not null default 'all';
-- The last message at the member's latest join; null where they joined before this was noted.
alter table members add column joined_seq bigint;

-- The number after which a conversation begins for a member: messages up to it do not exist for them.
create function begins_after(history text, joined_seq bigint, conversation uuid, joined_at timestamptz) returns bigint
language sql stable parallel safe
return case when history <> 'since_joined' then 0 else coalesce(joined_seq, seq_at(conversation, joined_at) - 1) end;
