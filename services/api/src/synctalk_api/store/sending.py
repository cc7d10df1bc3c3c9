"""Writing new messages to the table `messages`: a batch is locked, judged, numbered and written by one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson
from synctalk_contracts.commands import SendMessage
from synctalk_contracts.events.messages import MessageCreated
from synctalk_contracts.models import File, ForwardedFrom
from synctalk_runtime.ids import new_id
from synctalk_runtime.postgres import Connection

from synctalk_api import rights, tags
from synctalk_api.rights import Operation
from synctalk_api.rules import Mentions
from synctalk_api.store import outbox
from synctalk_api.terms import vector

SEND = """\
-- name: messages.send
with asked as (
  select *
  from unnest($1::int[], $2::uuid[], $3::uuid[], $4::text[], $5::bytea[], $6::uuid[], $7::uuid[], $8::text[],
              $9::text[], $10::text[], $11::text[], $14::timestamptz[], $15::text[], $16::jsonb[],
              $17::bool[], $18::jsonb[], $19::bool[], $20::text[], $23::uuid[], $24::bool[],
              $25::bool[], $26::bool[])
       as a(n, conversation_id, user_id, client_message_id, digest, reply_to, id, body, mentions, head, tail, deadline,
            terms, metadata, mention_all, forwarded_from, sendable, files, thread_id, also_in_conversation, by_host,
            streaming)
), locked as (
  select a.n, a.user_id, c.last_seq, c.change_seq, c.archived_at, c.posting, c.slow_mode_s, m.role, m.muted_until,
         m.sent_at, m.blocks_peer, m.blocked_by_peer,
         begins_after(c.history, m.joined_seq, c.id, m.joined_at) as begins_after
  from asked a
  join conversations c on c.id = a.conversation_id
  join members m on m.conversation_id = a.conversation_id and m.user_id = a.user_id and m.left_at is null
  order by a.conversation_id, a.user_id, a.n
  for no key update of c, m
), judged as (
  select locked.*, a.conversation_id, e.seq as repeated_seq,
         e.deleted_at is not null or e.digest = a.digest as repeated_alike,
         a.sendable, a.by_host, a.reply_to is null or r.seq is not null as reply_found,
         a.thread_id is null or t.seq is not null as thread_found,
         coalesce(a.deadline < clock_timestamp(), false) as late,
         case when locked.blocked_by_peer then 'blocked'
              when locked.blocks_peer then 'blocking'
              when locked.archived_at is not null then 'archived'
              when a.by_host then null
              when locked.muted_until > $12 then 'muted'
              when locked.posting = 'admins' and locked.role <> all($21::text[]) then 'posting' end as barred
  from asked a
  join locked on locked.n = a.n
  left join messages e on e.conversation_id = a.conversation_id and e.sender_id = a.user_id
                          and e.client_message_id = a.client_message_id
  left join messages r on r.conversation_id = a.conversation_id and r.id = a.reply_to and r.system is null
                          and r.seq > locked.begins_after
  left join messages t on t.conversation_id = a.conversation_id and t.id = a.thread_id and t.system is null
                          and t.thread_id is null and t.seq > locked.begins_after
), timed as (
  select n, conversation_id, last_seq, change_seq,
         case when slow_mode_s = 0 or by_host or role = any($22::text[]) then 0
              when row_number() over (partition by conversation_id, user_id order by n) > 1 then slow_mode_s
              else extract(epoch from sent_at - $12) + slow_mode_s end as wait_s
  from judged
  where repeated_seq is null and barred is null and sendable and reply_found and thread_found and not late
), numbered as (
  select n, last_seq + k as seq, change_seq + k as change_seq
  from (select n, last_seq, change_seq, row_number() over (partition by conversation_id order by n) as k
        from timed where wait_s is null or wait_s <= 0) as fresh
), written as (
  insert into messages (conversation_id, seq, id, change_seq, sender_id, client_message_id, digest, body, reply_to,
                        mentions, created_at, metadata, mention_all, forwarded_from, files, thread_id,
                        also_in_conversation, streaming)
  select a.conversation_id, x.seq, a.id, x.change_seq, a.user_id, a.client_message_id, a.digest, a.body, a.reply_to,
         a.mentions::uuid[], $12, a.metadata, a.mention_all, a.forwarded_from, a.files::jsonb, a.thread_id,
         a.also_in_conversation, a.streaming
  from numbered x join asked a on a.n = x.n
), indexed as (
  insert into message_terms (conversation_id, seq, created_at, id, terms)
  select a.conversation_id, x.seq, $12, a.id, placed_terms(a.terms, a.conversation_id, x.seq)
  from numbered x join asked a on a.n = x.n
  where not a.streaming
), mentioning as (
  insert into mentions (conversation_id, seq, user_id, thread_id, thread_only)
  select a.conversation_id, x.seq, mentioned.user_id, a.thread_id,
         a.thread_id is not null and not a.also_in_conversation
  from numbered x
  join asked a on a.n = x.n
  cross join lateral (select unnest(a.mentions::uuid[])
                      union all select '00000000-0000-0000-0000-000000000000' where a.mention_all) mentioned(user_id)
  where a.mentions <> '{}' or a.mention_all
), counted as (
  update conversations c
  set last_seq = n.last_seq, change_seq = n.change_seq, active_at = $12, updated_at = $12,
      reveal_seq = greatest(c.reveal_seq, n.reveal_seq)
  from (select a.conversation_id as id, max(x.seq) as last_seq, max(x.change_seq) as change_seq,
               max(x.seq) filter (where a.thread_id is null or a.also_in_conversation) as reveal_seq
        from numbered x join asked a on a.n = x.n group by a.conversation_id) as n
  where c.id = n.id
), sent as (
  select a.conversation_id, a.user_id,
         max(x.seq) filter (where a.thread_id is null or a.also_in_conversation) as seq
  from numbered x join asked a on a.n = x.n
  group by a.conversation_id, a.user_id
), raised as (
  update members m
  set delivered_seq = greatest(m.delivered_seq, sent.seq), read_seq = greatest(m.read_seq, sent.seq),
      marked_unread_at = case when sent.seq is null then m.marked_unread_at end, sent_at = $12
  from sent
  where m.conversation_id = sent.conversation_id and m.user_id = sent.user_id
), published as (
  insert into outbox (type, envelope)
  select $13, a.head || x.seq || ',"change_seq":' || x.change_seq || a.tail || '}}'
  from numbered x join asked a on a.n = x.n
  order by x.n
)
select j.n, x.seq, x.change_seq, j.repeated_seq, j.repeated_alike, j.barred, j.archived_at, j.muted_until,
       j.reply_found, j.thread_found, j.late, timed.wait_s::float8 as wait_s
