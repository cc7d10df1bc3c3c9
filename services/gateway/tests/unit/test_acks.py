"""An ack to come."""

from typing import Any

from synctalk_gateway.acks import PendingAck


def test_pending__set__calls_back_in_the_same_turn_and_once() -> None:
    acks: list[Any] = []
    pending = PendingAck()
    pending.then(acks.append)
    assert not pending.done()
    pending.set({"ok": True})
    pending.set({"ok": False})

    assert acks == [{"ok": True}]
    assert pending.result() == {"ok": True}


def test_pending__known_already__calls_back_at_once() -> None:
    acks: list[Any] = []
    pending = PendingAck()
    pending.set({"ok": True})
    pending.then(acks.append)

    assert acks == [{"ok": True}]
