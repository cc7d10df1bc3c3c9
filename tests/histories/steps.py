"""What users, and the host app's backend, may do in a history: each step is one call, which may be refused."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from hypothesis import strategies as st
from synctalk_testkit.clients import User, new_name

CAST = 4

Json = dict[str, Any]
Call = tuple[str, str, Json | None]


@dataclass(frozen=True)
class Step:
    """One call: `one` and `other` choose whom or what it is about."""

    what: str
    who: int
    one: int
    other: int


@dataclass
class Stream:
    """A message that is being streamed, and how far its text reaches."""

    writer: int
    message: Json
    at: int


class Place(Protocol):
    """What steps have to know of the history that they belong to."""

    cast: list[User]
    group: str
    name: str | None
    """The host app's name for the group, if it has made it."""
    code: str
    messages: list[Json]
    streams: list[Stream]

    @property
    def path(self) -> str: ...


BODIES = ("a line", "@all look", "[link](https://example.org)", "*bold*\nand more", "ok 👍")
EMOJI = ("👍", "🎉", "❤️")
ROLES = ("member", "moderator", "admin")
SETTINGS: tuple[Json, ...] = (
    {"title": "Renamed"},
    {"description": "What it is about"},
    {"visibility": "public"},
    {"visibility": "private"},
    {"posting": "admins"},
    {"posting": "everyone"},
    {"system_messages": True},
    {"system_messages": False},
    {"history": "since_joined"},
    {"history": "all"},
    {"slow_mode_s": 1},
    {"slow_mode_s": 0},
    {"metadata": {"ticket": 1}},
    {"title": "Renamed and described", "description": "Both"},
)


def _message(place: Place, step: Step) -> Json:
    return place.messages[step.one % len(place.messages)]


def _at(place: Place, step: Step) -> str:
    return f"{place.path}/messages/{_message(place, step)['id']}"


def _in_group(place: Place, step: Step) -> Json:
    return {"message_id": _message(place, step)["id"]}


def _whom(place: Place, step: Step) -> User:
    return place.cast[step.other % CAST]


def _later(step: Step) -> str:
    return (datetime.now(UTC) + timedelta(seconds=1 if step.one % 3 == 0 else 3_600)).isoformat()


def _body(place: Place, step: Step) -> str:
    return f"{BODIES[step.other % len(BODIES)]} @{_whom(place, step).username}"


def _new(body: str | None = None, **fields: Any) -> Json:
    return {"client_message_id": new_name()} | ({"body": body} if body is not None else {}) | fields


def _forward(place: Place, step: Step) -> Json:
    return _new(forward={"conversation_id": place.group, "message_id": _message(place, step)["id"]})


def _reply(place: Place, step: Step) -> Json:
    return _new(_body(place, step), thread_id=_message(place, step)["id"], also_in_conversation=step.other % 4 == 0)


def stream_of(place: Place, step: Step) -> Stream | None:
    """Return the stream that the step's user has begun last."""
    own = [stream for stream in place.streams if stream.writer == step.who]
    return own[-1] if own else None


def _begun(place: Place, step: Step) -> Json:
    inside = {"thread_id": _message(place, step)["id"]} if step.one % 3 == 0 else {}
    return _new("" if step.other % 2 else "Well, ", **inside)


def _more(stream: Stream, step: Step) -> Json:
    return {"at": max(0, stream.at - step.one % 2), "text": f"{'x' * (step.one % 2)}word {step.other} "}


