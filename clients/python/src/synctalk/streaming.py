"""A message whose text is sent while it is written."""

import asyncio
from collections.abc import Awaitable, Callable

from synctalk.errors import CallError
from synctalk.models import Message

SEND_EVERY_S = 0.1
"""Readers are sent no more often."""
KEEP_ALIVE_S = 10.0
"""The server ends a message after 30 s of silence."""

SendText = Callable[[Message, int, str], Awaitable[int]]
"""Appends at an offset, and returns how far the text reaches then."""


class TextStream:
    """Made by `Client.stream`."""

    def __init__(self, message: Message, send: SendText) -> None:
        self.message = message
        """As it began; after the block as it ended."""
        self.text = message.body
        """All of it, what is still to be sent too."""
        self._send = send
        self._sent = len(message.body)
        self._more = asyncio.Event()
        self._sending = asyncio.create_task(self._send_all())

    async def append(self, text: str) -> None:
        """Append to the message; it is sent within a tenth of a second. Raises what refused the text before."""
        if self._sending.done():
            await self._sending
        self.text += text
        self._more.set()
        await asyncio.sleep(0)

    async def close(self) -> None:
        """Send nothing more."""
        self._sending.cancel()
        await asyncio.gather(self._sending, return_exceptions=True)

    async def _send_all(self) -> None:
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    await self._more.wait()
            except TimeoutError:
                pass
            self._more.clear()
            await self._send_rest()
            await asyncio.sleep(SEND_EVERY_S)

    async def _send_rest(self) -> None:
        try:
            self._sent = await self._send(self.message, self._sent, self.text[self._sent :])
        except CallError as error:
            # What the server has lost it is sent again.
            if error.code != "conflict" or not isinstance(error.details, dict):
                raise
            self._sent = error.details["at"]
            self._more.set()
