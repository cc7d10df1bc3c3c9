"""A client as the interface describes one: it applies what comes live, and syncs when it is asked to or sees a gap.

`Follower` never loads more than that, so what it holds in the end shows whether live delivery and sync together miss
or double anything. `strict_faults` names what a client must never see.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import socketio

from synctalk_testkit.clients import LiveSocket, User

CHANGES = frozenset({"message:new", "message:updated", "message:deleted", "conversation:updated", "member:changed"})
MESSAGES = frozenset({"message:new", "message:updated", "message:deleted"})
RETRY_S = 0.3
CALL_TIMEOUT_S = 8


@dataclass
class Copy:
    """A copy of one conversation, as far as it is known."""

    cursor: int = 0
    """Everything up to here is known."""
    ahead: set[int] = field(default_factory=set)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)

    def saw(self, change_seq: int) -> None:
        if change_seq > self.cursor:
            self.ahead.add(change_seq)
        self._advance()

    def reached(self, change_seq: int) -> None:
        self.cursor = max(self.cursor, change_seq)
        self._advance()

    def put(self, message: dict[str, Any]) -> None:
        known = self.messages.get(message["id"])
        if known is None or message["change_seq"] > known["change_seq"]:
            self.messages[message["id"]] = message

    def _advance(self) -> None:
        while self.cursor + 1 in self.ahead:
            self.cursor += 1
        self.ahead = {number for number in self.ahead if number > self.cursor}


@dataclass
class Follower(LiveSocket):
    """A live socket that keeps its conversations up to date, through whatever happens."""

    copies: dict[str, Copy] = field(default_factory=lambda: defaultdict(Copy))
    strict_faults: list[str] = field(default_factory=list)
    """Repeated or overtaking live changes on one connection."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._last: dict[str, int] = {}
        self._pending: dict[str, int] = defaultdict(int)
        self._stale: set[str] = set()
        self._wake = asyncio.Event()
        self._syncer = asyncio.create_task(self._keep_synced())

    def bodies(self, conversation_id: str) -> list[str]:
        """The bodies of its copy, in the order of `seq`."""
        messages = self.copies[conversation_id].messages.values()
        return [message["body"] for message in sorted(messages, key=lambda message: message["seq"])]

    def states(self, conversation_id: str) -> list[dict[str, Any]]:
        """The messages of its copy, in the order of `seq`."""
        return sorted(self.copies[conversation_id].messages.values(), key=lambda message: message["seq"])

    async def send(self, conversation_id: str, client_message_id: str, body: str) -> dict[str, Any]:
        """`message:send`, again and again with the same id until it is acked; the message."""
        payload = {"conversation_id": conversation_id, "client_message_id": client_message_id, "body": body}
        while True:
            self._pending[conversation_id] += 1
            try:
                ack = await self.call("message:send", payload, timeout=CALL_TIMEOUT_S)
            except (socketio.exceptions.SocketIOError, OSError):
                ack = None
            finally:
                self._pending[conversation_id] -= 1
                self._wake.set()
            if ack is not None and ack["ok"]:
                self._take(conversation_id, ack["message"])
                message: dict[str, Any] = ack["message"]
                return message
            if ack is not None and ack["error"]["code"] not in ("unavailable", "rate_limited"):
                raise AssertionError(f"refused: {ack}")
            await asyncio.sleep(RETRY_S if ack is None else ack["error"].get("retry_after", RETRY_S))

    async def close(self) -> None:
        # Python 3.11's `wait_for` may lose a cancellation that comes together with the answer.
        while not self._syncer.done():
            self._syncer.cancel()
            await asyncio.wait({self._syncer}, timeout=1)
        await super().close()

    async def _on_any(self, event: str, *payload: Any) -> None:
        data: Any = payload[0] if payload else None
        if event == "ready":
            self._on_ready(data)
        elif event in CHANGES:
            self._on_change(event, data)
        elif event == "conversation:new":
            self._stale.add(data["id"])
        elif event == "conversation:removed":
            self.copies.pop(data["id"], None)
        elif event == "sync:required":
            self._stale.update(data["conversation_ids"] or self.copies)
        self._wake.set()
        await super()._on_any(event, *payload)

    def _on_ready(self, ready: dict[str, Any]) -> None:
        self._last.clear()
        for conversation in ready["conversations"]:
            if self.copies[conversation["id"]].cursor < conversation["change_seq"]:
                self._stale.add(conversation["id"])

    def _on_change(self, event: str, data: dict[str, Any]) -> None:
        conversation_id = data["conversation_id"] if event != "conversation:updated" else data["id"]
        number = data["change_seq"]
        last = self._last.get(conversation_id, 0)
        if number <= last:
            self.strict_faults.append(f"{event} {number} of {conversation_id} came after {last}")
        self._last[conversation_id] = max(last, number)
        if event in MESSAGES:
            self._take(conversation_id, data)
        else:
            self.copies[conversation_id].saw(number)

    def _take(self, conversation_id: str, message: dict[str, Any]) -> None:
        copy = self.copies[conversation_id]
        copy.put(message)
        copy.saw(message["change_seq"])
        self._wake.set()

    async def _keep_synced(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            gaps = {key for key, copy in self.copies.items() if copy.ahead and not self._pending[key]}
            for conversation_id in gaps | self._stale:
                self._stale.discard(conversation_id)
                if not await self._sync(conversation_id):
                    self._stale.add(conversation_id)
                    await asyncio.sleep(RETRY_S)
                    self._wake.set()

    async def _sync(self, conversation_id: str) -> bool:
        while True:
            try:
                cursors = {conversation_id: self.copies[conversation_id].cursor}
                ack = await self.call("sync", {"cursors": cursors}, timeout=CALL_TIMEOUT_S)
            except (socketio.exceptions.SocketIOError, OSError):
                return False
            if not ack["ok"]:
                return False
            answer = ack["conversations"][conversation_id]
            if "messages" not in answer:
                raise AssertionError(f"a follower is not meant to fall so far behind: {answer}")
            for message in answer["messages"]:
                self.copies[conversation_id].put(message)
            self.copies[conversation_id].reached(answer["change_seq"])
            if not answer["more"]:
                return True


async def follow(user: User) -> Follower:
    """A follower of all the user's conversations, ready; closed with the user."""
    follower = Follower(user.base_url, user.access_token)
    user.sockets.append(follower)
    await follower.connect()
    return follower


async def history(user: User, conversation_id: str) -> list[dict[str, Any]]:
    """Return all messages of the conversation, page by page."""
    messages: list[dict[str, Any]] = []
    while True:
        after = messages[-1]["seq"] if messages else 0
        path = f"/v1/conversations/{conversation_id}/messages?after_seq={after}&limit=100"
        page = (await user.get(path))["items"]
        if not page:
            return messages
        messages += page
