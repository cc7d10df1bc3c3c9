"""argon2 in threads: right, bounded, and off the loop."""

import asyncio
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from synctalk_auth.errors import HashingBusyError
from synctalk_auth.hashing import Hasher


@pytest.fixture
def hasher() -> Iterator[Hasher]:
    made = Hasher(threads=1, max_waiting=2)
    yield made
    made.close()


async def test_verify__nobody__is_no(hasher: Hasher) -> None:
    assert not await hasher.verify(None, "nobody has this password")


async def test_verify__another_password__is_no(hasher: Hasher) -> None:
    assert not await hasher.verify(await hasher.hash("violet-anvil-42"), "violet-anvil-43")


async def test_verify__a_kept_hash_that_is_none__is_no(hasher: Hasher) -> None:
    assert not await hasher.verify("not a hash", "violet-anvil-42")


async def test_verify__the_password_in_another_normal_form__is_yes(hasher: Hasher) -> None:
    assert await hasher.verify(await hasher.hash("cafe\u0301-violet"), "caf\u00e9-violet")


async def test_verify__256_characters__all_of_them_count(hasher: Hasher) -> None:
    kept = await hasher.hash("x" * 255 + "y")
    assert await hasher.verify(kept, "x" * 255 + "y")
    assert not await hasher.verify(kept, "x" * 255 + "z")


async def test_hash__line_is_full__refuses_at_once_and_recovers(hasher: Hasher) -> None:
    outcomes = await asyncio.gather(*(hasher.hash("violet-anvil-42") for _ in range(8)), return_exceptions=True)

    assert sum(isinstance(outcome, str) for outcome in outcomes) == 3
    assert sum(isinstance(outcome, HashingBusyError) for outcome in outcomes) == 5
    assert await hasher.hash("violet-anvil-42")


async def test_hash__parameters__are_those_of_today(hasher: Hasher) -> None:
    kept = await hasher.hash("violet-anvil-42")

    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not hasher.is_outdated(kept)
    assert hasher.is_outdated(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("violet-anvil-42"))
