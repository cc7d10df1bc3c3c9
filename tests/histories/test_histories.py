"""Histories: users do anything at random, at once, with lost connections between; all end with the same state.

Hypothesis draws what they do. In the end each user's copy, made of live events and `sync` alone, equals a fresh load,
and no socket received anything of a conversation that its user was no member of. `HISTORIES=5000` plays so many, drawn
anew; 200 that are always the same are the default. A failing history is printed as the steps that lead to it.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import User, Users, new_name, users_at
from synctalk_testkit.eventually import eventually
from synctalk_testkit.follower import Follower, follow, history

DEFAULT_HISTORIES = 200
HISTORIES = int(os.environ.get("HISTORIES", DEFAULT_HISTORIES))
STEPS = 20
CAST = 4
CASTS = 8
"""Casts take turns, so that no user reaches the limits of messages."""
SETTLED_S = 30
DETAILS = (
    *("type", "title", "description", "avatar_url", "visibility", "posting", "slow_mode_s", "archived_at"),
    *("pins_count", "metadata", "system_messages"),
)
"""What `conversation:updated` says; the rest follows from messages, members and receipts."""
ANSWERS = frozenset({200, 201, 204, 400, 403, 404, 409, 422, 429})


@dataclass(frozen=True)
class Step:
    """One user's call: `one` and `other` choose whom or what it is about."""

    what: str
    who: int
    one: int
    other: int


