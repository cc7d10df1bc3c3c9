"""Resolve `@username` in texts to members of the conversation."""

from collections.abc import Sequence

from synctalk_runtime.postgres import Connection

from synctalk_api import rules
from synctalk_api.store import members


async def mentions_in(conn: Connection, bodies: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Return the ids of the members mentioned in each (conversation, body). Without any `@` there is no look-up."""
    candidates = [rules.mention_candidates(body) if "@" in body else [] for _, body in bodies]
    wanted = {
        (conversation_id, name)
        for (conversation_id, _), named in zip(bodies, candidates, strict=True)
        for names in named
        for name in names
    }
    if not wanted:
        return [[] for _ in bodies]
    found = await members.named(conn, sorted(wanted))
    return [
        rules.mentioned(named, found.get(conversation_id, {}))
        for (conversation_id, _), named in zip(bodies, candidates, strict=True)
    ]
