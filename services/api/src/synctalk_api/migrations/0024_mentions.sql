alter table messages add column mention_all boolean not null default false;
alter table members add column marked_unread_at timestamptz;

-- Whom messages mention; the nil UUID is everybody. So unread mentions are counted without reading messages.
create table mentions (
  conversation_id uuid not null,
  seq bigint not null,
  user_id uuid not null,
  primary key (conversation_id, seq, user_id)
);
create index mentions_of_user on mentions (conversation_id, user_id, seq);

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
       m.pinned_at, m.pinned_by, m.metadata, m.mention_all
from messages m;

-- Mentions of before are added by the service while it serves. The second look at a conversation finds what the old
-- version wrote during the roll-out.
insert into unindexed_conversations (conversation_id, due_at)
select id, now() + wait from conversations, unnest(array[interval '0', interval '15 minutes']) as wait
where last_seq > 0;
