"""AMQP 0-9-1 frames by hand, for the two things that are done all the time: transient publishing, and deliveries.

A library decodes each frame of a delivery into objects and hands it through three queues and two tasks; here a delivery
is taken out of what the broker sends before the library sees it. Everything else is passed on as it came.
"""

import asyncio
from collections.abc import Callable, Iterable
from struct import Struct
from typing import SupportsIndex

FRAME = Struct(">BHI")
"""Kind, channel and size of what follows (4.2.3)."""
FRAME_END = b"\xce"
CONTENT = Struct(">HHQ")
"""Class, weight and size of the body (4.2.6.1)."""
LONG_LONG = Struct(">Q")

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
BASIC = 60
DELIVER = b"\x00\x3c\x00\x3c"
HEARTBEAT_FRAME = FRAME.pack(HEARTBEAT, 0, 0) + FRAME_END
HEARTBEAT_S = 1.0

OnDelivery = Callable[[int, bytes], None]
"""Takes the delivery tag and the body."""


class TransientFrames:
    """The frames of a transient message but for its body, for one channel, exchange and key."""

    def __init__(self, channel: int, method: bytes, properties: bytes, frame_max: int) -> None:
        self._channel = channel
        self._method = method
        """The whole frame of the method."""
        self._properties = properties
        self._max_body = frame_max - FRAME.size - len(FRAME_END)

    def around(self, body: bytes) -> bytes:
        header = CONTENT.pack(BASIC, 0, len(body)) + self._properties
        bodies = [self._frame(BODY, body[at : at + self._max_body]) for at in range(0, len(body), self._max_body)]
        return b"".join((self._method, self._frame(HEADER, header), *bodies))

    def _frame(self, kind: int, payload: bytes) -> bytes:
        return FRAME.pack(kind, self._channel, len(payload)) + payload + FRAME_END


class _Content:
    """A delivery whose header and body are still to come."""

    __slots__ = ("consumer", "left", "parts", "tag")

    def __init__(self, consumer: OnDelivery, tag: int) -> None:
        self.consumer = consumer
        self.tag = tag
        self.left = -1
        """Bytes of the body; -1: not known yet."""
        self.parts: list[bytes] = []


class DeliveryReader(asyncio.StreamReader):
    """What the broker sends, without the deliveries of consumers that were added here.

    Whoever reads it takes a connection on which nothing comes for a lost one, and a broker that delivers sends no
    heartbeats. So it gets one for them.
    """

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=limit, loop=loop)
        self._frame_loop = loop
        self._consumers: dict[tuple[int, bytes], OnDelivery] = {}
        self._contents: dict[int, _Content] = {}
        """By channel."""
        self._rest = b""
        self._beat_at = 0.0

    def add_consumer(self, channel: int, tag: str, on_delivery: OnDelivery) -> None:
        """Hand what is delivered to this consumer to `on_delivery`, which must not raise."""
        self._consumers[channel, tag.encode()] = on_delivery

    def feed_data(self, received: Iterable[SupportsIndex]) -> None:
        """Take what was received: bytes."""
        data = self._rest + bytes(received) if self._rest else bytes(received)
        at, passed, size = 0, 0, len(data)
        while size - at >= FRAME.size:
            kind, channel, length = FRAME.unpack_from(data, at)
            end = at + FRAME.size + length + len(FRAME_END)
            if end > size:
                break
            if self._take(kind, channel, data, at + FRAME.size, end - len(FRAME_END)):
                if passed < at:
                    super().feed_data(data[passed:at])
                passed = end
            at = end
        if passed < at:
            super().feed_data(data[passed:at])
        self._rest = data[at:]

    def feed_eof(self) -> None:
        """Pass on what is no whole frame: one of another protocol answers with its own before it closes."""
        if self._rest:
            super().feed_data(self._rest)
            self._rest = b""
        super().feed_eof()

    def _take(self, kind: int, channel: int, data: bytes, begin: int, end: int) -> bool:
        """Take the frame if it is one of a delivery; return whether it is."""
        content = self._contents.get(channel)
        if kind == METHOD and content is None:
            return data.startswith(DELIVER, begin) and self._begin(channel, data, begin + len(DELIVER))
        if content is None or kind not in (HEADER, BODY):
            return False
        if kind == HEADER:
            content.left = CONTENT.unpack_from(data, begin)[2]
        else:
            content.parts.append(data[begin:end])
            content.left -= end - begin
        if content.left == 0:
            del self._contents[channel]
            content.consumer(content.tag, content.parts[0] if len(content.parts) == 1 else b"".join(content.parts))
            self._beat()
        return True

    def _begin(self, channel: int, data: bytes, at: int) -> bool:
        """Begin a delivery: consumer tag, delivery tag, and what nobody asks for."""
        tag_end = at + 1 + data[at]
        consumer = self._consumers.get((channel, data[at + 1 : tag_end]))
        if consumer is None:
            return False
        self._contents[channel] = _Content(consumer, LONG_LONG.unpack_from(data, tag_end)[0])
        return True

    def _beat(self) -> None:
        now = self._frame_loop.time()
        if now >= self._beat_at:
            self._beat_at = now + HEARTBEAT_S
            super().feed_data(HEARTBEAT_FRAME)
