"""Token buckets in a real Redis, whose clock is the only one that counts."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from synctalk_runtime import limits
from synctalk_runtime import redis as runtime_redis
from synctalk_runtime.errors import RateLimitedError
from synctalk_runtime.ids import new_id
from synctalk_runtime.limits import Limit, Limiter
from synctalk_runtime.local_buckets import LocalBuckets
from synctalk_runtime.redis_pipeline import RedisPipeline
from synctalk_testkit.eventually import eventually

SLOW = Limit("slow", per_second=0.01, burst=3)
FAST = Limit("fast", per_second=20, burst=1)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = runtime_redis.connect(SecretStr(redis_url))
    yield client
    await client.aclose()


@pytest.fixture
async def limiter(redis_url: str) -> AsyncIterator[Limiter]:
    redis = RedisPipeline(SecretStr(redis_url))
    yield Limiter(redis)
    await redis.close()


async def _takes(limiter: Limiter, limit: Limit, subject: str) -> bool:
    try:
        await limiter.take(limit, subject)
    except RateLimitedError:
        return False
    return True


async def test_take__more_than_the_burst__is_refused_with_the_wait(limiter: Limiter) -> None:
    subject = new_id()
    for _ in range(3):
        await limiter.take(SLOW, subject)

    with pytest.raises(RateLimitedError) as raised:
        await limiter.take(SLOW, subject)

    assert raised.value.retry_after == pytest.approx(100, abs=2)
    assert raised.value.details == {"limit": "slow"}


async def test_take__by_another_subject_or_limit__is_apart(limiter: Limiter) -> None:
    subject = new_id()
    for _ in range(3):
        await limiter.take(SLOW, subject)

    await limiter.take(SLOW, new_id())
    await limiter.take(FAST, subject)


async def test_take__after_the_wait__is_taken_again(limiter: Limiter) -> None:
    subject = new_id()
    await limiter.take(FAST, subject)
    assert not await _takes(limiter, FAST, subject)

    await eventually(lambda: _takes(limiter, FAST, subject), 3)


async def test_take__many_at_once__no_more_than_the_burst(limiter: Limiter) -> None:
    subject = new_id()
    taken = await asyncio.gather(*(_takes(limiter, SLOW, subject) for _ in range(50)))

    assert sum(taken) == 3


async def test_take_all__one_bucket_empty__is_refused(limiter: Limiter) -> None:
    subject = new_id()
    tight = Limit("tight", per_second=0.01, burst=1)
    await limiter.take_all([(SLOW, subject), (tight, subject)])

    with pytest.raises(RateLimitedError) as raised:
        await limiter.take_all([(SLOW, subject), (tight, subject)])

    assert raised.value.details == {"limit": "tight"}


async def test_take_all__first_bucket_empty__leaves_no_trace_of_the_others(limiter: Limiter, client: Redis) -> None:
    subject, unseen = new_id(), new_id()
    for _ in range(3):
        await limiter.take(SLOW, subject)

    with pytest.raises(RateLimitedError) as raised:
        await limiter.take_all([(SLOW, subject), (FAST, unseen)])

    assert raised.value.details == {"limit": "slow"}
    assert not await client.exists(f"limit:fast:{unseen}")


async def test_take__costs_more_than_is_there__leaves_the_bucket_as_it_was(limiter: Limiter) -> None:
    subject = new_id()
    assert await limiter.ask([(SLOW, subject)], cost=5) != [0]
    assert await limiter.ask([(SLOW, subject)], cost=3) == [0]


async def test_bucket__of_one_who_left__is_forgotten_by_redis(limiter: Limiter, client: Redis) -> None:
    subject = new_id()
    await limiter.take(FAST, subject)

    ttl_ms = await client.pttl(f"limit:fast:{subject}")
    assert 0 < ttl_ms <= 1050


async def test_bucket__hardly_used__is_forgotten_as_soon_as_it_is_full_again(limiter: Limiter, client: Redis) -> None:
    subject, big = new_id(), Limit("big", per_second=1, burst=1000)
    await limiter.take(big, subject)

    assert 0 < await client.pttl(f"limit:big:{subject}") <= 2000


async def test_bucket__given_back__leaves_nothing(limiter: Limiter, client: Redis) -> None:
    subject = new_id()
    await limiter.take(SLOW, subject)
    await limiter.ask([(SLOW, subject)], cost=-1)

    assert not await client.exists(f"limit:slow:{subject}")


async def test_take__after_the_scripts_were_flushed__works(limiter: Limiter, client: Redis) -> None:
    await limiter.take(SLOW, new_id())
    await client.script_flush()

    await limiter.take(SLOW, new_id())


async def test_take__redis_is_down__lets_through_quickly() -> None:
    redis = RedisPipeline(SecretStr("redis://127.0.0.1:1/0"))
    limiter = Limiter(redis)

    async with asyncio.timeout(3):
        for _ in range(5):
            await limiter.take(SLOW, "x")
    await redis.close()


async def test_take__redis_is_down_and_there_is_a_fallback__is_limited_by_it() -> None:
    redis = RedisPipeline(SecretStr("redis://127.0.0.1:1/0"))
    limiter = Limiter(redis, LocalBuckets(100))

    assert [await _takes(limiter, SLOW, "x") for _ in range(5)] == [True] * 3 + [False] * 2
    assert await _takes(limiter, SLOW, "y")
    await redis.close()


AHEAD = Limit("ahead", per_second=0.001, burst=20, ahead=4)


async def test_ask__a_full_bucket__gives_tokens_ahead(limiter: Limiter) -> None:
    subject = new_id()
    assert await limiter.ask([(AHEAD, subject)]) == [-4]
    assert await limiter.ask([(AHEAD, subject)], cost=15) == [0]
    assert await limiter.ask([(AHEAD, subject)]) > [0]


async def test_ask__less_than_half_left__gives_one(limiter: Limiter) -> None:
    subject = new_id()
    assert await limiter.ask([(AHEAD, subject)], cost=7) == [0]


async def test_ask__while_another_process_holds__gives_one(limiter: Limiter, redis_url: str) -> None:
    subject, redis, large = new_id(), RedisPipeline(SecretStr(redis_url)), replace(AHEAD, burst=40)
    assert await limiter.ask([(large, subject)]) == [-4]
    another = await Limiter(redis).ask([(large, subject)])
    await redis.close()
    assert another == [0]
    assert await limiter.ask([(large, subject)]) == [-4]


async def test_take__of_a_limit_with_tokens_ahead__takes_one(limiter: Limiter) -> None:
    subject = new_id()
    await limiter.take(AHEAD, subject)
    assert await limiter.ask([(AHEAD, subject)], cost=19) == [0]


async def test_ask__tokens_are_kept__fills_up_to_that_much_less_until_they_expire(
    limiter: Limiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject, quick = new_id(), Limit("quick", per_second=1_000, burst=20, ahead=4)
    assert await limiter.ask([(quick, subject)]) == [-4]

    async def takes(cost: int) -> bool:
        return await limiter.ask([(replace(quick, ahead=0), subject)], cost=cost) == [0]

    await eventually(lambda: takes(16), 3)
    assert not await takes(17)
    monkeypatch.setattr(limits, "HOLD_S", 0.001)

    async def holds_anew() -> bool:
        return await limiter.ask([(quick, subject)]) == [-4]

    await eventually(holds_anew, 3)
    await eventually(lambda: takes(20), 3)