class World:
    """The running system, a loop to reach it from rules, and the casts."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self._ending = AsyncExitStack()
        self._url = url
        self._casts: list[list[User]] = []
        self._played = 0
        self.run(self._open())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    def next_cast(self) -> list[User]:
        self._played += 1
        return self._casts[self._played % CASTS]

    def close(self) -> None:
        self.run(self._ending.aclose())
        self._runner.close()

    async def _open(self) -> None:
        users: Users = await self._ending.enter_async_context(users_at(self._url))
        for _ in range(CASTS):
            self._casts.append(await users.register_all(*"ABCD"))


class Play:
    """One history: a group of three users, and a fourth who is outside at first."""

    def __init__(self, cast: list[User]) -> None:
        self.cast = cast
        self.followers: list[Follower] = []
        self.group = ""
        self.code = ""
        self.messages: list[dict[str, Any]] = []

    async def begin(self, *, system_messages: bool) -> None:
        self.followers = list(await asyncio.gather(*map(follow, self.cast)))
        owner, *others = self.cast
        body = {
            "type": "group",
            "title": "A group",
            "member_ids": [user.id for user in others[:2]],
            "system_messages": system_messages,
        }
        self.group = (await owner.post("/v1/conversations", body))["id"]
        self.code = (await owner.post(f"{self.path}/invites", {}))["code"]
        self.messages = [await owner.say(self.group, "the first")]

    @property
    def path(self) -> str:
        return f"/v1/conversations/{self.group}"

    async def perform(self, step: Step) -> None:
        """Make the call; it may be refused, but has to be answered."""
        if step.what in ON_SOCKETS:
            await self._emit(step)
            return
        method, path, body = REST[step.what](self, step)
        answer = await self.cast[step.who].request(method, path, json=body)
        assert answer.status in ANSWERS, f"{method} {path} {body}: {answer.status} {answer.body}"
        if step.what in SENDING and answer.status == 201:
            self.messages.append(answer.body)

    async def leave_network(self, who: int) -> None:
        if self.followers[who].client.connected:
            await self.followers[who].client.disconnect()

    async def come_back(self, who: int) -> None:
        if not self.followers[who].client.connected:
            await self.followers[who].connect(ready=False)

    async def end(self) -> None:
        """Come back, and wait until each user holds what a fresh load says."""
        await asyncio.gather(*map(self.come_back, range(CAST)))
        for user, follower in zip(self.cast, self.followers, strict=True):
            await self._settle(user, follower)
        for follower in self.followers:
            assert follower.strict_faults == []

    async def close(self) -> None:
        for user, follower in zip(self.cast, self.followers, strict=False):
            user.sockets.remove(follower)
            await follower.close()

    async def _emit(self, step: Step) -> None:
        follower = self.followers[step.who]
        if not follower.client.connected:
            return
        event, payload = ON_SOCKETS[step.what](self, step)
        ack = await follower.change(event, payload | {"conversation_id": self.group})
        if ack is not None and ack["ok"] and event == "message:send":
            self.messages.append(ack["message"])

    async def _settle(self, user: User, follower: Follower) -> None:
        answer = await user.request("GET", self.path)
        if answer.status == 404:
            await eventually(lambda: self.group not in follower.copies, SETTLED_S)
            return
        conversation = answer.body
        messages = await history(user, self.group)
        members = (await user.get(f"{self.path}/members?limit=100"))["items"]
        roles = {member["user"]["id"]: (member["role"], member["muted_until"]) for member in members}
        details = {key: conversation[key] for key in DETAILS}

        def same() -> bool:
            copy = follower.copies[self.group]
            assert follower.states(self.group) == messages
            assert copy.members == roles
            assert copy.conversation is not None
            assert {key: copy.conversation[key] for key in DETAILS} == details
            return True

        await eventually(same, SETTLED_S)
        _check_counts(user, conversation, messages)
        assert (conversation["role"], conversation["members_count"]) == (roles[user.id][0], len(roles))


def _check_counts(user: User, conversation: dict[str, Any], messages: list[dict[str, Any]]) -> None:
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
    assert conversation["last_seq"] == (messages[-1]["seq"] if messages else 0)


def _message(play: Play, step: Step) -> dict[str, Any]:
    return play.messages[step.one % len(play.messages)]


def _at(play: Play, step: Step) -> str:
    return f"{play.path}/messages/{_message(play, step)['id']}"


def _whom(play: Play, step: Step) -> User:
    return play.cast[step.other % CAST]


def _later() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


Call = tuple[str, str, dict[str, Any] | None]

BODIES = ("a line", "@all look", "[link](https://example.org)", "*bold*\nand more", "ok 👍")
EMOJI = ("👍", "🎉", "❤️")
ROLES = ("member", "moderator", "admin")
SETTINGS: tuple[dict[str, Any], ...] = (
    {"title": "Renamed"},
    {"description": "What it is about"},
    {"visibility": "public"},
    {"visibility": "private"},
    {"posting": "admins"},
    {"posting": "everyone"},
    {"system_messages": True},
    {"system_messages": False},
    {"metadata": {"ticket": 1}},
)


def _body(play: Play, step: Step) -> str:
    return f"{BODIES[step.other % len(BODIES)]} @{_whom(play, step).username}"


def _new(body: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"client_message_id": new_name()} | ({"body": body} if body is not None else {}) | fields


REST: dict[str, Callable[[Play, Step], Call]] = {
    "send": lambda p, s: ("POST", f"{p.path}/messages", _new(_body(p, s))),
    "answer": lambda p, s: ("POST", f"{p.path}/messages", _new(_body(p, s), reply_to=_message(p, s)["id"])),
    "reply in thread": lambda p, s: (
        *("POST", f"{p.path}/messages"),
        _new(_body(p, s), thread_id=_message(p, s)["id"], also_in_conversation=s.other % 4 == 0),
    ),
    "follow": lambda p, s: ("PUT", f"{_at(p, s)}/follow", None),
    "unfollow": lambda p, s: ("DELETE", f"{_at(p, s)}/follow", None),
    "read thread": lambda p, s: ("POST", f"{_at(p, s)}/read", {"seq": p.messages[-1]["seq"]}),
    "forward": lambda p, s: (
        *("POST", f"{p.path}/messages"),
        _new(forward={"conversation_id": p.group, "message_id": _message(p, s)["id"]}),
    ),
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
    "lift ban": lambda p, s: ("DELETE", f"{p.path}/bans/{_whom(p, s).id}", None),
    "mute": lambda p, s: ("PUT", f"{p.path}/members/{_whom(p, s).id}/mute", {"until": _later()}),
    "unmute": lambda p, s: ("DELETE", f"{p.path}/members/{_whom(p, s).id}/mute", None),
    "archive": lambda p, _: ("PUT", f"{p.path}/archive", None),
    "unarchive": lambda p, _: ("DELETE", f"{p.path}/archive", None),
    "join": lambda p, _: ("POST", f"{p.path}/join", None),
    "accept": lambda p, _: ("POST", f"/v1/invites/{p.code}/accept", None),
    "own state": lambda p, s: ("PATCH", f"{p.path}/me", {("pinned", "hidden")[s.one % 2]: s.other % 2 == 0}),
    "mark unread": lambda p, _: ("PATCH", f"{p.path}/me", {"unread": True}),
}
SENDING = frozenset({"send", "answer", "reply in thread", "forward"})

ON_SOCKETS: dict[str, Callable[[Play, Step], tuple[str, dict[str, Any]]]] = {
    "send live": lambda p, s: ("message:send", _new(_body(p, s))),
    "answer live": lambda p, s: ("message:send", _new(_body(p, s), reply_to=_message(p, s)["id"])),
    "reply in thread live": lambda p, s: ("message:send", _new(_body(p, s), thread_id=_message(p, s)["id"])),
    "edit live": lambda p, s: ("message:edit", {"message_id": _message(p, s)["id"], "body": _body(p, s)}),
    "delete live": lambda p, s: ("message:delete", {"message_id": _message(p, s)["id"]}),
    "react live": lambda p, s: ("reaction:add", {"message_id": _message(p, s)["id"], "emoji": EMOJI[s.other % 3]}),
    "read live": lambda p, s: ("receipt:read", {"seq": _message(p, s)["seq"]}),
    "deliver live": lambda p, s: ("receipt:delivered", {"seq": _message(p, s)["seq"]}),
    "type": lambda _p, _s: ("typing:start", {}),
}

OFTEN = ("send", "send live", "answer", "reply in thread", "edit", "react", "unarchive", "add", "accept")
steps = st.builds(
    Step,
    what=st.sampled_from([*REST, *ON_SOCKETS, *OFTEN, *OFTEN]),
    who=st.integers(0, CAST - 1),
    one=st.integers(0, 30),
    other=st.integers(0, 30),
)


@pytest.fixture
def world(shared_stack: RunningStack) -> Iterator[World]:
    world = World(shared_stack.url)
    yield world
    world.close()


@pytest.mark.timeout(30 * 60)
def test_histories__of_everything_at_random__end_with_the_same_state_for_all(world: World) -> None:
    class Histories(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.play = Play(world.next_cast())

        @initialize(system_messages=st.booleans())
        def begin(self, system_messages: bool) -> None:
            world.run(self.play.begin(system_messages=system_messages))

        @rule(step=steps)
        def one_calls(self, step: Step) -> None:
            world.run(self.play.perform(step))

        @rule(first=steps, second=steps, third=steps)
        def some_call_at_once(self, first: Step, second: Step, third: Step) -> None:
            async def all_of_them() -> None:
                await asyncio.gather(*map(self.play.perform, (first, second, third)))

            world.run(all_of_them())

        @rule(who=st.integers(0, CAST - 1))
        def one_loses_the_connection(self, who: int) -> None:
            world.run(self.play.leave_network(who))

        @rule(who=st.integers(0, CAST - 1))
        def one_comes_back(self, who: int) -> None:
            world.run(self.play.come_back(who))

        def teardown(self) -> None:
            try:
                world.run(self.play.end())
            finally:
                world.run(self.play.close())

    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            derandomize=HISTORIES == DEFAULT_HISTORIES,
            deadline=None,
            # The steps of a failure are made fewer only where somebody waits for it.
            phases=[Phase.generate] if HISTORIES == DEFAULT_HISTORIES else list(Phase),
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