REST: dict[str, Callable[[Place, Step], Call]] = {
    "send": lambda p, s: ("POST", f"{p.path}/messages", _new(_body(p, s))),
    "answer": lambda p, s: ("POST", f"{p.path}/messages", _new(_body(p, s), reply_to=_message(p, s)["id"])),
    "reply in thread": lambda p, s: ("POST", f"{p.path}/messages", _reply(p, s)),
    "follow": lambda p, s: ("PUT", f"{_at(p, s)}/follow", None),
    "unfollow": lambda p, s: ("DELETE", f"{_at(p, s)}/follow", None),
    "read thread": lambda p, s: ("POST", f"{_at(p, s)}/read", {"seq": p.messages[-1]["seq"]}),
    "forward": lambda p, s: ("POST", f"{p.path}/messages", _forward(p, s)),
    "edit": lambda p, s: ("PATCH", _at(p, s), {"body": _body(p, s)}),
    "delete": lambda p, s: ("DELETE", _at(p, s), None),
    "react": lambda p, s: ("PUT", f"{_at(p, s)}/reactions/{EMOJI[s.other % 3]}", None),
    "unreact": lambda p, s: ("DELETE", f"{_at(p, s)}/reactions/{EMOJI[s.other % 3]}", None),
    "pin": lambda p, s: ("PUT", f"{_at(p, s)}/pin", None),
    "unpin": lambda p, s: ("DELETE", f"{_at(p, s)}/pin", None),
    "read": lambda p, s: ("POST", f"{p.path}/read", {"seq": _message(p, s)["seq"]}),
    "report": lambda p, s: ("POST", f"{_at(p, s)}/report", {"reason": "spam"}),
    "set": lambda p, s: ("PATCH", p.path, SETTINGS[s.one % len(SETTINGS)]),
    "add": lambda p, s: ("POST", f"{p.path}/members", {"user_ids": [_whom(p, s).id]}),
    "remove": lambda p, s: ("DELETE", f"{p.path}/members/{_whom(p, s).id}", None),
    "leave": lambda p, s: ("DELETE", f"{p.path}/members/{p.cast[s.who].id}", None),
    "set role": lambda p, s: ("PATCH", f"{p.path}/members/{_whom(p, s).id}", {"role": ROLES[s.one % 3]}),
    "hand on": lambda p, s: ("PATCH", f"{p.path}/members/{_whom(p, s).id}", {"role": "owner"}),
    "ban": lambda p, s: ("PUT", f"{p.path}/bans/{_whom(p, s).id}", {"reason": "rude"}),
    "ban for a while": lambda p, s: ("PUT", f"{p.path}/bans/{_whom(p, s).id}", {"until": _later(s)}),
    "lift ban": lambda p, s: ("DELETE", f"{p.path}/bans/{_whom(p, s).id}", None),
    "mute": lambda p, s: ("PUT", f"{p.path}/members/{_whom(p, s).id}/mute", {"until": _later(s)}),
    "unmute": lambda p, s: ("DELETE", f"{p.path}/members/{_whom(p, s).id}/mute", None),
    "archive": lambda p, _: ("PUT", f"{p.path}/archive", None),
    "unarchive": lambda p, _: ("DELETE", f"{p.path}/archive", None),
    "join": lambda p, _: ("POST", f"{p.path}/join", None),
    "invite": lambda p, s: ("POST", f"{p.path}/invites", {"max_uses": 1 + s.one % 2}),
    "accept": lambda p, _: ("POST", f"/v1/invites/{p.code}/accept", None),
    "block": lambda p, s: ("PUT", f"/v1/users/me/blocks/{_whom(p, s).id}", None),
    "unblock": lambda p, s: ("DELETE", f"/v1/users/me/blocks/{_whom(p, s).id}", None),
    "own state": lambda p, s: ("PATCH", f"{p.path}/me", {("pinned", "hidden")[s.one % 2]: s.other % 2 == 0}),
    "mark unread": lambda p, _: ("PATCH", f"{p.path}/me", {"unread": True}),
    "delete group": lambda p, s: ("DELETE", p.path if s.one > 27 else f"{p.path}/archive", None),
}
STREAMING_BY_REST: dict[str, Callable[[Place, Step, Stream], Call]] = {
    "append": lambda p, s, t: ("PATCH", f"{p.path}/messages/{t.message['id']}/stream", _more(t, s)),
    "end": lambda p, _, t: ("POST", f"{p.path}/messages/{t.message['id']}/stream/end", {}),
}
BY_HOST: dict[str, Callable[[Place, Step], Call]] = {
    "host sends": lambda p, s: ("POST", _by_host(p), _said(p, s, _body(p, s))),
    "host says": lambda p, s: ("POST", _by_host(p), _new("Closed.", system={"type": "custom", "n": s.one})),
    "host whispers": lambda p, s: ("POST", _by_host(p), _said(p, s, "is looking", ephemeral=True)),
    "host sends many": lambda p, s: (
        *("POST", _by_host(p)),
        {"messages": [_said(p, s, f"{n}", silent=True) for n in range(3)]},
    ),
    "host edits": lambda p, s: ("PATCH", _at(p, s), {"body": _body(p, s)}),
    "host deletes": lambda p, s: ("DELETE", _at(p, s), None),
    "host sets": lambda p, s: (
        *("PUT", _named(p)),
        {"type": "group", "title": f"Ticket {s.one % 3}", "history": ("all", "since_joined")[s.other % 2]},
    ),
    "host adds": lambda p, s: ("POST", f"{_named(p)}/members/{_whom(p, s).id}", None),
    "host removes": lambda p, s: ("DELETE", f"{_named(p)}/members/{_whom(p, s).id}", None),
    "host gives members": lambda p, s: (
        *("PUT", _named(p)),
        {"type": "group", "member_ids": [user.id for n, user in enumerate(p.cast) if n != s.one % CAST]},
    ),
}


