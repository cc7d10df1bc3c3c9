"""Encode the Socket.IO events for clients, one function for each event.

Each returns the JSON array `["name", payload]`, the body of a Socket.IO event packet. `Rendered` payloads were written
by the service that owns them and are passed on as they came; the others are spelled here.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import orjson

from synctalk_contracts import sockets
from synctalk_contracts.models import EndReason, Role

Rendered: TypeAlias = "dict[str, Any] | orjson.Fragment"
"""A JSON-ready value of the contract, or its JSON."""

_OPENINGS = {name: f'["{name}",'.encode() for name in sockets.TO_CLIENT}


def encode(name: str, payload: Rendered) -> bytes:
    """Encode the event of this name. Raises KeyError when the contract has no such event."""
    return _OPENINGS[name] + orjson.dumps(payload) + b"]"


def relay(name: str, payload: Rendered) -> bytes:
    """Encode an event that another service composed, whose contract may be newer than this one."""
    opening = _OPENINGS.get(name) or f'["{name}",'.encode()
    return opening + orjson.dumps(payload) + b"]"


def ready(payload: sockets.ReadyToClient) -> bytes:
    return _OPENINGS["ready"] + payload.to_bytes() + b"]"


def message_new(message: Rendered) -> bytes:
    return encode("message:new", message)


def message_updated(message: Rendered) -> bytes:
    return encode("message:updated", message)


def message_deleted(message: Rendered) -> bytes:
    return encode("message:deleted", message)


def change_hidden(*, conversation_id: str, change_seq: int) -> bytes:
    return encode("change:hidden", {"conversation_id": conversation_id, "change_seq": change_seq})


def message_delta(*, conversation_id: str, message_id: str, at: int, text: str) -> bytes:
    payload = {"conversation_id": conversation_id, "message_id": message_id, "at": at, "text": text}
    return encode("message:delta", payload)


def typing(*, conversation_id: str, user_id: str, active: bool, thread_id: str | None = None) -> bytes:
    payload = {"conversation_id": conversation_id, "user_id": user_id, "active": active}
    return encode("typing", payload if thread_id is None else {**payload, "thread_id": thread_id})


def user_updated(user: Rendered) -> bytes:
    return encode("user:updated", user)


def presence_changed(presence: Rendered) -> bytes:
    return encode("presence:changed", presence)


def conversation_new(conversation: Rendered) -> bytes:
    return encode("conversation:new", conversation)


def conversation_updated(conversation: Rendered) -> bytes:
    return encode("conversation:updated", conversation)


def conversation_removed(*, id: str) -> bytes:  # noqa: A002
    return encode("conversation:removed", {"id": id})


def member_changed(
    *, conversation_id: str, user_id: str, role: Role | str | None, change_seq: int, muted_until: str | None = None
) -> bytes:
    payload = {
        "conversation_id": conversation_id,
        "user_id": user_id,
        "role": role,
        "change_seq": change_seq,
        "muted_until": muted_until,
    }
    return encode("member:changed", payload)


def sync_required(*, conversation_ids: Sequence[str] | None) -> bytes:
    """Encode `sync:required`; None: all conversations."""
    return encode("sync:required", {"conversation_ids": conversation_ids})


def session_expiring(*, expires_at: str) -> bytes:
    return encode("session:expiring", {"expires_at": expires_at})


def session_ended(*, reason: EndReason) -> bytes:
    return encode("session:ended", {"reason": reason})


def server_draining(*, reconnect_in_ms: int) -> bytes:
    return encode("server:draining", {"reconnect_in_ms": reconnect_in_ms})
