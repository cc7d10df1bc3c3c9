"""The caller's address: what the edge wrote last counts, and only where the edge is trusted."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.requests import Request
from synctalk_auth.routes.dependencies import _address


def address_of(headers: list[str], *, trusted: bool) -> str:
    sent = [(b"x-forwarded-for", header.encode()) for header in headers]
    request = Request({"type": "http", "headers": sent, "client": ("10.0.0.9", 1)})
    services = SimpleNamespace(settings=SimpleNamespace(trust_forwarded_for=trusted))
    return _address(request, cast(Any, services))


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ([], "10.0.0.9"),
        (["203.0.113.7"], "203.0.113.7"),
        (["6.6.6.6", "203.0.113.7"], "203.0.113.7"),
        (["not an address"], "10.0.0.9"),
    ],
)
def test_address__behind_the_edge__is_the_last_hop(headers: list[str], address: str) -> None:
    assert address_of(headers, trusted=True) == address


def test_address__edge_not_trusted__is_the_peer() -> None:
    assert address_of(["203.0.113.7"], trusted=False) == "10.0.0.9"