def _by_host(place: Place) -> str:
    return f"/v1/server/conversations/{place.group}/messages"


def _named(place: Place) -> str:
    return f"/v1/server/conversations/{place.name or 'of-nobody/at-all/here'}"


def _said(place: Place, step: Step, body: str, **fields: Any) -> Json:
    return {"sender": _whom(place, step).id} | _new(body, **fields)


ON_SOCKETS: dict[str, Callable[[Place, Step], tuple[str, Json]]] = {
    "send live": lambda p, s: ("message:send", _new(_body(p, s))),
    "answer live": lambda p, s: ("message:send", _new(_body(p, s), reply_to=_message(p, s)["id"])),
    "reply in thread live": lambda p, s: ("message:send", _reply(p, s)),
    "forward live": lambda p, s: ("message:send", _forward(p, s)),
    "edit live": lambda p, s: ("message:edit", _in_group(p, s) | {"body": _body(p, s)}),
    "delete live": lambda p, s: ("message:delete", _in_group(p, s)),
    "react live": lambda p, s: ("reaction:add", _in_group(p, s) | {"emoji": EMOJI[s.other % 3]}),
    "unreact live": lambda p, s: ("reaction:remove", _in_group(p, s) | {"emoji": EMOJI[s.other % 3]}),
    "read live": lambda p, s: ("receipt:read", {"seq": _message(p, s)["seq"]}),
    "deliver live": lambda p, s: ("receipt:delivered", {"seq": _message(p, s)["seq"]}),
    "read thread live": lambda p, s: ("thread:read", {"thread_id": _message(p, s)["id"], "seq": s.other}),
    "type": lambda _p, _s: ("typing:start", {}),
    "stop typing": lambda _p, _s: ("typing:stop", {}),
}
STREAMING: dict[str, Callable[[Step, Stream], tuple[str, Json]]] = {
    "append live": lambda s, t: ("message:stream:append", {"message_id": t.message["id"]} | _more(t, s)),
    "end live": lambda _, t: ("message:stream:end", {"message_id": t.message["id"]}),
}
"""Of one's latest stream; where there is none it begins."""


def begin_live(place: Place, step: Step) -> tuple[str, Json]:
    return "message:stream:start", _begun(place, step)


def begin_by_rest(place: Place, step: Step) -> Call:
    return "POST", f"{place.path}/messages/stream", _begun(place, step)


OFTEN = ("send", "send live", "answer", "reply in thread", "edit", "react", "unarchive", "add", "accept", "append live")
steps = st.builds(
    Step,
    what=st.sampled_from([*REST, *ON_SOCKETS, *STREAMING, *STREAMING_BY_REST, *BY_HOST, *OFTEN, *OFTEN]),
    who=st.integers(0, CAST - 1),
    one=st.integers(0, 30),
    other=st.integers(0, 30),
)
