"""A client as the interface describes one: it applies what comes live, and syncs when it is asked to or sees a gap.

`Follower` loads a history only where a sync says `reset` or where its `history` is another one, so what it holds in the
end shows whether live delivery and sync together miss or double anything. `strict_faults` names what a client must
never see.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import socketio

from synctalk_testkit.clients import LiveSocket, RefusedError, User
from synctalk_testkit.http import request

CHANGES = frozenset({"message:new", "message:updated", "message:deleted", "conversation:updated", "member:changed"})
MESSAGES = frozenset({"message:new", "message:updated", "message:deleted"})
NEW = frozenset({"message:send", "message:stream:start"})
INSIDE = CHANGES | {
    *("typing", "receipt:updated", "change:hidden", "thread:changed", "thread:updated"),
    *("message:delta", "message:ephemeral"),
}
"""What only members of a conversation receive."""
DETAILS = (
    *("type", "title", "description", "avatar_url", "visibility", "posting", "slow_mode_s", "history"),
    *("archived_at", "metadata", "system_messages"),
)
"""What of a conversation changes with a `change_seq` of its own."""
LARGE_GROUP = 100
"""Members; of larger ones `conversation:updated` comes after the change's number."""

RETRY_S = 0.3
LATEST = 40
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
    heads: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By root message the latest `thread:changed`. It is apart, since the message may have changed otherwise before."""
    replied: dict[str, int] = field(default_factory=dict)
    """By root message the `change_seq` of a reply that came, or went, after what is known of the root."""
    begins_after: int = 0
    """The last message of before the latest join that came live: in `since_joined` it does not exist."""
    loaded_at: int = 0
    """Up to here the state was loaded, and is not made of changes."""
    loading: bool = False
    """It is to be loaded anew, and has no gaps until then."""

    @property
    def members(self) -> dict[str, tuple[str | None, str | None]]:
        """Return role and `muted_until` of those who are members, as far as they are known."""
        return {user_id: (role, muted) for user_id, (_, role, muted) in self.roles.items() if role is not None}

    @property
    def hides(self) -> bool:
        return self.conversation is not None and self.conversation["history"] == "since_joined"

    def saw(self, change_seq: int) -> None:
        if change_seq > self.cursor:
            self.ahead.add(change_seq)
        self._advance()

    def reached(self, change_seq: int) -> None:
        self.cursor = max(self.cursor, change_seq)
        self._advance()

    def put(self, message: dict[str, Any]) -> None:
        known = self.messages.get(message["id"])
        if known is None or _state(message) > _state(known):
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
        key = changed["thread_id"]
        if changed["change_seq"] > self.heads.get(key, {"change_seq": 0})["change_seq"]:
            self.heads[key] = {"thread": changed["thread"], "change_seq": changed["change_seq"]}
            self._forget_replied(key)

    def states(self) -> list[dict[str, Any]]:
        """Return the messages by `seq`, root messages with what was said last of their threads."""
        states = [
            message | head
            if (head := self.heads.get(key)) is not None and head["change_seq"] > message["change_seq"]
            else message
            for key, message in self.messages.items()
        ]
        return sorted(states, key=lambda message: message["seq"])

    def put_delta(self, delta: dict[str, Any]) -> None:
        """Add what a streamed message has more of; after a gap its text stays short until its state comes."""
        known = self.messages.get(delta["message_id"])
        if known is not None and known["streaming"] and delta["at"] <= len(known["body"]):
            more = delta["text"][len(known["body"]) - delta["at"] :]
            self.messages[delta["message_id"]] = known | {"body": known["body"] + more}

    def _forget_replied(self, root_id: str) -> None:
        root, head = self.messages.get(root_id), self.heads.get(root_id, {"change_seq": 0})
        if root is None or max(root["change_seq"], head["change_seq"]) >= self.replied.get(root_id, 0):
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

    def hidden(self, messages: list[dict[str, Any]]) -> list[str]:
        """Return those of these messages that may not be seen, as far as that is known."""
        return [m["id"] for m in messages if self.hides and m["seq"] <= self.begins_after]

    def _advance(self) -> None:
        while self.cursor + 1 in self.ahead:
            self.cursor += 1
        self.ahead = {number for number in self.ahead if number > self.cursor}


def _number(payload: Any) -> str:
    return str(payload.get("change_seq", "")) if isinstance(payload, dict) else ""


def _state(message: dict[str, Any]) -> tuple[int, int]:
    """Return by what two states of a message compare: one that is streamed grows without a number."""
    return message["change_seq"], len(message["body"]) if message["streaming"] else 0


@dataclass
class Follower(LiveSocket):
    """A live socket that keeps its conversations up to date, through whatever happens."""

    copies: dict[str, Copy] = field(default_factory=dict)
    """The conversations that one is in, as far as is known."""
    strict_faults: list[str] = field(default_factory=list)
    """Repeated or overtaking live changes on one connection, and what one may not see."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._last: dict[str, int] = {}
        self._said: dict[str, dict[str, Any]] = {}
        self._inside: set[str] = set()
        self._pending: dict[str, int] = defaultdict(int)
        self._stale: dict[str, int] = {}
        """To be synced, from what was known when that was said: what was before may have changed as well."""
        self._left = False
        self._wake = asyncio.Event()
        self._syncer = asyncio.create_task(self._keep_synced())

    def bodies(self, conversation_id: str) -> list[str]:
        """The bodies of its copy, in the order of `seq`."""
        return [message["body"] for message in self.states(conversation_id)]

    def states(self, conversation_id: str) -> list[dict[str, Any]]:
        """The messages of its copy, in the order of `seq`."""
        return self.copies.get(conversation_id, Copy()).states()

    def describe(self, conversation_id: str) -> str:
        """Return what it knows of the conversation by number, and the latest that it received: why a copy is wrong."""
        copy = self.copies.get(conversation_id, Copy())
        latest = [f"{got.event} {_number(got.payload)}" for got in self.events[-LATEST:]]
        state = f"connected {self.connected}, {self.connects} times, stale {conversation_id in self._stale}"
        return f"{state}, cursor {copy.cursor}, ahead {sorted(copy.ahead)}, {self._syncer}\n{', '.join(latest)}"

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
        copy = self.copies.get(conversation_id)
        self._pending[conversation_id] += 1
        try:
            ack = await self.call(event, payload, timeout=CALL_TIMEOUT_S)
        except (socketio.exceptions.SocketIOError, OSError):
            # It may have been done, and the socket gets no event of what it has caused itself.
            self._make_stale(conversation_id)
            return None
        finally:
            self._pending[conversation_id] -= 1
            self._wake.set()
        if ack["ok"] and "message" in ack:
            self._take(conversation_id, copy, ack["message"], event)
        elif ack["ok"] and event == "message:stream:append" and copy is not None:
            copy.put_delta(payload)
        return ack

    @property
    def connected(self) -> bool:
        # The library takes itself for connected where its transport ended within `connect`.
        return bool(self.client.connected and self.client.eio.state == "connected")

    async def leave(self) -> None:
        """Disconnect, and stay away until `back`."""
        self._left = True
        await self.client.disconnect()

    async def back(self) -> bool:
        """Return whether it is connected; after `leave` try to be. What was cut off comes back by itself."""
        if not self.connected and (self._left or self.client.connected):
            self._left, self.client.connected = True, False
            try:
                await self.connect(ready=False)
            except RefusedError:
                return False
            self._left = False
        return self.connected

    async def close(self) -> None:
        # Python 3.11's `wait_for` may lose a cancellation that comes together with the answer.
        while not self._syncer.done():
            self._syncer.cancel()
            await asyncio.wait({self._syncer}, timeout=1)
        await super().close()
        if not self._syncer.cancelled():
            self._syncer.result()

    # ── what comes live ──────────────────────────────────────────────────────────────────────────────────────────

    async def _on_any(self, event: str, *payload: Any) -> None:
        data: Any = payload[0] if payload else None
        if event in INSIDE:
            self._on_inside(event, data)
        elif event == "ready":
            self._on_ready(data)
        elif event == "conversation:new":
            self._on_new(data)
        elif event == "conversation:removed":
            self._inside.discard(data["id"])
            self._last.pop(data["id"], None)
            self._said.pop(data["id"], None)
            self.copies.pop(data["id"], None)
        elif event == "sync:required":
            for conversation_id in data["conversation_ids"] or list(self.copies):
                self._make_stale(conversation_id)
        self._wake.set()
        await super()._on_any(event, *payload)

    def _on_ready(self, ready: dict[str, Any]) -> None:
        self._last.clear()
        self._said.clear()
        self._inside = {conversation["id"] for conversation in ready["conversations"]}
        for conversation_id in self.copies.keys() - self._inside:
            if ready["more"]:
                self._make_stale(conversation_id)
            else:
                del self.copies[conversation_id]
        for conversation in ready["conversations"]:
            copy = self.copies.setdefault(conversation["id"], Copy())
            copy.go_back()
            if copy.cursor < conversation["change_seq"]:
                self._make_stale(conversation["id"])

    def _on_new(self, conversation: dict[str, Any]) -> None:
        key = conversation["id"]
        if key not in self._inside:
            # The group's own message about the joining is said after it.
            begins_after = conversation["last_seq"] - (1 if conversation["system_messages"] else 0)
            self.copies[key] = Copy(begins_after=begins_after)
        self._inside.add(key)
        self.copies.setdefault(key, Copy()).put_conversation(conversation)
        self._make_stale(key)

    def _on_inside(self, event: str, data: dict[str, Any]) -> None:
        key = data["id"] if event == "conversation:updated" else data["conversation_id"]
        if key not in self._inside:
            self.strict_faults.append(f"{event} of {key}, which is not one's own: {data}")
        copy = self.copies.get(key)
        if copy is None:  # a sync has said that one is no member
            return
        if event in MESSAGES:
            self._on_message(event, copy, data)
        elif event == "member:changed":
            copy.put_member(data["user_id"], data)
            self._saw(event, copy, data)
        elif event == "conversation:updated":
            self._on_conversation(copy, data)
        elif event == "change:hidden":
            self._saw(event, copy, data)
        elif event == "thread:changed":
            if copy.loaded_at < data["change_seq"] <= copy.cursor and data["thread_id"] not in copy.messages:
                self.strict_faults.append(f"a thread of a message that one does not see: {data}")
            copy.put_thread(data)
        elif event == "message:delta":
            copy.put_delta(data)

    def _on_message(self, event: str, copy: Copy, message: dict[str, Any]) -> None:
        if copy.cursor + 1 >= message["change_seq"] and copy.hidden([message]):
            self.strict_faults.append(f"{event} of before one has joined: {message}")
        (copy.put if event == "message:updated" else copy.put_reply)(message)
        self._saw(event, copy, message)

    def _on_conversation(self, copy: Copy, data: dict[str, Any]) -> None:
        """Take it with a number, or without one: as what is beside a change that has it, or of this user alone."""
        key, known = data["id"], copy.conversation
        last_said, self._said[key] = self._said.get(key), data
        if data["change_seq"] <= max(copy.cursor, self._last.get(key, 0)):
            # Changes of a large group come by their numbers first, and what they have made of it together.
            large = data["members_count"] > LARGE_GROUP
            if not large and data == last_said:
                self.strict_faults.append(f"a conversation:updated that says nothing: {data}")
            if not large and known is not None and known["change_seq"] <= data["change_seq"] <= copy.cursor:
                others = [name for name in DETAILS if data[name] != known[name]]
                if others:
                    self.strict_faults.append(f"{others} of {key} have changed without a number: {data}")
            copy.put_conversation(data)
            return
        copy.put_conversation(data)
        self._saw("conversation:updated", copy, data)
        if known is not None and known["history"] != data["history"]:
            copy.loading = True

    def _saw(self, event: str, copy: Copy, data: dict[str, Any]) -> None:
        key, number = data["id" if event == "conversation:updated" else "conversation_id"], data["change_seq"]
        last = self._last.get(key, 0)
        if number <= last:
            self.strict_faults.append(f"{event} {number} of {key} came after {last}")
        self._last[key] = max(last, number)
        copy.saw(number)

    def _take(self, conversation_id: str, copy: Copy | None, message: dict[str, Any], event: str) -> None:
        """Take what an ack says, for the copy that there was when it was asked for."""
        if copy is None or self.copies.get(conversation_id) is not copy:
            self._make_stale(conversation_id)
            return
        (copy.put_reply if event in NEW or message["deleted_at"] else copy.put)(message)
        copy.saw(message["change_seq"])

    # ── sync ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _keep_synced(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            gaps = {key for key, copy in self.copies.items() if copy.ahead and not self._pending[key]}
            loading = {key for key, copy in self.copies.items() if copy.loading}
            for conversation_id in gaps | self._stale.keys() | loading:
                since = self._stale.pop(conversation_id, None)
                if not await self._catch_up(conversation_id, since):
                    self._make_stale(conversation_id, since)
                    await asyncio.sleep(RETRY_S)
                    self._wake.set()

    def _make_stale(self, conversation_id: str, since: int | None = None) -> None:
        known = self.copies.get(conversation_id, Copy()).cursor
        since = known if since is None else since
        self._stale[conversation_id] = min(since, self._stale.get(conversation_id, since))

    async def _catch_up(self, conversation_id: str, since: int | None) -> bool:
        """Sync or load anew; return whether that is over."""
        while (copy := self.copies.get(conversation_id)) is not None:
            if copy.loading:
                return await self._load(conversation_id)
            cursor = copy.cursor if since is None else min(since, copy.cursor)
            try:
                ack = await self.call("sync", {"cursors": {conversation_id: cursor}}, timeout=CALL_TIMEOUT_S)
            except (socketio.exceptions.SocketIOError, OSError):
                return False
            if not ack["ok"]:
                return False
            if self.copies.get(conversation_id) is not copy:
                return False  # one has left, and is there again: the answer may be of before
            answer = ack["conversations"][conversation_id]
            if answer.get("removed"):
                del self.copies[conversation_id]
            elif answer.get("reset"):
                copy.loading = True
            else:
                self._merge(copy, answer)
                since = None
                if not answer["more"]:
                    return True
        return True

    def _merge(self, copy: Copy, answer: dict[str, Any]) -> None:
        copy.put_conversation(answer["conversation"])
        if hidden := copy.hidden(answer["messages"]):
            self.strict_faults.append(f"synced of before one has joined: {hidden}")
        for message in answer["messages"]:
            copy.put(message)
        for member in answer["members"]:
            copy.put_member(member["user"]["id"], member)
        copy.reached(answer["change_seq"])

    async def _load(self, conversation_id: str) -> bool:
        """Begin anew with what REST says; what comes live meanwhile is put beside it."""
        old = self.copies[conversation_id]
        copy = self.copies[conversation_id] = Copy(begins_after=old.begins_after, loading=True)
        path = f"/v1/conversations/{conversation_id}"
        async with aiohttp.ClientSession() as http:
            try:
                conversation = await self._read(http, path)
                members = await self._read(http, f"{path}/members?limit=100")
                after = 0
                while page := (await self._read(http, f"{path}/messages?after_seq={after}&limit=100"))["items"]:
                    after = page[-1]["seq"]
                    for message in page:
                        copy.put(message)
            except _NotReadError as error:
                if error.gone and self.copies.get(conversation_id) is copy:
                    del self.copies[conversation_id]
                return error.gone
        for member in members["items"]:
            copy.put_member(member["user"]["id"], member | {"change_seq": conversation["change_seq"]})
        known, copy.loading, copy.loaded_at = copy.conversation, False, conversation["change_seq"]
        copy.put_conversation(conversation)
        copy.reached(conversation["change_seq"])
        if known is not None and known["history"] != conversation["history"]:
            copy.loading = True  # which of the two it was at each page is not known
            self._wake.set()
        return self.copies.get(conversation_id) is copy

    async def _read(self, http: aiohttp.ClientSession, path: str) -> Any:
        try:
            answer = await request(http, "GET", self.url + path, headers={"Authorization": f"Bearer {self.token}"})
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise _NotReadError(gone=False) from None
        if answer.status != 200:
            raise _NotReadError(gone=answer.status == 404)
        return answer.body


class _NotReadError(Exception):
    """It could not be read."""

    def __init__(self, *, gone: bool) -> None:
        super().__init__()
        self.gone = gone


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
