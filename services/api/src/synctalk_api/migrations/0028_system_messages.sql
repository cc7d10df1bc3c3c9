alter table messages add column system jsonb;
alter table conversations add column system_messages boolean not null default false;

-- A message with its reactions as everybody sees them: {emoji: [count, [first user ids]]}, each in the order in which
-- they came. So many are listed of each as `rules.listed_max` says.
create or replace view displayed_messages as
select m.conversation_id, m.seq, m.id, m.change_seq, m.sender_id, m.client_message_id, m.digest, m.body, m.reply_to,
       m.mentions, m.created_at, m.edited_at, m.deleted_at,
       (select json_object_agg(kind.emoji, json_build_array(kind.count, listed.user_ids) order by listed.first)
        from (select k.emoji, k.count, count(*) over () as kinds
              from reaction_kinds k
              where k.conversation_id = m.conversation_id and k.message_id = m.id) kind
        cross join lateral (
          select json_agg(r.user_id order by r.position) as user_ids, min(r.position) as first
          from (select x.user_id, x.position
                from reactions x
                where x.conversation_id = m.conversation_id and x.message_id = m.id and x.emoji = kind.emoji
                order by x.position
                limit greatest(1, least(100, 500 / kind.kinds))) r
        ) listed
        where listed.first is not null) as reactions,
       m.pinned_at, m.pinned_by, m.metadata, m.mention_all, m.forwarded_from, m.system
from messages m;
