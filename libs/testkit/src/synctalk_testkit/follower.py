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
INSIDE = CHANGES | {"typing", "receipt:updated", "change:hidden", "thread:changed", "thread:updated"}
"""What only members of a conversation receive."""

RETRY_S = 0.3
CALL_TIMEOUT_S = 8


@dataclass
class Copy:
    """A copy of one conversation, as far as it is known."""

    cursor: int = 0
    """Everything up to here is known."""
    ahead: set[int] = field(default_factory=set)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    roles: dict[str, tuple[int, str | None, str | None]] = field(default_factory=dict)
    """By user: `change_seq`, role (None: gone), `muted_until`."""
    conversation: dict[str, Any] | None = None
    replied: dict[str, int] = field(default_factory=dict)
    """By root message the `change_seq` of a reply that came, or went, after what is known of the root."""

    @property
    def members(self) -> dict[str, tuple[str | None, str | None]]:
        """Return role and `muted_until` of those who are members, as far as they are known."""
        return {user_id: (role, muted) for user_id, (_, role, muted) in self.roles.items() if role is not None}

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
        self._forget_replied(message["id"])

    def put_reply(self, message: dict[str, Any]) -> None:
        """Put a message that is new or deleted: where it is a reply, its root message has changed with it."""
        self.put(message)
        if message["thread_id"] is not None:
            known = self.replied.get(message["thread_id"], 0)
            self.replied[message["thread_id"]] = max(known, message["change_seq"])
            self._forget_replied(message["thread_id"])

    def put_thread(self, changed: dict[str, Any]) -> None:
        root = self.messages.get(changed["thread_id"])
        if root is not None and changed["change_seq"] >= root["change_seq"]:
            known = {"thread": changed["thread"], "change_seq": changed["change_seq"]}
            self.messages[changed["thread_id"]] = root | known
            self._forget_replied(changed["thread_id"])

    def _forget_replied(self, root_id: str) -> None:
        root = self.messages.get(root_id)
        if root is None or root["change_seq"] >= self.replied.get(root_id, 0):
            self.replied.pop(root_id, None)

    def go_back(self) -> None:
        """Go back to before the replies whose roots are not known as they are, so that `sync` gives both."""
        if self.replied:
            self.cursor = min(self.cursor, min(self.replied.values()) - 1)
            self.replied.clear()

    def put_member(self, user_id: str, member: dict[str, Any]) -> None:
        if member["change_seq"] > self.roles.get(user_id, (0,))[0]:
            self.roles[user_id] = (member["change_seq"], member["role"], member["muted_until"])

    def put_conversation(self, conversation: dict[str, Any]) -> None:
        if self.conversation is None or conversation["change_seq"] >= self.conversation["change_seq"]:
            self.conversation = conversation

    def _advance(self) -> None:
        while self.cursor + 1 in self.ahead:
            self.cursor += 1
        self.ahead = {number for number in self.ahead if number > self.cursor}