from judged j
left join timed on timed.n = j.n
left join numbered x on x.n = j.n"""


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that has no numbers yet, and its JSON around the place where they go."""

    conversation_id: str
    sender_id: str
    client_message_id: str
    digest: bytes
    body: str
    reply_to: str | None
    mentions: Mentions
    metadata: dict[str, Any]
    forwarded_from: dict[str, str | None] | None
    sendable: bool
    """False: it is only looked up whether it has been sent before."""
    by_host: bool
    """A server key sends it: nothing holds it up but an archive and a block."""
    id: str
    files: list[dict[str, Any]]
    thread_id: str | None
    also_in_conversation: bool
    streaming: bool
    envelope: str
    """The JSON of the event up to the message."""
    head: str
    tail: str

    @classmethod
    def of(
        cls,
        command: SendMessage,
        digest: bytes,
        mentions: Mentions,
        time: str,
        traceparent: str | None,
        source: ForwardedFrom | None = None,
        *,
        files: Sequence[File] = (),
        sendable: bool = True,
        by_host: bool = False,
        silent: bool = False,
        stream_id: str | None = None,
    ) -> "Draft":
        """`stream_id`: the id of a message that is streamed."""
        forwarded_from = None if source is None else source.model_dump()
        message_id = stream_id or new_id()
        rest: dict[str, Any] = {
            "sender_id": command.user_id,
            "client_message_id": command.client_message_id,
            "body": command.body,
            "reply_to": command.reply_to,
            "reactions": {},
            "reaction_counts": {},
            "mentions": mentions.user_ids,
            "mention_all": mentions.all,
            "created_at": time,
            "edited_at": None,
            "deleted_at": None,
            "pinned_at": None,
            "pinned_by": None,
            "metadata": command.metadata,
            "forwarded_from": forwarded_from,
            "system": None,
            "files": [file.model_dump(mode="json") for file in files],
            "thread_id": command.thread_id,
            "also_in_conversation": command.also_in_conversation,
            "thread": None,
            "previews": [],
            "streaming": stream_id is not None,
            "interrupted": False,
        }
        return cls(
            conversation_id=command.conversation_id,
            sender_id=command.user_id,
            client_message_id=command.client_message_id,
            digest=digest,
            body=command.body,
            reply_to=command.reply_to,
            mentions=mentions,
            metadata=command.metadata,
            forwarded_from=forwarded_from,
            sendable=sendable,
            by_host=by_host,
            files=rest["files"],
            thread_id=command.thread_id,
            also_in_conversation=command.also_in_conversation,
            streaming=rest["streaming"],
            id=message_id,
            envelope=outbox.opening(MessageCreated, time, traceparent)
            + ('{"silent":true,"message":' if silent else '{"message":'),
            head=f'{{"id":"{message_id}","conversation_id":"{command.conversation_id}","seq":',
            tail="," + orjson.dumps(rest)[1:].decode(),
        )

    @property
    def tags(self) -> list[str]:
        return tags.of_message(
            self.sender_id,
            self.body,
            self.mentions.user_ids,
            mention_all=self.mentions.all,
            has_files=bool(self.files),
            thread_id=self.thread_id,
            thread_only=not self.also_in_conversation,
        )

    def to_json(self, seq: int, change_seq: int) -> bytes:
        """Return the `Message` of the interface with its numbers; a test compares it with the contract."""
        return f'{self.head}{seq},"change_seq":{change_seq}{self.tail}'.encode()


