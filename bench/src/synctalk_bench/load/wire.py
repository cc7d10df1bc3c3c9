"""Socket.IO v5 over Engine.IO v4 on a websocket, as much of it as a client needs.

https://github.com/socketio/socket.io-protocol: `40` CONNECT, `42` EVENT, `43` ACK, `44` CONNECT_ERROR; `2` and `3` are
the ping and the pong. The send time travels in the message's body, with the id that the body must agree with.
"""

from dataclasses import dataclass
from typing import Any

import orjson

OPEN, CLOSE, PING, PONG = b"0", b"1", b"2", b"3"
CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR = b"40", b"41", b"42", b"43", b"44"
NEW_MESSAGE = b'42["message:new",'
PADDING = "the quick brown fox jumps over the lazy dog "


@dataclass(frozen=True, slots=True)
class NewMessage:
    conversation_id: str
    sender_id: str
    seq: int
    change_seq: int
    sent_ns: int


def connect(token: str) -> bytes:
    return CONNECT + orjson.dumps({"token": token})


def event(ack_id: int, name: str, payload: dict[str, Any]) -> bytes:
    return EVENT + str(ack_id).encode() + orjson.dumps([name, payload])


def body_text(sent_ns: int, client_message_id: str, chars: int) -> str:
    text = f"{sent_ns} {client_message_id} "
    return text + (PADDING * (chars // len(PADDING) + 1))[: max(0, chars - len(text))]


def parse_new_message(data: bytes) -> NewMessage:
    """Raises ValueError when the message's body is not the one that was sent under its id."""
    message = orjson.loads(data[2:])[1]
    sent_ns, client_message_id, _ = message["body"].split(" ", 2)
    if client_message_id != message["client_message_id"]:
        raise ValueError(f"{message['client_message_id']} came with the body of {client_message_id}")
    return NewMessage(
        message["conversation_id"], message["sender_id"], message["seq"], message["change_seq"], int(sent_ns)
    )


def parse_event(data: bytes) -> tuple[str, Any]:
    name, *payload = orjson.loads(data[2:])
    return name, payload[0] if payload else None


def parse_ack(data: bytes) -> tuple[int, dict[str, Any]]:
    at = data.index(b"[")
    return int(data[2:at]), orjson.loads(data[at:])[0]
