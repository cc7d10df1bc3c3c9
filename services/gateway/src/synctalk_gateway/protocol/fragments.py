"""The fragments of one websocket message (RFC 6455, 5.4): counted as they come, joined once."""

from picows import WSCloseCode, WSMsgType


class FragmentError(Exception):
    """A fragment out of place or one too many, with the code and reason that the websocket is closed with."""

    def __init__(self, code: WSCloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Fragments:
    """Collects the fragments of one message at a time."""

    __slots__ = ("_kind", "_max_bytes", "_max_count", "_parts", "_size")

    def __init__(self, max_count: int, max_bytes: int) -> None:
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._kind: WSMsgType | None = None
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def open(self) -> bool:
        """Return whether a message has begun and not ended."""
        return self._kind is not None

    def add(self, kind: WSMsgType, payload: bytes, fin: bool) -> tuple[WSMsgType, bytes] | None:
        """Return the message's kind and bytes when `payload` is its last fragment. Raise FragmentError."""
        if (kind == WSMsgType.CONTINUATION) != self.open:
            raise FragmentError(WSCloseCode.PROTOCOL_ERROR, "a fragment out of place")
        if not payload and not fin:
            raise FragmentError(WSCloseCode.PROTOCOL_ERROR, "an empty fragment")
        if self._kind is None:
            self._kind = kind
        self._size += len(payload)
        if self._size > self._max_bytes or len(self._parts) >= self._max_count:
            raise FragmentError(WSCloseCode.MESSAGE_TOO_BIG, "the message is too big")
        self._parts.append(payload)
        if not fin:
            return None
        message = self._kind, b"".join(self._parts)
        self._kind, self._parts, self._size = None, [], 0
        return message
