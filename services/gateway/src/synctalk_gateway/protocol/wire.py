"""JSON, Socket.IO packets and websocket frames, as bytes.

Decoding refuses NaN and Infinity, since JavaScript clients drop the connection over them. It lets a lone surrogate
through, so that the contract refuses the field by name and not the whole packet.
"""

import json
from typing import NoReturn

import orjson


def loads(text: str) -> object:
    """Raise ValueError for what is not JSON, or nested too deep."""
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        if "\\ud" not in text.lower():
            raise
        try:
            value = json.loads(text, parse_constant=_refuse)
        except RecursionError as error:
            raise ValueError("nested too deep") from error
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def dumps(value: object, **_: object) -> str:
    """Encode as `json.dumps` does, whose signature the libraries expect."""
    return orjson.dumps(value).decode()


def frame(text: bytes) -> bytes:
    """Return one unmasked websocket text frame (RFC 6455, 5.2): the same bytes for every client."""
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


def ack(ack_id: int, answer: object) -> Encoded:
    """Encode an ACK packet."""
    return Encoded(b"3%d[" % ack_id + orjson.dumps(answer) + b"]")
