"""Write and read the messages on Redis channels: room batches, replies, presence and user events.

The writers are given JSON that exists already as `orjson.Fragment`, which is copied and not parsed again. The readers
check the outermost shape alone: only our own services publish there, from the same contracts, and a gateway reads every
event of every conversation that it has a socket of. What they return is typed by TypedDicts and may have fields of a
newer version.
"""

from collections.abc import Sequence
from typing import Any, Literal, NotRequired, TypedDict, final

import orjson

from synctalk_contracts.encoding.to_client import Rendered


class UnreadableError(ValueError):
    """The bytes are no message of the channel."""


@final
class RoomEventJson(TypedDict):
    event: str
    change_seq: int | None
    after: NotRequired[int]
    origin: str | None
    user_id: str
    payload: Any
    """The payload of the Socket.IO event, as `RoomEvent` says."""
    views: NotRequired[dict[str, dict[str, Any]] | None]
    hidden_from: NotRequired[Sequence[str] | None]


@final
class RoomBatchJson(TypedDict):
    conversation_id: str
    events: list[dict[str, Any]]
    """Each a `RoomEvent`."""


@final
class ProfileEventJson(TypedDict):
    event: str
    user: dict[str, Any]


@final
class UserEventJson(TypedDict):
    event: str
    conversation: dict[str, Any]


@final
class ContactsEventJson(TypedDict):
    event: Literal["contacts:changed"]


@final
class PresenceEventJson(TypedDict):
    shown: dict[str, Any]
    own: dict[str, Any]
    shown_changed: NotRequired[bool]
    last_seen_visible: NotRequired[str]
    last_seen_at: NotRequired[str | None]


@final
class ReplyJson(TypedDict):
    id: int
    result: dict[str, Any] | None
    error: dict[str, Any] | None


def room_event(
    event: str,
    user_id: str,
    payload: Rendered,
    *,
    change_seq: int | None = None,
    after: int | None = None,
    origin: str | None = None,
    views: dict[str, dict[str, Any]] | None = None,
    hidden_from: Sequence[str] | None = None,
) -> RoomEventJson:
    """Return a `RoomEvent` for `room_batch`."""
    built: RoomEventJson = {
        "event": event,
        "change_seq": change_seq,
        "origin": origin,
        "user_id": user_id,
        "payload": payload,
    }
    if after is not None:
        built["after"] = after
    if views is not None:
        built["views"] = views
    if hidden_from is not None:
        built["hidden_from"] = hidden_from
    return built


def room_batch(conversation_id: str, events: Sequence[RoomEventJson]) -> bytes:
    """Encode a `RoomBatch`."""
    return orjson.dumps({"conversation_id": conversation_id, "events": events})


def done(request_id: int, message: bytes | None = None, at: int | None = None) -> ReplyJson:
    """Return the `Reply` to a command that was carried out; `message` is the JSON of the message it concerned, `at`
    how far the text of a streamed one reaches."""
    result: dict[str, Any] = {} if message is None else {"message": orjson.Fragment(message)}
    if at is not None:
        result["at"] = at
    return {"id": request_id, "result": result, "error": None}


def refused(request_id: int, error: dict[str, Any]) -> ReplyJson:
    """Return the `Reply` to a command that was refused; `error` is the error body's `error`."""
    return {"id": request_id, "result": None, "error": error}


def reply_batch(replies: Sequence[ReplyJson]) -> bytes:
    """Encode a `ReplyBatch`."""
    return orjson.dumps({"replies": replies})


def presence_event(
    shown: bytes,
    own: bytes,
    *,
    shown_changed: bool = True,
    last_seen_visible: str = "everyone",
    last_seen_at: str | None = None,
) -> bytes:
    """Encode a `PresenceEvent` from the JSON of what others see and of what the user sees."""
    rest = {"shown_changed": shown_changed, "last_seen_visible": last_seen_visible, "last_seen_at": last_seen_at}
    return b'{"shown":' + shown + b',"own":' + own + b"," + orjson.dumps(rest)[1:]


def read_conversation(data: bytes) -> RoomBatchJson | ProfileEventJson:
    """Read a message of a conversation's channel: a batch has `events`, a profile event has `user`."""
    value = _read(data)
    if "events" not in value and "user" not in value:
        raise UnreadableError("must have events or user")
    return value  # type: ignore[no-any-return]


def read_user(data: bytes) -> UserEventJson | ProfileEventJson | ContactsEventJson:
    """Read a message of a user's channel: `conversation`, `user` or nothing, as `event` says."""
    value = _read(data)
    if "conversation" not in value and "user" not in value and value.get("event") != "contacts:changed":
        raise UnreadableError("must have conversation or user")
    return value  # type: ignore[no-any-return]


def read_presence(data: bytes) -> PresenceEventJson:
    """Read a message of a presence channel."""
    value = _read(data)
    if "shown" not in value or "own" not in value:
        raise UnreadableError("must have shown and own")
    return value  # type: ignore[no-any-return]


def read_replies(data: bytes) -> list[ReplyJson]:
    """Read the replies of a `ReplyBatch`."""
    value = _read(data)
    if "replies" not in value:
        raise UnreadableError("must have replies")
    return value["replies"]  # type: ignore[no-any-return]


def _read(data: bytes) -> Any:
    """Parse a JSON object."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise UnreadableError("not JSON") from error
    if type(value) is not dict:
        raise UnreadableError("not an object")
    return value
