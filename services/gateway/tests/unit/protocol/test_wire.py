"""Frames and packets, byte by byte."""

import json
import struct

import pytest
from synctalk_gateway.hub import packets
from synctalk_gateway.protocol import wire


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 200_000])
def test_frame__any_size__is_one_unmasked_text_frame(size: int) -> None:
    framed = wire.frame(b"x" * size)
    assert framed[0] == 0x81
    marker = framed[1]
    if size < 126:
        assert (marker, framed[2:]) == (size, b"x" * size)
    elif size < 65536:
        assert marker == 126
        assert struct.unpack(">H", framed[2:4])[0] == size
    else:
        assert marker == 127
        assert struct.unpack(">Q", framed[2:10])[0] == size


def test_event__is_a_socket_io_event_packet() -> None:
    encoded = packets.room_event({"event": "message:new", "payload": {"body": "é\u2028"}})
    assert encoded.packet[:1] == b"2"
    assert json.loads(encoded.packet[1:]) == ["message:new", {"body": "é\u2028"}]
    assert encoded.frame.endswith(b"4" + encoded.packet)


def test_ack__carries_its_number() -> None:
    assert wire.ack(17, {"ok": True}).packet == b'317[{"ok":true}]'


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "{", "", "[" * 100_000, '"\\x"'])
def test_loads__what_is_not_json__is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        wire.loads(text)


def test_loads__a_lone_surrogate__is_left_to_the_contract() -> None:
    assert wire.loads('["\\ud800"]') == ["\ud800"]
