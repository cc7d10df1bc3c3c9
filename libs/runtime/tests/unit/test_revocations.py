"""A session that ended is denied at once, and reported until that has worked."""

from datetime import timedelta

import pytest
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.models import EndReason
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.revocations import Revocations


def _revoked(alive_for_s: float = 900) -> SessionRevoked:
    return SessionRevoked(
        session_id=new_id(),
        user_id=new_id(),
        reason=EndReason.LOGGED_OUT,
        deny_until=utc_now() + timedelta(seconds=alive_for_s),
    )


async def test_add__a_session__is_denied_and_no_other() -> None:
    revocations, event = Revocations(), _revoked()

    await revocations.add(event)

    assert revocations.is_revoked(event.session_id)
    assert not revocations.is_revoked(new_id())


async def test_add__the_same_again__reports_once() -> None:
    reported: list[SessionRevoked] = []

    async def report(event: SessionRevoked) -> None:
        reported.append(event)

    revocations, event = Revocations(report), _revoked()
    await revocations.add(event)
    await revocations.add(event)

    assert reported == [event]


async def test_add__reporting_failed__is_denied_all_the_same_and_reported_again() -> None:
    tries = 0

    async def report(_: SessionRevoked) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ConnectionError

    revocations, event = Revocations(report), _revoked()
    with pytest.raises(ConnectionError):
        await revocations.add(event)
    assert revocations.is_revoked(event.session_id)

    await revocations.add(event)
    await revocations.add(event)

    assert tries == 2


async def test_add__many_whose_tokens_ended__are_forgotten() -> None:
    revocations, alive = Revocations(), _revoked()
    await revocations.add(alive)
    for _ in range(2500):
        await revocations.add(_revoked(alive_for_s=-1))

    assert revocations.is_revoked(alive.session_id)
    assert len(revocations._deny_until) <= 1000
