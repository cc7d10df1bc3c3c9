"""Following people's presence from one socket: the state now, then the changes; never that of strangers."""

from typing import Any

from synctalk_runtime.errors import UnavailableError

from synctalk_gateway import rules
from synctalk_gateway.actions.connect import heard_in_time
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.parts import Parts
from synctalk_gateway.protocol import wire


async def subscribe(parts: Parts, connection: Connection, user_ids: list[str]) -> list[dict[str, Any]]:
    """The state of each, in the order asked. The caller holds the connection, so that no change overtakes the answer.

    Raises:
        InvalidError: more people than one socket may follow.
        UnavailableError: presence does not answer; nothing is followed that was not before.
    """
    rules.must_fit_subscriptions(connection, user_ids, parts.settings.max_presence_subscriptions)
    added = [user_id for user_id in dict.fromkeys(user_ids) if user_id not in connection.watching]
    try:
        await heard_in_time([parts.hub.watch(connection, user_id) for user_id in added])
        snapshot = await parts.presence.snapshot(connection.user_id, user_ids)
    except UnavailableError:
        unsubscribe(parts, connection, added)
        raise
    for stranger in snapshot.strangers:
        parts.hub.unwatch(connection, stranger)
    connection.strangers = (connection.strangers - set(user_ids)) | set(snapshot.strangers)
    return [item.model_dump(mode="json") for item in snapshot.items]


def unsubscribe(parts: Parts, connection: Connection, user_ids: list[str]) -> None:
    for user_id in user_ids:
        parts.hub.unwatch(connection, user_id)
    connection.strangers.difference_update(user_ids)


async def recheck(parts: Parts, connection: Connection) -> None:
    """Conversations came or went: who was a stranger may be one no more, and the other way round. Both are told."""
    asked = [*connection.watching, *connection.strangers]
    before = set(connection.strangers)
    if not asked or connection.socket.ended:
        return
    try:
        items = await subscribe(parts, connection, asked[: parts.settings.max_presence_subscriptions])
    except UnavailableError:
        for user_id in asked:  # when in doubt, say nothing more of them
            parts.hub.unwatch(connection, user_id)
        return
    for item in items:
        if item["user_id"] in before ^ connection.strangers:
            connection.send(wire.event("presence:changed", item))
