"""Plays a case: the other users act by REST, the network is disturbed, and what the client knows is compared."""

import asyncio
from collections.abc import Sequence
from typing import Any

from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import User, Users, new_name
from synctalk_testkit.follower import history

from synctalk_conformance import cases
from synctalk_conformance.agent import Agent, AgentError
from synctalk_conformance.cases import CLIENT, Case
from synctalk_conformance.wire import Wire, wire_to

SETTLE_TIMEOUT_S = 60
SETTLE_EVERY_S = 0.1
TRIES = 20
FAR_AHEAD = 1_000_000


class Play:
    def __init__(self, case: Case, stack: RunningStack, users: Users, wire: Wire, command: Sequence[str]) -> None:
        self._case = case
        self._stack = stack
        self._users = users
        self._wire = wire
        self._command = command
        self._named: dict[str, User] = {}
        self._rooms: dict[str, str] = {}
        self._agent: Agent | None = None
        self._sending: list[asyncio.Future[dict[str, Any]]] = []
        self._was_removed: set[str] = set()

    async def run(self) -> None:
        """Raises AgentError where the client does not do what it must."""
        try:
            await self._set_up()
            for step in self._case.steps:
                await getattr(self, f"_{step.step}")(step)
            for answer in self._sending:
                await answer
            if waiting := self._wire.waiting:
                raise AgentError(f"this did not happen: {waiting}")
            self._check_events()
        finally:
            if self._agent is not None:
                await self._agent.stop()

    @property
    def agent(self) -> Agent:
        if self._agent is None:
            raise AgentError("the case has not started its client")
        return self._agent

    async def _set_up(self) -> None:
        names, guests = self._case.users, self._case.guests
        making = [self._users.guest(name) if name in guests else self._users.register(name) for name in names]
        self._named = dict(zip(names, await asyncio.gather(*making), strict=True))
        for room, members in self._case.rooms.items():
            owner, *others = (self._named[name] for name in members)
            self._rooms[room] = (await owner.group_with(*others, title=room))["id"]

    def _check_events(self) -> None:
        if self.agent.faults:
            raise AgentError("; ".join(self.agent.faults))
        seen = {item["event"] for item in self.agent.events} & set(self._case.never)
        if seen:
            raise AgentError(f"the client reported {sorted(seen)}")

    async def _start(self, step: cases.Start) -> None:
        self._agent = Agent(self._command)
        await self._agent.start()
        cursor = FAR_AHEAD if step.ahead else 0
        session = await self._named[CLIENT].login()
        self._session_id = session.session_id
        await self._agent.call(
            "start",
            url=self._wire.url,
            refresh_token=session.tokens["refresh_token"],
            cursors={room: cursor for name, room in self._rooms.items() if CLIENT in self._case.rooms[name]},
        )

    async def _stop(self, _: cases.Stop) -> None:
        self._check_events()
        await self.agent.stop()

    async def _says(self, step: cases.Says) -> None:
        for number in range(step.times):
            await self._say(step, _numbered(step.body, number, step.times))

    async def _say(self, step: cases.Says, body: str) -> None:
        """Write as one who keeps to the limit."""
        path = f"/v1/conversations/{self._rooms[step.room]}/messages"
        message = {"client_message_id": new_name(), "body": body}
        for _ in range(TRIES):
            answer = await self._named[step.user].request("POST", path, json=message)
            if answer.status != 429:
                break
            await asyncio.sleep(answer.body["error"]["retry_after"])
        assert answer.status == 201, answer

    async def _edits(self, step: cases.Changes) -> None:
        await self._named[step.user].patch(await self._path_of(step), {"body": step.to})

    async def _deletes(self, step: cases.Changes) -> None:
        await self._named[step.user].delete(await self._path_of(step))

    async def _reacts(self, step: cases.Changes) -> None:
        await self._named[step.user].put(f"{await self._path_of(step)}/reactions/{step.to}")

    async def _renames(self, step: cases.Renames) -> None:
        await self._named[step.user].patch(f"/v1/conversations/{self._rooms[step.room]}", {"title": step.to})

    async def _adds(self, step: cases.Membership) -> None:
        body = {"user_ids": [self._named[step.who].id]}
        await self._named[step.user].post(f"/v1/conversations/{self._rooms[step.room]}/members", body)

    async def _removes(self, step: cases.Membership) -> None:
        path = f"/v1/conversations/{self._rooms[step.room]}/members/{self._named[step.who].id}"
        await self._named[step.user].delete(path)
        if step.who == CLIENT:
            self._was_removed.add(step.room)

    async def _claims(self, step: cases.Claims) -> None:
        body = {"guest_refresh_token": self._named[step.guest].tokens["refresh_token"]}
        await self._named[step.user].post("/v1/auth/claim", body)

    async def _sends(self, step: cases.Sends) -> None:
        begun = []
        for number in range(step.times):
            body = _numbered(step.body, number, step.times)
            begun.append(await self.agent.begin("send", conversation_id=self._rooms[step.room], body=body))
        self._sending += begun
        if step.waits:
            for answer in await asyncio.gather(*begun):
                if "error" in answer:
                    raise AgentError(f"send: {answer['error']}")

    async def _disturbs(self, step: cases.Disturbs) -> None:
        self._wire.disturb(step.on, step.do, step.times)

    async def _cut(self, _: cases.Network) -> None:
        self._wire.cut()

    async def _mend(self, _: cases.Network) -> None:
        self._wire.mend()

    async def _kills(self, step: cases.Kills) -> None:
        for name in step.processes:
            pid = self._stack.kill(name)
            await asyncio.to_thread(self._stack.wait_running, name, other_than=pid)

    async def _ends_session(self, _: cases.LogsOut) -> None:
        other = await self._named[CLIENT].login()
        await other.delete(f"/v1/auth/sessions/{self._session_id}")

    async def _waits(self, step: cases.Waits) -> None:
        await self.agent.wait_for(step.event, step.reason)

    async def _settles(self, _: cases.Settles) -> None:
        for name, room in self._rooms.items():
            if name not in self._was_removed and await self._is_member(room):
                await self._settled(name, room)

    async def _sees(self, step: cases.Sees) -> None:
        state = await self.agent.call("state", conversation_id=self._rooms[step.room])
        bodies = [message["body"] for message in sorted(state["messages"], key=lambda message: message["seq"])]
        if bodies != step.bodies:
            raise AgentError(f"{step.room}: {bodies} instead of {step.bodies}")

    async def _settled(self, name: str, room: str) -> None:
        known: Any = None
        wanted: Any = None
        try:
            async with asyncio.timeout(SETTLE_TIMEOUT_S):
                while True:
                    wanted = await self._fresh(room)
                    state = await self.agent.call("state", conversation_id=room)
                    known = sorted(state["messages"], key=lambda message: message["seq"]), state["members"]
                    if known == wanted:
                        return
                    await asyncio.sleep(SETTLE_EVERY_S)
        except TimeoutError:
            raise AgentError(f"{name}: the client knows {known}, a fresh load is {wanted}") from None

    async def _fresh(self, room: str) -> tuple[list[dict[str, Any]], dict[str, str]]:
        user = self._named[CLIENT]
        messages = [essence(message) for message in await history(user, room)]
        members = (await user.get(f"/v1/conversations/{room}/members?limit=100"))["items"]
        return messages, {member["user"]["id"]: member["role"] for member in members}

    async def _is_member(self, room: str) -> bool:
        return (await self._named[CLIENT].request("GET", f"/v1/conversations/{room}")).status == 200

    async def _path_of(self, step: cases.Changes) -> str:
        room = self._rooms[step.room]
        found = [m for m in await history(self._named[step.user], room) if m["body"] == step.body]
        return f"/v1/conversations/{room}/messages/{found[0]['id']}"


def essence(message: dict[str, Any]) -> dict[str, Any]:
    """Return what is compared of a message."""
    fields = ("id", "seq", "change_seq", "sender_id", "body", "reactions")
    return {field: message[field] for field in fields} | {"deleted": message["deleted_at"] is not None}


def _numbered(body: str, number: int, times: int) -> str:
    return body if times == 1 else f"{body} {number + 1}"


async def play(case: Case, stack: RunningStack, users: Users, command: Sequence[str]) -> None:
    """Play one case with the client that this command starts."""
    async with wire_to(stack.url) as wire:
        await Play(case, stack, users, wire, command).run()
