"""The packets that this gateway composes itself: every event name and payload that is not passed on as it came."""

from collections.abc import Iterable
from typing import Any

from synctalk_contracts import sockets
from synctalk_contracts.encoding import to_client
from synctalk_contracts.models import EndReason

from synctalk_gateway.protocol.wire import Encoded

DISCONNECT = Encoded(b"1")
"""Stock clients take it as "stay away"."""

Payload = dict[str, Any]


def ready(payload: sockets.ReadyToClient) -> Encoded:
    return _event(to_client.ready(payload))


def room_event(event: Payload) -> Encoded:
    """Encode a `RoomEvent` whose payload is the same for all members."""
    return _event(to_client.relay(event["event"], event["payload"]))


def conversation_updated(shared: Payload, view: Payload) -> Encoded:
    return _event(to_client.conversation_updated({**shared, **view}))


def conversation_new(conversation: Payload) -> Encoded:
    return _event(to_client.conversation_new(conversation))


def conversation_changed(conversation: Payload) -> Encoded:
    return _event(to_client.conversation_updated(conversation))


def conversation_removed(conversation_id: str) -> Encoded:
    return _event(to_client.conversation_removed(id=conversation_id))


def message(message: Payload, *, new: bool) -> Encoded:
    """Encode a message that was read from api, by what happened to it last."""
    if new:
        return _event(to_client.message_new(message))
    changed = to_client.message_deleted if message["deleted_at"] else to_client.message_updated
    return _event(changed(message))


def member_changed(conversation_id: str, member: Payload) -> Encoded:
    """Encode a member as api's sync gives it."""
    return _event(
        to_client.member_changed(
            conversation_id=conversation_id,
            user_id=member["user"]["id"],
            role=member["role"],
            change_seq=member["change_seq"],
            muted_until=member.get("muted_until"),
        )
    )


def change_hidden(conversation_id: str, change_seq: int) -> Encoded:
    return _event(to_client.change_hidden(conversation_id=conversation_id, change_seq=change_seq))


def typing(conversation_id: str, user_id: str, *, active: bool, thread_id: str | None = None) -> Encoded:
    return _event(
        to_client.typing(conversation_id=conversation_id, user_id=user_id, active=active, thread_id=thread_id)
    )


def sync_required(conversation_ids: Iterable[str] | None) -> Encoded:
    """None: all conversations."""
    ids = None if conversation_ids is None else list(conversation_ids)
    return _event(to_client.sync_required(conversation_ids=ids))


def presence_changed(presence: Payload) -> Encoded:
    return _event(to_client.presence_changed(presence))


def user_updated(user: Payload) -> Encoded:
    return _event(to_client.user_updated(user))


def session_expiring(expires_at: str) -> Encoded:
    return _event(to_client.session_expiring(expires_at=expires_at))


def session_ended(reason: EndReason) -> Encoded:
    return _event(to_client.session_ended(reason=reason))


def server_draining(reconnect_in_ms: int) -> Encoded:
    return _event(to_client.server_draining(reconnect_in_ms=reconnect_in_ms))


def _event(body: bytes) -> Encoded:
    """Make a Socket.IO EVENT packet of `["name", payload]`."""
    return Encoded(b"2" + body)
