"""Resolve `@username` and `@all` in texts to those whom they mention."""

from collections.abc import Sequence
from dataclasses import replace

from synctalk_runtime.postgres import Connection

from synctalk_api import rights, rules
from synctalk_api.rights import Operation
from synctalk_api.rules import Mentions
from synctalk_api.store import conversations, members

NOBODY = Mentions([])


async def mentions_in(conn: Connection, bodies: Sequence[tuple[str, str]]) -> list[Mentions]:
    """Return who is mentioned in each (conversation, body). Without any `@` there is no look-up."""
    candidates = [rules.mention_candidates(body) if "@" in body else [] for _, body in bodies]
    wanted = {
        (conversation_id, name)
        for (conversation_id, _), named in zip(bodies, candidates, strict=True)
        for names in named
        for name in names
    }
    if not wanted:
        return [NOBODY] * len(bodies)
    found = await members.named(conn, sorted(wanted))
    return [
        rules.mentioned(named, found.get(conversation_id, {}))
        for (conversation_id, _), named in zip(bodies, candidates, strict=True)
    ]


async def permitted(
    conn: Connection, senders: Sequence[tuple[str, str]], mentions: Sequence[Mentions]
) -> Sequence[Mentions]:
    """Return the mentions without `@all` where the sender of (conversation, sender) may not mention everybody."""
    asked = sorted({sender for sender, mentioned in zip(senders, mentions, strict=True) if mentioned.all})
    if not asked:
        return mentions
    found = await conversations.kinds_roles_and_sizes(conn, asked)
    may = {sender for sender, seen_as in found.items() if rights.may(Operation.MENTION_ALL, *seen_as)}
    return [
        replace(mentioned, all=mentioned.all and sender in may)
        for sender, mentioned in zip(senders, mentions, strict=True)
    ]
