"""Somebody is in a conversation from now on: their sockets join its room and are told, without a gap."""

import asyncio
from typing import Any

from synctalk_runtime.errors import UnavailableError

from synctalk_gateway.actions import presence
from synctalk_gateway.actions.connect import heard_in_time
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.parts import Parts
from synctalk_gateway.protocol import wire

REJOIN_WAIT_S = 2.0


async def follow(parts: Parts, user_id: str, event: dict[str, Any]) -> None:
    """A `UserEvent` came: say `conversation:new`, then whatever happened there since."""
    conversation = event["conversation"]
    await _until_left(parts, user_id, conversation)
    joining = [c for c in list(parts.hub.by_user.get(user_id, ())) if not parts.hub.is_in(c, conversation["id"])]
    if not joining:
        return
    for connection in joining:
        connection.hold()
    try:
        subscriptions = [parts.hub.join(conversation["id"], connection) for connection in joining]
        await heard_in_time(subscriptions)
        state = await _state(parts, user_id, conversation)
    except UnavailableError:
        # They are in the room; its position is unknown. The client learns of the conversation and loads it itself.
        state = {"reset": True, "change_seq": conversation["change_seq"]}
    _tell(parts, joining, conversation, state)
    for connection in joining:
        if connection.strangers:
            parts.hub.spawn(presence.recheck(parts, connection))


async def _until_left(parts: Parts, user_id: str, conversation: dict[str, Any]) -> None:
    """Removed and added again at once: the room delivers the removal first, in its order."""
    deadline = asyncio.get_running_loop().time() + REJOIN_WAIT_S
    while asyncio.get_running_loop().time() < deadline:
        room = parts.hub.rooms.get(conversation["id"])
        if room is None or room.change_seq is None or room.change_seq >= conversation["change_seq"]:
            return
        if not any(connection.user_id == user_id for connection in room.connections):
            return
        await asyncio.sleep(0.02)


async def _state(parts: Parts, user_id: str, conversation: dict[str, Any]) -> dict[str, Any]:
    cursors = {conversation["id"]: conversation["change_seq"]}
    answer = await parts.api.sync(user_id, cursors)
    state: dict[str, Any] = answer["conversations"][conversation["id"]]
    return state


def _tell(parts: Parts, joining: list[Connection], conversation: dict[str, Any], state: dict[str, Any]) -> None:
    room = parts.hub.rooms.get(conversation["id"])
    if state.get("removed"):
        for connection in joining:
            if room is not None:
                parts.hub.leave(room, connection)
            connection.release({})
        return
    reached = state["change_seq"]
    first = [wire.event("conversation:new", conversation), *_since(conversation, state)]
    for connection in joining:
        if room is not None:
            room.set_floor(connection, reached)
        connection.release({conversation["id"]: reached}, first)
    if room is not None and room.change_seq is None:
        room.start(reached)


def _since(conversation: dict[str, Any], state: dict[str, Any]) -> list[wire.Encoded]:
    """What happened between the announced conversation and the state, as events in the order of `change_seq`."""
    if state.get("reset") or state.get("more"):
        return [wire.event("sync:required", {"conversation_ids": [conversation["id"]]})]
    changes = [(m["change_seq"], _message_event(conversation, m), m) for m in state["messages"]]
    changes += [
        (
            m["change_seq"],
            "member:changed",
            {
                "conversation_id": conversation["id"],
                "user_id": m["user"]["id"],
                "role": m["role"],
                "change_seq": m["change_seq"],
            },
        )
        for m in state["members"]
    ]
    events = [wire.event(name, payload) for _, name, payload in sorted(changes, key=lambda change: change[0])]
    if state["conversation"]["title"] != conversation["title"]:
        events.append(wire.event("conversation:updated", state["conversation"]))
    return events


def _message_event(conversation: dict[str, Any], message: dict[str, Any]) -> str:
    if message["seq"] > conversation["last_seq"]:
        return "message:new"
    return "message:deleted" if message["deleted_at"] else "message:updated"
