-- Messages of before get tags by the service while it serves; what has the sender's is tagged. The second look at a
-- conversation finds what the old version wrote during the roll-out.
insert into unindexed_conversations (conversation_id, due_at)
select id, now() + wait from conversations, unnest(array[interval '0', interval '15 minutes']) as wait
where last_seq > 0
on conflict do nothing;
