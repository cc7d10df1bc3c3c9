"""One history: a group of three users and a fourth who is outside at first, and what holds at its end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from synctalk_testkit.clients import User, Users, new_name
from synctalk_testkit.eventually import eventually
from synctalk_testkit.follower import DETAILS, Follower, follow, history
from synctalk_testkit.http import Response, request

from tests.histories.steps import (
    BY_HOST,
    CAST,
    ON_SOCKETS,
    REST,
    STREAMING,
    STREAMING_BY_REST,
    Json,
    Step,
    Stream,
    begin_by_rest,
    begin_live,
    stream_of,
)

SETTLED_S = 30
ANSWERS = frozenset({200, 201, 204, 400, 403, 404, 409, 422, 429, 503})
"""503: with so much at once on a small machine something may not answer in time."""
SEEN = (*DETAILS, "pins_count")


@dataclass(frozen=True)
class Host:
    """The host app's backend, with a server key."""

    users: Users
    key: str

    async def request(self, method: str, path: str, body: Any) -> Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        return await request(self.users.http, method, self.users.base_url + path, json=body, headers=headers)


@dataclass
class Cast:
    """Four users and their live sockets, which play one history after the other."""

    users: list[User]
    host: Host
    followers: list[Follower] = field(default_factory=list)

    async def connect(self) -> None:
        """Have live sockets that know nothing of what was before."""
        if not self.followers:
            self.followers = list(await asyncio.gather(*map(follow, self.users)))
        for follower in self.followers:
            follower.events.clear()
            follower.strict_faults.clear()

    async def part(self) -> None:
        """Let go of sockets whose history has failed."""
        for user, follower in zip(self.users, self.followers, strict=True):
            user.sockets.remove(follower)
            await follower.close()
        self.followers = []


@dataclass(frozen=True)
class Beginning:
    """What the group is at first."""

    by_host: bool
    system_messages: bool
    since_joined: bool


class Play:
    def __init__(self, acting: Cast) -> None:
        self.acting = acting
        self.cast = acting.users
        self.group = ""
        self.name: str | None = None
        self.code = ""
        self.messages: list[Json] = []
        self.streams: list[Stream] = []
        self._blocked: set[tuple[int, str]] = set()

    @property
    def path(self) -> str:
        return f"/v1/conversations/{self.group}"

    async def begin(self, beginning: Beginning) -> None:
        await self.acting.connect()
        owner, *others = self.cast
        body: Json = {
            "type": "group",
            "title": "A group",
            "system_messages": beginning.system_messages,
            "history": "since_joined" if beginning.since_joined else "all",
        }
        if beginning.by_host:
            self.name = new_name()
            body |= {"member_ids": [user.id for user in self.cast[:3]]}
            path = f"/v1/server/conversations/{self.name}"
            self.group = (await _done(partial(self.acting.host.request, "PUT", path, body)))["id"]
        else:
            body |= {"member_ids": [user.id for user in others[:2]]}
            self.group = (await _done(partial(owner.request, "POST", "/v1/conversations", json=body)))["id"]
        self.code = (await _done(partial(owner.request, "POST", f"{self.path}/invites", json={})))["code"]
        first = {"client_message_id": new_name(), "body": "the first"}
        self.messages = [await _done(partial(owner.request, "POST", f"{self.path}/messages", json=first))]

    async def perform(self, step: Step) -> None:
        """Make the call; it may be refused, but has to be answered."""
        if step.what in BY_HOST:
            await self._call_as_host(step)
        elif step.what in ON_SOCKETS or step.what in STREAMING:
            await self._emit(step)
        else:
            await self._call(step)

    async def leave_network(self, who: int) -> None:
        if self.acting.followers[who].connected:
            await self.acting.followers[who].leave()

    async def come_back(self, who: int) -> None:
        await eventually(self.acting.followers[who].back, SETTLED_S)

    async def end(self) -> None:
        """Come back, and wait until each user holds what a fresh load says; then delete the group."""
        await asyncio.gather(*map(self.come_back, range(CAST)))
        for who, user_id in self._blocked:
            await _done(partial(self.cast[who].request, "DELETE", f"/v1/users/me/blocks/{user_id}"))
        for stream in self.streams:
            path = f"{self.path}/messages/{stream.message['id']}/stream/end"
            answer = await self.cast[stream.writer].request("POST", path, json={})
            assert answer.status in ANSWERS, answer
        for user, follower in zip(self.cast, self.acting.followers, strict=True):
            await self._settle(user, follower)
        await self._delete()
        for follower in self.acting.followers:
            assert follower.strict_faults == [], follower.strict_faults

    # ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _call(self, step: Step) -> None:
        stream = stream_of(self, step)
        if step.what not in STREAMING_BY_REST:
            method, path, body = REST[step.what](self, step)
        elif stream is None:
            method, path, body = begin_by_rest(self, step)
        else:
            method, path, body = STREAMING_BY_REST[step.what](self, step, stream)
        answer = await self.cast[step.who].request(method, path, json=body)
        assert answer.status in ANSWERS, f"{method} {path} {body}: {answer.status} {answer.body}"
        if answer.status >= 300:
            return
        if step.what in ("block", "unblock"):
            self._blocked.add((step.who, path.rpartition("/")[2]))
        elif step.what == "invite":
            self.code = answer.body["code"]
        elif step.what == "append" and stream is not None:
            stream.at = answer.body["at"]
        elif step.what == "end" and stream in self.streams:
            self.streams.remove(stream)
        elif answer.status == 201:
            self._note(step, answer.body)

    async def _call_as_host(self, step: Step) -> None:
        method, path, body = BY_HOST[step.what](self, step)
        answer = await self.acting.host.request(method, path, body)
        assert answer.status in ANSWERS, f"{method} {path} {body}: {answer.status} {answer.body}"
        if method == "POST" and path.endswith("/messages") and answer.status == 201:
            self.messages.append(answer.body)

    async def _emit(self, step: Step) -> None:
        follower, stream = self.acting.followers[step.who], stream_of(self, step)
        if not follower.connected:
            return
        if step.what in ON_SOCKETS:
            event, payload = ON_SOCKETS[step.what](self, step)
        else:
            event, payload = begin_live(self, step) if stream is None else STREAMING[step.what](step, stream)
        ack = await follower.change(event, payload | {"conversation_id": self.group})
        if ack is None or not ack["ok"]:
            return
        if event in ("message:send", "message:stream:start"):
            self._note(step, ack["message"])
        elif event == "message:stream:append" and stream is not None:
            stream.at = ack["at"]
        elif event == "message:stream:end" and stream in self.streams:
            self.streams.remove(stream)

    def _note(self, step: Step, message: Json) -> None:
        self.messages.append(message)
        if message["streaming"]:
            self.streams.append(Stream(step.who, message, len(message["body"])))

    # ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _settle(self, user: User, follower: Follower) -> None:
        conversation = await self._seen_by(user)
        if conversation is None:
            await eventually(partial(self._is_gone, follower), SETTLED_S)
            return
        messages = await history(user, self.group)
        members = (await user.get(f"{self.path}/members?limit=100"))["items"]
        roles = {member["user"]["id"]: (member["role"], member["muted_until"]) for member in members}
        details = {key: conversation[key] for key in SEEN}

        def same() -> bool:
            assert self.group in follower.copies
            copy = follower.copies[self.group]
            assert not (wrong := _differences(follower.states(self.group), messages)), wrong
            assert copy.members == roles, (copy.members, roles)
            assert copy.conversation is not None
            copied = {key: copy.conversation[key] for key in SEEN}
            assert copied == details, (copied, details)
            return True

        try:
            await eventually(same, SETTLED_S)
        except AssertionError as error:
            error.add_note(follower.describe(self.group))
            raise
        _check_counts(user, conversation, messages)
        _check_threads(conversation, messages)
        assert (conversation["role"], conversation["members_count"]) == (roles[user.id][0], len(roles))

    async def _seen_by(self, user: User) -> Json | None:
        """Return the group as the user sees it; None: the user is no member."""

        async def answered() -> Response | None:
            answer = await user.request("GET", self.path)
            return answer if answer.status in (200, 404) else None

        answer = await eventually(answered, SETTLED_S)
        return answer.body if answer is not None and answer.status == 200 else None

    def _is_gone(self, follower: Follower) -> bool:
        return self.group not in follower.copies

    async def _delete(self) -> None:
        for user in self.cast:
            conversation = await self._seen_by(user)
            if conversation is not None and conversation["role"] == "owner":
                await _done(partial(user.request, "DELETE", self.path))
                break
        for follower in self.acting.followers:
            await eventually(partial(self._is_gone, follower), SETTLED_S)