@dataclass
class Follower(LiveSocket):
    """A live socket that keeps its conversations up to date, through whatever happens."""

    copies: dict[str, Copy] = field(default_factory=lambda: defaultdict(Copy))
    strict_faults: list[str] = field(default_factory=list)
    """Repeated or overtaking live changes on one connection, and events of conversations that one is no member of."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._last: dict[str, int] = {}
        self._inside: set[str] = set()
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
            ack = await self.change("message:send", payload)
            if ack is not None and ack["ok"]:
                message: dict[str, Any] = ack["message"]
                return message
            if ack is not None and ack["error"]["code"] not in ("unavailable", "rate_limited"):
                raise AssertionError(f"refused: {ack}")
            await asyncio.sleep(RETRY_S if ack is None else ack["error"].get("retry_after", RETRY_S))

    async def change(self, event: str, payload: dict[str, Any]) -> Any:
        """Send an event that may change its conversation, and take in what the ack says; the ack, None without one."""
        conversation_id = payload["conversation_id"]
        self._pending[conversation_id] += 1
        try:
            ack = await self.call(event, payload, timeout=CALL_TIMEOUT_S)
        except (socketio.exceptions.SocketIOError, OSError):
            return None
        finally:
            self._pending[conversation_id] -= 1
            self._wake.set()
        if ack["ok"] and "message" in ack:
            self._take(conversation_id, ack["message"], event)
        return ack

    async def close(self) -> None:
        # Python 3.11's `wait_for` may lose a cancellation that comes together with the answer.
        while not self._syncer.done():
            self._syncer.cancel()
            await asyncio.wait({self._syncer}, timeout=1)
        await super().close()

    async def _on_any(self, event: str, *payload: Any) -> None:
        data: Any = payload[0] if payload else None
        self._check_inside(event, data)
        if event == "ready":
            self._on_ready(data)
        elif event in CHANGES:
            self._on_change(event, data)
        elif event == "conversation:new":
            self._inside.add(data["id"])
            self.copies[data["id"]].put_conversation(data)
            self._stale.add(data["id"])
        elif event == "conversation:removed":
            self._inside.discard(data["id"])
            self._last.pop(data["id"], None)
            self.copies.pop(data["id"], None)
        elif event == "thread:changed":
            self.copies[data["conversation_id"]].put_thread(data)
        elif event == "change:hidden":
            self._saw(event, data["conversation_id"], data["change_seq"])
        elif event == "sync:required":
            self._stale.update(data["conversation_ids"] or self.copies)
        self._wake.set()
        await super()._on_any(event, *payload)

    def _on_ready(self, ready: dict[str, Any]) -> None:
        self._last.clear()
        self._inside = {conversation["id"] for conversation in ready["conversations"]}
        self._stale.update(self.copies.keys() - self._inside)
        for copy in self.copies.values():
            copy.go_back()
        for conversation in ready["conversations"]:
            if self.copies[conversation["id"]].cursor < conversation["change_seq"]:
                self._stale.add(conversation["id"])

    def _on_change(self, event: str, data: dict[str, Any]) -> None:
        conversation_id = data["conversation_id"] if event != "conversation:updated" else data["id"]
        number = data["change_seq"]
        if event == "conversation:updated" and self._is_unnumbered(data):
            self.copies[conversation_id].put_conversation(data)
            return
        copy = self.copies[conversation_id]
        if event in ("message:new", "message:deleted"):
            copy.put_reply(data)
        elif event in MESSAGES:
            copy.put(data)
        elif event == "member:changed":
            copy.put_member(data["user_id"], data)
        else:
            copy.put_conversation(data)
        self._saw(event, conversation_id, number)

    def _saw(self, event: str, conversation_id: str, number: int) -> None:
        last = self._last.get(conversation_id, 0)
        if number <= last:
            self.strict_faults.append(f"{event} {number} of {conversation_id} came after {last}")
        self._last[conversation_id] = max(last, number)
        self.copies[conversation_id].saw(number)

    def _is_unnumbered(self, conversation: dict[str, Any]) -> bool:
        """Return whether it takes no `change_seq`: it is about this user alone, or beside a change that takes it."""
        copy = self.copies[conversation["id"]]
        seen = max(copy.cursor, self._last.get(conversation["id"], 0))
        return int(conversation["change_seq"]) <= seen

    def _check_inside(self, event: str, data: Any) -> None:
        if event in INSIDE:
            conversation_id = data["id"] if event == "conversation:updated" else data["conversation_id"]
            if conversation_id not in self._inside:
                self.strict_faults.append(f"{event} of {conversation_id}, which is not one's own: {data}")

    def _take(self, conversation_id: str, message: dict[str, Any], event: str) -> None:
        copy = self.copies[conversation_id]
        (copy.put_reply if event in ("message:send", "message:delete") else copy.put)(message)
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
            if answer.get("removed"):
                self.copies.pop(conversation_id, None)
                return True
            if "messages" not in answer:
                raise AssertionError(f"a follower is not meant to fall so far behind: {answer}")
            copy = self.copies[conversation_id]
            for message in answer["messages"]:
                copy.put(message)
            for member in answer["members"]:
                copy.put_member(member["user"]["id"], member)
            copy.put_conversation(answer["conversation"])
            copy.reached(answer["change_seq"])
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
