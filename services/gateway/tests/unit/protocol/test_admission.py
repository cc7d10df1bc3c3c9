"""Handshakes and sockets are counted by address, and the counts come back to nothing."""

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr
from synctalk_gateway.errors import TooManyFromAddressError, TooManySocketsError
from synctalk_gateway.protocol import admission
from synctalk_gateway.protocol.admission import Admission
from synctalk_gateway.settings import Settings


def admission_of(**limits: float) -> Admission:
    nowhere = {name: SecretStr("x" * 16) for name in ("internal_secret", "redis_url", "rabbitmq_url")}
    return Admission(Settings(**nowhere, **limits))  # type: ignore[arg-type]


def refused() -> float:
    return REGISTRY.get_sample_value("gateway_handshakes_refused_total") or 0.0


def test_handshakes__beyond_the_burst_of_an_address__are_refused() -> None:
    admitted = admission_of(handshakes_per_address_burst=2, handshakes_per_address_per_s=0.001)
    for _ in range(2):
        admitted.check("a")
    with pytest.raises(TooManyFromAddressError):
        admitted.check("a")
    admitted.check("b")


def test_refused__for_either_reason__is_counted_and_what_is_admitted_is_not() -> None:
    admitted, before = (
        admission_of(handshakes_per_address_burst=1, handshakes_per_address_per_s=0.001, max_pending_sockets=1),
        refused(),
    )
    admitted.check("a")
    assert refused() == before
    with pytest.raises(TooManyFromAddressError):
        admitted.check("a")
    admitted.opened("a")
    with pytest.raises(TooManySocketsError):
        admitted.check("b")
    assert refused() == before + 2


def test_sockets__authenticated_and_closed__are_counted_no_longer() -> None:
    admitted = admission_of(max_sockets_per_address=2, max_pending_sockets=1)
    for _ in range(3):
        admitted.check("a")
        admitted.opened("a")
        with pytest.raises(TooManySocketsError):
            admitted.check("b")
        admitted.authenticated("a")
        admitted.check("b")
        admitted.closed("a", pending=False)
        admitted.opened("a")
        admitted.closed("a", pending=True)


def test_sockets__of_an_address_with_others_still_open__go_on_counting() -> None:
    admitted = admission_of(max_sockets_per_address=2)
    for _ in range(3):
        admitted.opened("a")
    admitted.closed("a", pending=True)
    with pytest.raises(TooManyFromAddressError):
        admitted.check("a")
    for _ in range(2):
        admitted.closed("a", pending=True)
    admitted.check("a")


def test_addresses__more_than_are_remembered__forget_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MAX_ADDRESSES", 2)
    admitted = admission_of(handshakes_per_address_burst=1, handshakes_per_address_per_s=0.001)
    for address in ("a", "b", "c"):
        admitted.check(address)
    with pytest.raises(TooManyFromAddressError):
        admitted.check("c")
    admitted.check("a")