async def _done(call: Callable[[], Awaitable[Response]]) -> Any:
    """Make the call until it is done, as clients do where something does not answer; return what it answers."""

    async def done() -> Response | None:
        answer = await call()
        assert answer.status < 300 or answer.status in (429, 503), answer
        return answer if answer.status < 300 else None

    answer = await eventually(done, SETTLED_S)
    return None if answer is None else answer.body


def _differences(copies: list[Json], messages: list[Json]) -> list[str]:
    """Return by message and field what a copy says, and what a fresh load."""
    mine, theirs = ({each["id"]: _settled(each) for each in some} for some in (copies, messages))
    wrong = [f"{key}: copied {mine.get(key)}, loaded {theirs.get(key)}" for key in mine.keys() ^ theirs.keys()]
    for key in mine.keys() & theirs.keys():
        names = [name for name in theirs[key] if mine[key][name] != theirs[key][name]]
        wrong += [f"{key} {name}: copied {mine[key][name]}, loaded {theirs[key][name]}" for name in names]
    return wrong


def _settled(message: Json) -> Json:
    """Return the message without the text of a stream that its writer, who has left, could not end."""
    return message | ({"body": ""} if message["streaming"] else {})


def _check_counts(user: User, conversation: Json, messages: list[Json]) -> None:
    """Hold the numbers of a fresh load against its messages."""
    unread = [
        message
        for message in messages
        if message["seq"] > conversation["read_seq"]
        and (message["thread_id"] is None or message["also_in_conversation"])
        and message["sender_id"] != user.id
        and message["deleted_at"] is None
        and message["system"] is None
    ]
    mentions = [message for message in unread if message["mention_all"] or user.id in message["mentions"]]
    assert conversation["unread_count"] == len(unread)
    assert conversation["me"]["mention_count"] == len(mentions)
    assert conversation["me"]["first_unread_seq"] == (unread[0]["seq"] if unread else None)
    assert conversation["pins_count"] == sum(message["pinned_at"] is not None for message in messages)
    if conversation["history"] == "all":
        assert conversation["last_seq"] == (messages[-1]["seq"] if messages else 0)


def _check_threads(conversation: Json, messages: list[Json]) -> None:
    """Hold what root messages say of their threads against the replies."""
    for root in messages:
        replies = [each for each in messages if each["thread_id"] == root["id"] and each["deleted_at"] is None]
        if not replies:
            assert root["thread"] is None
            continue
        assert root["thread"] == {
            "reply_count": len(replies),
            "last_reply_at": replies[-1]["created_at"],
            "last_seq": replies[-1]["seq"],
            "participant_ids": list(dict.fromkeys(each["sender_id"] for each in replies))[:5],
        }
