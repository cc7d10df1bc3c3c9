"""Events that a server should not have sent are seen by whoever tests with a `LiveSocket`."""

from typing import Any

import pytest
from synctalk_testkit.clients import LiveSocket, contract_violation


def test_violation__of_an_event_as_its_contract_says__is_none() -> None:
    assert contract_violation("conversation:removed", ({"id": "0190f5d0-0000-7000-8000-000000000000"},)) is None


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("conversation:sung", ({},)),
        ("conversation:removed", ()),
        ("conversation:removed", ({"id": 1},)),
        ("conversation:removed", ({"id": "0190f5d0-0000-7000-8000-000000000000", "more": 1},)),
        ("server:draining", ({"reconnect_in_ms": "1"},)),
    ],
)
def test_violation__of_another_event_or_payload__names_the_event(event: str, payload: tuple[Any, ...]) -> None:
    assert str(contract_violation(event, payload)).startswith(f"{event}: ")


async def test_socket__that_got_such_an_event__fails_when_it_is_closed() -> None:
    live = LiveSocket("http://127.0.0.1:1", "token")
    await live._on_any("conversation:removed", {"id": 1})
    with pytest.raises(AssertionError, match="conversation:removed"):
        await live.close()
