"""Users who go on talking while something breaks, and the proof afterwards that nothing was lost, doubled or moved.

Each keeps a `Follower`; half of them write on their sockets, half by REST, every message again and again with the same
`client_message_id` until it is acked. `prove` compares what was acked, the history, and what every client holds.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from synctalk_testkit.clients import User, Users, new_name
from synctalk_testkit.eventually import eventually
from synctalk_testkit.follower import RETRY_S, Follower, follow, history

PAUSE_S = 0.25
"""Below five messages a second, which is a user's limit."""
CONVERGE_TIMEOUT_S = 30
PROGRESS_TIMEOUT_S = 60


class Talk:
    def __init__(self, members: list[User], followers: list[Follower], conversation_id: str) -> None:
        self.members = members
        self.followers = followers
        self.conversation_id = conversation_id
        self.acked: list[dict[str, Any]] = []
        self._over = asyncio.Event()
        self._writers = [
            asyncio.create_task(self._write_live(follower) if number % 2 == 0 else self._write_rest(member))
            for number, (member, follower) in enumerate(zip(members, followers, strict=True))
        ]

    async def go_on(self, messages: int = 12) -> None:
        """Wait until so many more messages were acked."""
        wanted = len(self.acked) + messages

        def enough() -> bool:
            self._raise_failures()
            return len(self.acked) >= wanted

        await eventually(enough, PROGRESS_TIMEOUT_S, message=f"the talk stopped at {len(self.acked)} messages")

    async def prove(self) -> None:
        """End the talk; every acked message is in the history once, and every client holds just that history."""
        self._over.set()
        await asyncio.wait_for(asyncio.gather(*self._writers), PROGRESS_TIMEOUT_S)
        messages = await history(self.members[0], self.conversation_id)
        assert [message["seq"] for message in messages] == list(range(1, len(messages) + 1))
        assert sorted(m["id"] for m in messages) == sorted(m["id"] for m in self.acked)
        for follower in self.followers:
            await eventually(
                lambda follower=follower: follower.states(self.conversation_id) == messages,  # type: ignore[misc]
                CONVERGE_TIMEOUT_S,
                message=f"{follower.bodies(self.conversation_id)} instead of {[m['body'] for m in messages]}",
            )
            assert follower.strict_faults == []

    async def end(self) -> None:
        for writer in self._writers:
            writer.cancel()
        await asyncio.gather(*self._writers, return_exceptions=True)

    async def _write_live(self, follower: Follower) -> None:
        while not await self._pause():
            name = new_name()
            self.acked.append(await follower.send(self.conversation_id, name, f"live {name}"))

    async def _write_rest(self, member: User) -> None:
        path = f"/v1/conversations/{self.conversation_id}/messages"
        while not await self._pause():
            body = {"client_message_id": new_name(), "body": "by REST"}
            while not await self._posted(member, path, body):
                pass

    async def _posted(self, member: User, path: str, body: dict[str, str]) -> bool:
        """Return whether it is acked; if nothing is known of it yet, after a moment."""
        try:
            answer = await member.request("POST", path, json=body)
        except (aiohttp.ClientError, TimeoutError, OSError):
            answer = None
        if answer is None or answer.code in ("unavailable", "rate_limited"):
            await asyncio.sleep(RETRY_S)
            return False
        assert answer.status in (200, 201), answer
        self.acked.append(answer.body)
        return True

    async def _pause(self) -> bool:
        """A moment; whether the talk is over."""
        try:
            await asyncio.wait_for(self._over.wait(), PAUSE_S)
        except TimeoutError:
            return False
        return True

    def _raise_failures(self) -> None:
        for writer in self._writers:
            if writer.done() and not self._over.is_set():
                writer.result()


@asynccontextmanager
async def talk_among(users: Users, count: int = 4) -> AsyncIterator[Talk]:
    """A talk that has begun, in one group, over the edge."""
    members = await users.register_all(*(f"P{number}" for number in range(count)))
    group = (await members[0].group_with(*members[1:]))["id"]
    followers = [await follow(member) for member in members]
    talk = Talk(members, followers, group)
    try:
        await talk.go_on()
        yield talk
    finally:
        await talk.end()
