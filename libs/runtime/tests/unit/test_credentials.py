"""What is kept of auth's answers about server keys, and for how long."""

import asyncio

import pytest
from synctalk_runtime.credentials import FRESH_S, KEPT_S, MAX_KEPT, Recent
from synctalk_runtime.errors import UnavailableError


class Auth:
    def __init__(self) -> None:
        self.known = {"a": "A"}
        self.asked = 0
        self.is_away = False
        self.now = 1000.0
        self.answering = asyncio.Event()
        self.answering.set()
        self.recent = Recent(self.ask, lambda: self.now)

    async def ask(self, subject: str) -> str | None:
        self.asked += 1
        await self.answering.wait()
        if self.is_away:
            raise UnavailableError
        return self.known.get(subject)


async def test_recent__within_a_second__asks_once() -> None:
    auth = Auth()
    for subject in ("a", "a", "unknown", "unknown"):
        assert await auth.recent.get(subject) == auth.known.get(subject)
    assert auth.asked == 2


async def test_recent__after_a_second__asks_again() -> None:
    auth = Auth()
    assert await auth.recent.get("a") == "A"
    del auth.known["a"]
    auth.now += FRESH_S
    assert await auth.recent.get("a") is None


async def test_recent__many_at_once__ask_once() -> None:
    auth = Auth()
    auth.answering.clear()
    waiting = [asyncio.create_task(auth.recent.get("a")) for _ in range(50)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    auth.answering.set()
    assert await asyncio.gather(*waiting[1:]) == ["A"] * 49
    assert auth.asked == 1


async def test_recent__auth_away__holds_what_is_known_for_a_minute() -> None:
    auth = Auth()
    assert await auth.recent.get("a") == "A"
    assert await auth.recent.get("unknown") is None
    auth.is_away = True
    auth.now += KEPT_S
    assert await auth.recent.get("a") == "A"
    for subject in ("unknown", "b"):
        with pytest.raises(UnavailableError):
            await auth.recent.get(subject)
    auth.now += 0.1
    with pytest.raises(UnavailableError):
        await auth.recent.get("a")


async def test_recent__made_up_subjects__are_kept_up_to_a_bound() -> None:
    auth = Auth()
    for n in range(MAX_KEPT + 10):
        await auth.recent.get(f"made-up-{n}")
    assert len(auth.recent._answers) == MAX_KEPT
