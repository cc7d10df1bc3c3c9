"""JSON and frames on the wire.

Decoding is strict: NaN and Infinity are refused, since JavaScript clients drop the connection over them. A lone
surrogate is let through here, so that the contract refuses the field by name instead of the whole packet.
"""

import json
from typing import Any, NoReturn

import orjson


def loads(text: str) -> Any:
    """Raises ValueError for what is not JSON, or nested too deep."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if "\\ud" not in text.lower():
            raise
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def dumps(value: Any, **_: Any) -> str:
    """The signature of `json.dumps`, as the libraries call it."""
    return orjson.dumps(value).decode()


def frame(text: bytes) -> bytes:
    """One unmasked websocket text frame (RFC 6455, 5.2): the same bytes for every client."""
    size = len(text)
    if size < 126:
        return b"\x81" + bytes((size,)) + text
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + text
    return b"\x81\x7f" + size.to_bytes(8, "big") + text


class Encoded:
    """One Socket.IO packet, encoded once and framed once, for any number of sockets of either transport."""

    __slots__ = ("frame", "packet")

    def __init__(self, packet: bytes) -> None:
        self.packet = packet
        """Without the Engine.IO type digit."""
        self.frame = frame(b"4" + packet)


def event(name: str, payload: Any) -> Encoded:
    return Encoded(b'2["' + name.encode() + b'",' + orjson.dumps(payload) + b"]")


def ack(ack_id: int, answer: Any) -> Encoded:
    return Encoded(b"3%d[" % ack_id + orjson.dumps(answer) + b"]")
