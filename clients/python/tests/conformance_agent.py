"""The process by which the conformance suite drives this client; clients/conformance/README.md has the protocol."""

import asyncio
import json
import sys
from typing import Any

from synctalk import (
    Client,
    Connected,
    ConversationAdded,
    ConversationRemoved,
    Cursor,
    Disconnected,
    Event,
    HistoryReset,
    MemberChanged,
    MessageCreated,
    MessageDeleted,
    MessageEvent,
    MessageUpdated,
    Resume,
    SessionEndedError,
    SyncTalkError,
)
from synctalk.models import Message, Tokens

WHAT = {MessageCreated: "created", MessageUpdated: "updated", MessageDeleted: "deleted"}


def say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Agent:
    """One client, and what an app would keep of its events: each is applied as it comes."""

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, Message]] = {}
        self.members: dict[str, dict[str, str]] = {}
        self.client: Client

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        start = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
        async with Client(start["url"], Resume(start["refresh_token"]), on_tokens=self._on_tokens) as self.client:
            say({"id": start["id"]})
            cursors = {key: Cursor(number, 0) for key, number in start["cursors"].items()}
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow(cursors))
                while line := await loop.run_in_executor(None, sys.stdin.readline):
                    group.create_task(self._answer(json.loads(line)))

    async def _on_tokens(self, _: Tokens) -> None:
        if hasattr(self, "client") and hasattr(self.client, "rest"):
            say({"event": "tokens"})

    async def _answer(self, order: dict[str, Any]) -> None:
        try:
            say({"id": order["id"], **await self._do(order)})
        except SyncTalkError as error:
            say({"id": order["id"], "error": str(error)})

    async def _do(self, order: dict[str, Any]) -> dict[str, Any]:
        key = order["conversation_id"]
        if order["do"] == "send":
            await self.client.send(key, order["body"])
            return {}
        return {
            "messages": [essence(message) for message in self.messages.get(key, {}).values()],
            "members": self.members.get(key, {}),
        }

    async def _follow(self, cursors: dict[str, Cursor]) -> None:
        try:
            async for event in self.client.events(cursors):
                await self._apply(event)
        except SessionEndedError as ended:
            say({"event": "ended", "reason": ended.reason})

    async def _apply(self, event: Event) -> None:
        match event:
            case MessageEvent(message):
                self.messages.setdefault(message.conversation_id, {})[message.id] = message
                say(
                    {
                        "event": "message",
                        "what": WHAT[type(event)],
                        "message_id": message.id,
                        "conversation_id": message.conversation_id,
                        "change_seq": message.change_seq,
                    }
                )
            case MemberChanged(key, user_id, role, change_seq):
                members = self.members.setdefault(key, {})
                members.pop(user_id, None)
                if role is not None:
                    members[user_id] = role
                say({"event": "member", "user_id": user_id, "conversation_id": key, "change_seq": change_seq})
            case ConversationAdded(conversation):
                await self._load(conversation.id)
                say({"event": "added"})
            case HistoryReset(key):
                await self._load(key)
                say({"event": "reset"})
            case ConversationRemoved(key):
                self.messages.pop(key, None)
                say({"event": "removed"})
            case Connected():
                say({"event": "connected"})
            case Disconnected():
                say({"event": "disconnected"})

    async def _load(self, key: str) -> None:
        rest = self.client.rest
        self.messages[key] = {message.id: message async for message in rest.history(key)}
        self.members[key] = {member.user.id: member.role or "" async for member in rest.members(key)}


def essence(message: Message) -> dict[str, Any]:
    fields = message.model_dump(include={"id", "seq", "change_seq", "sender_id", "body", "reactions"})
    return fields | {"deleted": message.deleted_at is not None}


if __name__ == "__main__":
    asyncio.run(Agent().run())
