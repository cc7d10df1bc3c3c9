"""argon2 in threads: right, bounded, and off the loop."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from synctalk_auth.errors import HashingBusyError
from synctalk_auth.fair_queue import Turn
from synctalk_auth.hashing import Hasher

HERE = Turn("198.51.100.1", is_known=False)


@pytest.fixture
def hasher() -> Iterator[Hasher]:
    made = Hasher(threads=1, max_waiting=2)
    yield made
    made.close()


async def test_verify__nobody__is_no(hasher: Hasher) -> None:
    assert not await hasher.verify(None, "nobody has this password", HERE)


async def test_verify__another_password__is_no(hasher: Hasher) -> None:
    assert not await hasher.verify(await hasher.hash("violet-anvil-42", HERE), "violet-anvil-43", HERE)


async def test_verify__a_kept_hash_that_is_none__is_no(hasher: Hasher) -> None:
    assert not await hasher.verify("not a hash", "violet-anvil-42", HERE)


async def test_verify__the_password_in_another_normal_form__is_yes(hasher: Hasher) -> None:
    assert await hasher.verify(await hasher.hash("cafe\u0301-violet", HERE), "caf\u00e9-violet", HERE)


async def test_verify__256_characters__all_of_them_count(hasher: Hasher) -> None:
    kept = await hasher.hash("x" * 255 + "y", HERE)
    assert await hasher.verify(kept, "x" * 255 + "y", HERE)
    assert not await hasher.verify(kept, "x" * 255 + "z", HERE)


async def test_hash__line_is_full__refuses_at_once_and_recovers(hasher: Hasher) -> None:
    outcomes = await asyncio.gather(*(hasher.hash("violet-anvil-42", HERE) for _ in range(8)), return_exceptions=True)

    assert sum(isinstance(outcome, str) for outcome in outcomes) == 3
    assert sum(isinstance(outcome, HashingBusyError) for outcome in outcomes) == 5
    assert await hasher.hash("violet-anvil-42", HERE)


async def test_hash__parameters__are_those_of_today(hasher: Hasher) -> None:
    kept = await hasher.hash("violet-anvil-42", HERE)

    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not hasher.is_outdated(kept)
    assert hasher.is_outdated(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("violet-anvil-42"))


class Slow:
    """Work that runs until it is let go, and notes in which order it ended."""

    def __init__(self, hasher: Hasher, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ended: list[str] = []
        self.gate = threading.Event()
        self.hasher = hasher
        monkeypatch.setattr(hasher, "_matches", self._matches)

    def _matches(self, password_hash: str | None, password: str) -> bool:
        self.gate.wait()
        self.ended.append(password)
        return True

    def ask(self, name: str, turn: Turn) -> "asyncio.Task[bool]":
        return asyncio.create_task(self.hasher.verify(None, name, turn))


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    hasher = Hasher(threads=1, max_waiting=20)
    made = Slow(hasher, monkeypatch)
    yield made
    made.gate.set()
    hasher.close()


async def test_verify__flood_from_a_hundred_addresses__the_known_owner_is_next(slow: Slow) -> None:
    flood = [slow.ask(f"flood-{n}", Turn(f"198.51.100.{n}", is_known=False)) for n in range(100)]
    await asyncio.sleep(0)
    owner = slow.ask("owner", Turn("203.0.113.1", is_known=True))
    await asyncio.sleep(0)
    slow.gate.set()

    assert await owner
    assert slow.ended.index("owner") == 1
    outcomes = await asyncio.gather(*flood, return_exceptions=True)
    assert sum(outcome is True for outcome in outcomes) == 20
    assert sum(isinstance(outcome, HashingBusyError) for outcome in outcomes) == 80


async def test_verify__many_of_one_address__others_get_their_turn(slow: Slow) -> None:
    many = [slow.ask("many", Turn("198.51.100.1", is_known=False)) for _ in range(50)]
    await asyncio.sleep(0)
    other = slow.ask("other", Turn("203.0.113.1", is_known=False))
    await asyncio.sleep(0)
    slow.gate.set()

    assert await other
    assert slow.ended.index("other") <= 2
    await asyncio.gather(*many, return_exceptions=True)


async def test_verify__who_asked_is_gone__takes_no_thread(slow: Slow) -> None:
    first, gone = slow.ask("first", HERE), slow.ask("gone", HERE)
    await asyncio.sleep(0)
    gone.cancel()
    last = slow.ask("last", HERE)
    await asyncio.sleep(0)
    slow.gate.set()

    assert await first
    assert await last
    assert slow.ended == ["first", "last"]


async def test_close__while_some_wait__refuses_them(slow: Slow) -> None:
    first, waiting = slow.ask("first", HERE), slow.ask("waiting", HERE)
    await asyncio.sleep(0)
    slow.hasher.close()
    slow.gate.set()

    with pytest.raises(HashingBusyError):
        await waiting
    assert await first
