"""A user of the story: a registered account and a stock Socket.IO client, whose every expectation has a deadline."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import socketio
from synctalk_testkit.clients import LiveSocket, RefusedError, User

from synctalk_bench.stage.screen import Screen

IN_TIME_S = 10.0
LOOK_AGAIN_S = 0.1


class StoryError(Exception):
    """Something expected did not happen; the text is a sentence for whoever watches."""


class Actor:
    def __init__(self, name: str, user: User, screen: Screen) -> None:
        self.name = name
        self.user = user
        self.live: LiveSocket | None = None
        self.cursors: dict[str, int] = {}
        """Up to which `change_seq` this client has everything, by conversation."""
        self._screen = screen

    @property
    def id(self) -> str:
        return self.user.id

    @property
    def socket(self) -> LiveSocket:
        if self.live is None:
            raise StoryError(f"{self.name} is not connected.")
        return self.live

    def shows(self, event: str, text: str) -> None:
        self._screen.received(self.name, event, text)

    async def come(self) -> dict[str, Any]:
        """Connect; what `ready` said."""
        try:
            self.live = await self.user.connect()
        except (RefusedError, AssertionError, socketio.exceptions.SocketIOError) as error:
            raise StoryError(f"{self.name} could not connect: {error}") from error
        ready: dict[str, Any] = self.socket.of("ready")[0]
        return ready

    async def leave(self) -> None:
        for event in self.socket.events:
            self._remember(event.payload)
        await self.socket.close()
        self.live = None

    async def does(self, event: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Emit, and return the ack, which must say ok."""
        try:
            answer: dict[str, Any] = await self.socket.call(event, payload, timeout=IN_TIME_S)
        except (TimeoutError, socketio.exceptions.SocketIOError) as error:
            raise StoryError(f"{self.name}'s {event} was not answered within {IN_TIME_S:.0f} s.") from error
        if not answer.get("ok"):
            raise StoryError(f"{self.name}'s {event} was refused: {answer.get('error')}")
        self._remember(answer.get("message"))
        return answer

    async def receives(
        self, event: str, what: str, fits: Callable[[Any], bool] = lambda _: True, within_s: float = IN_TIME_S
    ) -> dict[str, Any]:
        """Wait until the socket has received this event; `what` names it, should it not come."""
        try:
            payload: dict[str, Any] = await self.socket.wait_for(event, fits, within_s)
        except AssertionError as error:
            raise StoryError(f"{self.name} did not learn {what} within {within_s:.0f} s ({event}).") from error
        return payload

    async def asks(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """A REST call, which must succeed; its body."""
        try:
            answer = await self.user.request(method, path, json=body)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StoryError(f"{self.name}'s {method} {path} was not answered: {error!r}") from error
        if answer.status >= 400:
            raise StoryError(f"{self.name}'s {method} {path} was refused: {answer.status} {answer.body}")
        return answer.body

    async def uploads(self, name: str, content: bytes) -> str:
        """Announce a text and send its bytes to where the answer says; the file's id."""
        new = {"name": name, "size": len(content), "content_type": "text/plain"}
        answer = await self.asks("POST", "/v1/files", new)
        await self._transfers(answer["upload"]["method"], answer["upload"]["url"], answer["upload"]["headers"], content)
        return str(answer["file"]["id"])

    async def downloads(self, file_id: str) -> bytes:
        url = f"{self.user.base_url}/v1/files/{file_id}/content"
        return await self._transfers("GET", url, {"Authorization": f"Bearer {self.user.access_token}"})

    async def finds_pushed(self, token: str, message_ids: list[str], within_s: float) -> list[dict[str, Any]]:
        """Wait until the push stand-in lists these messages as well sent to the device; what was sent."""
        sent: dict[str, dict[str, Any]] = {}
        try:
            async with asyncio.timeout(within_s):
                while not sent.keys() >= set(message_ids):
                    listed = await self.asks("GET", f"/dev/push/messages?token={token}")
                    good = [item["message"] for item in listed["items"] if item["answered"] == 200]
                    sent = {message["data"]["message_id"]: message for message in good}
                    await asyncio.sleep(LOOK_AGAIN_S)
        except TimeoutError:
            found = len(sent.keys() & set(message_ids))
            text = f"{self.name}'s phone got {found} of {len(message_ids)} pushes within {within_s:.0f} s."
            raise StoryError(text) from None
        return [sent[message_id] for message_id in message_ids]

    async def _transfers(self, method: str, url: str, headers: dict[str, str], content: bytes = b"") -> bytes:
        """Send bytes, or get them; the answer's."""
        try:
            async with self.user.http.request(method, url, data=content or None, headers=headers) as answer:
                received = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StoryError(f"{self.name}'s {method} of a file was not answered: {error!r}") from error
        if answer.status >= 400:
            raise StoryError(f"{self.name}'s {method} of a file was refused: {answer.status}")
        return received

    def _remember(self, payload: Any) -> None:
        """Move the conversation's cursor up to this message, conversation, or change of a member."""
        if isinstance(payload, dict) and "change_seq" in payload:
            conversation_id = str(payload.get("conversation_id", payload.get("id")))
            self.cursors[conversation_id] = max(self.cursors.get(conversation_id, 0), payload["change_seq"])
