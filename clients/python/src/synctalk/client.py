"""The client of one user or bot: `async with Client(url, Bot(token)) as client`."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Self
from weakref import WeakValueDictionary

from synctalk.auth import FixedToken, OnTokens, SessionTokens, SignIn, TokenSource
from synctalk.errors import CallError, NoAnswerError
from synctalk.events import Event
from synctalk.following import Cursor
from synctalk.http import Http
from synctalk.live import Live
from synctalk.models import Message, Presence, Tokens, User
from synctalk.rest import Rest, new_message
from synctalk.streaming import TextStream
from synctalk.timing import retrying

SEND_FOR_S = 60.0
TYPING_RENEWAL_S = 4.0
"""The server ends typing after 6 s without a renewal."""


class Client:
    """What one user or bot can do. `rest` has every call of the REST interface; `events` is what happens.

    `on_tokens` gets the session's tokens whenever they change: keep them to `Resume` the session later.
    """

    me: User
    rest: Rest

    def __init__(
        self,
        base_url: str,
        sign_in: SignIn,
        *,
        on_tokens: OnTokens | None = None,
        transports: Sequence[str] = ("websocket",),
    ) -> None:
        self._http = Http(base_url)
        self._sign_in = sign_in
        self._on_tokens = on_tokens
        self._transports = tuple(transports)
        self._live: Live | None = None
        self._sending: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def __aenter__(self) -> Self:
        await self._http.open()
        try:
            begun = await self._sign_in.begin(self._http)
            if isinstance(begun, Tokens) and self._on_tokens is not None:
                await self._on_tokens(begun)
            self._tokens = self._source(begun)
            self.rest = Rest(self._http, self._tokens)
            self.me = begun.user if isinstance(begun, Tokens) else await self.rest.me()
        except BaseException:
            await self._http.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            await self._live.close()
        await self._http.close()

    def _source(self, begun: Tokens | str) -> TokenSource:
        return FixedToken(begun) if isinstance(begun, str) else SessionTokens(self._http, begun, self._on_tokens)

    @property
    def tokens(self) -> Tokens | None:
        """The session's tokens; None for a bot."""
        return self._tokens.tokens if isinstance(self._tokens, SessionTokens) else None

    @property
    def is_live(self) -> bool:
        """Whether the socket is connected."""
        return self._live is not None and self._live.connection.is_live

    @property
    def cursors(self) -> dict[str, Cursor]:
        """How far each conversation has been dealt with: give it to `events` of a later run, and nothing is missed."""
        return {} if self._live is None else self._live.cursors

    def events(self, cursors: Mapping[str, Cursor] | None = None) -> AsyncIterator[Event]:
        """Connect, and yield what happens, through lost connections, until the session ends. Once for each client.

        With `cursors`, what happened since then comes first. Raises SessionEndedError, CallError.
        """
        if self._live is not None:
            raise RuntimeError("The events of a client are read once.")
        transports = self._transports
        self._live = Live(self._http.base_url, self._tokens, self.rest, cursors or {}, transports)
        self._live.start()
        return self._live.events()

    async def send(
        self,
        conversation_id: str,
        body: str,
        *,
        reply_to: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        client_message_id: str | None = None,
        give_up_after_s: float = SEND_FOR_S,
    ) -> Message:
        """Send a message once, by however many tries it takes; those to one conversation in the order of the calls.

        Raises CallError when it is refused for good; CallError or NoAnswerError when the time is over: whether it was
        sent is then open, and a repeat with the same `client_message_id` finds out.
        """
        message = new_message(body, client_message_id, reply_to=reply_to, metadata=metadata)
        payload = {"conversation_id": conversation_id, **message}
        lock = self._sending.setdefault(conversation_id, asyncio.Lock())
        async with lock:
            return await retrying(lambda: self._send_once(payload), give_up_after_s)

    async def _send_once(self, payload: dict[str, Any]) -> Message:
        if self._live is not None and self._live.connection.is_live:
            ack = await self._live.send(payload)
            return Message.model_validate(ack["message"])
        body = {name: value for name, value in payload.items() if name != "conversation_id"}
        path = f"/v1/conversations/{payload['conversation_id']}/messages"
        return Message.model_validate(await self.rest.call_once("POST", path, json=body))

    @asynccontextmanager
    async def stream(
        self,
        conversation_id: str,
        body: str = "",
        *,
        thread_id: str | None = None,
        client_message_id: str | None = None,
    ) -> AsyncIterator[TextStream]:
        """Send a message while it is written: `append` to it inside of the block, which ends it.

        Its readers get its text ten times a second. Where the block fails, the message stays as it is by then, and is
        marked as interrupted after 30 s.
        """
        message = await self.rest.start_stream(
            conversation_id, body, thread_id=thread_id, client_message_id=client_message_id
        )
        stream = TextStream(message, self._append)
        try:
            yield stream
        finally:
            await stream.close()
        stream.message = await self._end(message, stream.text)

    async def _append(self, message: Message, at: int, text: str) -> int:
        place = {"conversation_id": message.conversation_id, "message_id": message.id}
        if self._live is not None and self._live.connection.is_live:
            with suppress(NoAnswerError):
                ack = await self._live.connection.request("message:stream:append", {**place, "at": at, "text": text})
                return int(ack["at"])
        return await self.rest.append_to_stream(**place, at=at, text=text)

    async def _end(self, message: Message, body: str) -> Message:
        """End it by however many tries it takes; that it has ended by one before is no failure."""
        place = message.conversation_id, message.id
        try:
            return await retrying(lambda: self.rest.end_stream(*place, body), SEND_FOR_S)
        except CallError as error:
            now = await self.rest.message(*place) if error.code == "conflict" else message
            if now.streaming or now.interrupted:
                raise
            return now

    async def mark_delivered(self, conversation_id: str, seq: int) -> None:
        """Say that all messages up to `seq` were received. What is lost with a connection is not repeated."""
        await self._emit("receipt:delivered", {"conversation_id": conversation_id, "seq": seq})

    async def mark_read(self, conversation_id: str, seq: int) -> None:
        """Say that all messages up to `seq` were read."""
        await self.rest.mark_read(conversation_id, seq)

    @asynccontextmanager
    async def typing(self, conversation_id: str) -> AsyncIterator[None]:
        """Show as typing inside of the block."""
        await self._emit("typing:start", {"conversation_id": conversation_id})
        renewing = asyncio.create_task(self._keep_typing(conversation_id))
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            await self._emit("typing:stop", {"conversation_id": conversation_id})

    async def watch_presence(self, user_ids: Sequence[str]) -> list[Presence]:
        """Return the presence of users now; `PresenceChanged` follows, also after a reconnect. 200 users at most."""
        return await self._connected().watch(list(user_ids))

    async def unwatch_presence(self, user_ids: Sequence[str]) -> None:
        await self._connected().unwatch(list(user_ids))

    async def _keep_typing(self, conversation_id: str) -> None:
        while True:
            await asyncio.sleep(TYPING_RENEWAL_S)
            await self._emit("typing:start", {"conversation_id": conversation_id})

    async def _emit(self, event: str, payload: dict[str, Any]) -> None:
        """Emit what may be lost."""
        if self._live is None:
            return
        with suppress(CallError, NoAnswerError):
            await self._live.connection.request(event, payload)

    def _connected(self) -> Live:
        if self._live is None:
            raise RuntimeError("Read `events` first: they are what connects.")
        return self._live
