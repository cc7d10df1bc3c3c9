-- The number of the first message at or after a time; beyond the last one when there is none. Times ascend with numbers, so
-- it halves: some twenty look-ups in a million messages, and no index to keep.
create function seq_at(conversation uuid, moment timestamptz) returns bigint
language sql stable parallel safe
return (
  with recursive narrowed(below, first) as (
    select 0::bigint, c.last_seq + 1 from conversations c where c.id = conversation
    union all
    select case when m.created_at < moment then m.seq else n.below end,
           case when m.created_at < moment then n.first else m.seq end
    from narrowed n
    join messages m on m.conversation_id = conversation and m.seq = (n.below + n.first) / 2
    where n.first - n.below > 1
  )
  select min(first) from narrowed
);
