import orjson
import pytest
from synctalk_bench.load import wire


def new_message(**fields: object) -> bytes:
    message = {"conversation_id": "c", "sender_id": "s", "seq": 3, "change_seq": 5, "client_message_id": "m-1"}
    message["body"] = wire.body_text(1_000, "m-1", 120)
    return wire.EVENT + orjson.dumps(["message:new", message | fields])


def test_parse_new_message__as_it_was_sent__names_its_send_time() -> None:
    assert wire.parse_new_message(new_message()) == wire.NewMessage("c", "s", 3, 5, 1_000)


def test_parse_new_message__body_of_another__is_refused() -> None:
    with pytest.raises(ValueError, match="came with the body of m-2"):
        wire.parse_new_message(new_message(body=wire.body_text(1_000, "m-2", 120)))


def test_parse_ack__number_and_answer__are_parted() -> None:
    assert wire.parse_ack(b'4317[{"ok":true}]') == (17, {"ok": True})


def test_event__read_as_an_event__is_the_same() -> None:
    assert wire.parse_event(wire.EVENT + wire.event(7, "sync", {"cursors": {}})[3:]) == ("sync", {"cursors": {}})


@pytest.mark.parametrize("chars", [50, 120, 8_000])
def test_body_text__any_length__is_that_long(chars: int) -> None:
    assert len(wire.body_text(1_000, "m-1", chars)) == chars
