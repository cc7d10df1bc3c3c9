"""Alive is the loop; ready is every part within a second, and not draining."""

import asyncio
import time

import pytest
from synctalk_runtime import health as health_module
from synctalk_runtime.health import Health, Report


async def _fine() -> None:
    return


async def _broken() -> None:
    raise ConnectionError("the address is a secret")


async def test_report__all_answer__is_ready() -> None:
    health = Health()
    health.add("one", _fine)
    health.add("two", _fine)

    assert await health.report() == Report(True, {"one": "ok", "two": "ok"}, [])


async def test_report__a_part_is_down__is_not_ready_and_names_the_part_only() -> None:
    health = Health()
    health.add("one", _fine)
    health.add("two", _broken)

    assert await health.report() == Report(False, {"one": "ok", "two": "ConnectionError"}, [])


async def test_report__a_part_that_does_not_gate_is_down__is_ready_and_degraded() -> None:
    health = Health()
    health.add("one", _fine)
    health.add("two", _broken, gates=False)

    assert await health.report() == Report(True, {"one": "ok", "two": "ConnectionError"}, ["two"])


async def test_report__a_part_of_each_kind_is_down__is_not_ready() -> None:
    health = Health()
    health.add("one", _broken)
    health.add("two", _broken, gates=False)

    assert await health.report() == Report(False, {"one": "ConnectionError", "two": "ConnectionError"}, ["two"])


async def test_report__parts_hang__is_not_ready_after_one_deadline_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_module, "CHECK_TIMEOUT_S", 0.5)
    health = Health()
    for name in "abcd":
        health.add(name, asyncio.Event().wait)  # type: ignore[arg-type]

    started = time.monotonic()
    report = await health.report()

    assert not report.ready
    assert set(report.checks.values()) == {"TimeoutError"}
    assert time.monotonic() - started < 1.5  # one after the other they would take 2 s


async def test_report__draining__is_not_ready_though_all_answer() -> None:
    health = Health()
    health.add("one", _fine)
    health.draining = True

    assert await health.report() == Report(False, {"one": "ok", "draining": "yes"}, [])