async def send(
    conn: Connection, drafts: Sequence[Draft], deadlines: Sequence[datetime | None], now: datetime
) -> list[asyncpg.Record]:
    """Lock, judge, number and write a batch, with counters, watermarks and events, in one statement and round trip.

    All writers lock the conversations and the senders' memberships in the same sequence. Returns one row for each draft
    whose sender is a member: its numbers; or the `seq` under which it was written before, and whether it said the same;
    or why the sender may not send; or how long they have to wait; or that `reply_to` or the thread does not exist; or
    that its deadline had passed when its row was locked. Locked rows are fresh, but repeats are seen as of the
    statement's start: if another writer was quicker, a unique constraint refuses the statement as a whole, and it can
    be tried again.
    """
    return await conn.fetch(
        SEND,
        list(range(len(drafts))),
        [d.conversation_id for d in drafts],
        [d.sender_id for d in drafts],
        [d.client_message_id for d in drafts],
        [d.digest for d in drafts],
        [d.reply_to for d in drafts],
        [d.id for d in drafts],
        [d.body for d in drafts],
        ["{" + ",".join(d.mentions.user_ids) + "}" for d in drafts],
        [d.envelope + d.head for d in drafts],
        [d.tail for d in drafts],
        now,
        MessageCreated.type_name(),
        deadlines,
        [vector(d.body, d.tags) for d in drafts],
        [d.metadata for d in drafts],
        [d.mentions.all for d in drafts],
        [d.forwarded_from for d in drafts],
        [d.sendable for d in drafts],
        [orjson.dumps(d.files).decode() for d in drafts],
        rights.roles(Operation.SEND_AS_ADMIN),
        rights.roles(Operation.SEND_AT_ONCE),
        [d.thread_id for d in drafts],
        [d.also_in_conversation for d in drafts],
        [d.by_host for d in drafts],
        [d.streaming for d in drafts],
    )
