"""How often a password may be tried, by whom: what an attacker with one address, or with many, can do to others."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from synctalk_runtime.errors import RateLimitedError
from synctalk_testkit.own_redis import own_redis

from services.auth.tests.harness import PASSWORD, Auth, Start, new_name

ATTACKER, ELSEWHERE = "198.51.100.1", "203.0.113.9"
BUCKETS_OF_A_TRY = 2
BUCKETS_OF_AN_ADDRESS = 4
AS_SHIPPED = {"login_per_address_burst": 30, "login_per_address_per_s": 1}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def auth(start_auth: Start) -> AsyncIterator[Auth]:
    """With the limits by address of production."""
    async with start_auth(**AS_SHIPPED) as running:
        yield running


async def _may_try(auth: Auth, account: str, address: str) -> bool:
    try:
        await auth.services.login.guessing.begin_login(account, address)
    except RateLimitedError:
        return False
    return True


async def test_flood__of_made_up_names_from_one_address__fills_nothing(start_auth: Start) -> None:
    async with own_redis(max_memory_mb=16) as server, start_auth(redis_url=server.url, **AS_SHIPPED) as auth:
        began, tried = time.monotonic(), 0
        for _ in range(80):
            tried += sum(await asyncio.gather(*(_may_try(auth, secrets.token_hex(16), ATTACKER) for _ in range(500))))

        # Where Redis is too slow to answer, the process's own buckets allow as many again.
        assert tried <= 2 * (31 + time.monotonic() - began)
        assert await server.command("DBSIZE") <= BUCKETS_OF_A_TRY * tried + BUCKETS_OF_AN_ADDRESS
        assert await _may_try(auth, new_name(), ELSEWHERE)


async def test_flood__of_names_that_none_can_have__leaves_the_address_alone_behind(start_auth: Start) -> None:
    async with own_redis() as server, start_auth(redis_url=server.url) as auth:
        for name in ("ada@example.org", "x" * 64, "ab", "ada lovelace"):
            assert (await auth.login(name)).code == "invalid_credentials"

        assert await server.command("DBSIZE") == 1


async def test_one_address__that_guesses__does_not_lock_the_owner_out_elsewhere(auth: Auth) -> None:
    account = new_name()
    await asyncio.gather(*(_may_try(auth, account, ATTACKER) for _ in range(130)))

    assert await _may_try(auth, account, ELSEWHERE)


async def test_one_address__that_guesses_on__leaves_half_of_what_unknown_ones_share(
    start_auth: Start,
) -> None:
    async with start_auth(guess_per_s=1_000, guess_burst=1_000, guess_strange_burst=10) as auth:
        account = new_name()
        tried = [await _may_try(auth, account, ATTACKER) for _ in range(50)]

        assert sum(tried) == 5
        assert await _may_try(auth, account, ELSEWHERE)


async def test_ipv6__another_64_of_the_same_customer__counts_together(start_auth: Start) -> None:
    async with start_auth(login_per_address_burst=3, login_per_address_per_s=0.001) as auth:
        same_56 = [await _may_try(auth, new_name(), f"2001:db8:1:{n:x}::/64") for n in range(20)]
        same_48 = [await _may_try(auth, new_name(), f"2001:db8:1:{n:x}00::/64") for n in range(1, 60)]

        assert sum(same_56) == 3 * 4
        assert sum(same_48) == 3 * 16 - 3 * 4
        assert await _may_try(auth, new_name(), "2001:db8:2::/64")


async def test_session__used_at_an_address__makes_it_known(start_auth: Start) -> None:
    async with start_auth(guess_strange_burst=2) as auth:
        name = new_name()
        tokens = await auth.register(name)
        here = {"x-forwarded-for": ELSEWHERE}
        await auth.post("/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]}, headers=here)
        for n in range(4):
            await _may_try(auth, name, f"198.51.100.{n}")

        answer = await auth.post("/v1/auth/login", {"username": name, "password": PASSWORD}, headers=here)
        assert answer.status == 200


@pytest.mark.parametrize("one_address", [True, False])
async def test_redis_stopped__guessing_one_account__stays_limited(start_auth: Start, one_address: bool) -> None:
    async with own_redis() as server, start_auth(redis_url=server.url, guess_strange_burst=40) as auth:
        name = new_name()
        await auth.register(name)
        server.stop()

        async def guess(n: int) -> int:
            headers = {"x-forwarded-for": "198.51.100.1" if one_address else f"198.51.100.{n}"}
            body = {"username": name, "password": "violet-anvil-43"}
            return (await auth.post("/v1/auth/login", body, headers=headers)).status

        statuses = [await guess(n) for n in range(50)]

        assert statuses[0] == 401
        assert statuses[-1] == 429
        assert set(statuses) == {401, 429}


async def test_flood__from_a_hundred_addresses__the_known_owner_signs_in_meanwhile(start_auth: Start) -> None:
    async with start_auth(hash_threads=1) as auth:
        name, home = new_name(), {"x-forwarded-for": ELSEWHERE}
        await auth.register(name)
        body = {"username": name, "password": PASSWORD}
        assert (await auth.post("/v1/auth/login", body, headers=home)).status == 200

        async def flood(address: str) -> int:
            wrong = {"username": new_name(), "password": "violet-anvil-43"}
            return (await auth.post("/v1/auth/login", wrong, headers={"x-forwarded-for": address})).status

        flooding = [asyncio.create_task(flood(f"198.51.100.{n}")) for n in range(100)]
        await asyncio.wait(flooding, return_when=asyncio.FIRST_COMPLETED)
        assert (await auth.post("/v1/auth/login", body, headers=home)).status == 200
        assert not all(task.done() for task in flooding)
        assert set(await asyncio.gather(*flooding)) <= {401, 503}
