"""What has ended goes, and what has not stays."""

from collections.abc import AsyncIterator

import pytest_asyncio

from services.auth.tests.harness import Auth, Start


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def auth(start_auth: Start) -> AsyncIterator[Auth]:
    """One that cleans only when asked, in batches smaller than what there is."""
    async with start_auth(clean_interval_s=3600, clean_batch=2) as running:
        yield running


async def age(auth: Auth, session_id: str, column: str, interval: str) -> None:
    await auth.sql(
        f"update sessions set {column} = now() - $2::text::interval where id = $1::text::uuid",  # noqa: S608 - test's own
        session_id,
        interval,
    )


async def test_clean__live_session__stays(auth: Auth) -> None:
    tokens = await auth.register()
    await auth.refresh(tokens["refresh_token"])

    await auth.services.cleaning.clean()

    rows = await auth.sql("select 1 from refresh_tokens where session_id = $1::text::uuid", tokens["session_id"])
    assert len(rows) == 2  # the spent one too: its reuse must be seen
    assert (await auth.get("/v1/auth/sessions", token=tokens["access_token"])).status == 200


async def test_clean__idle_and_too_old_sessions__end_with_an_event(auth: Auth) -> None:
    users = [await auth.register() for _ in range(5)]
    for tokens in users:
        await age(auth, tokens["session_id"], "last_used_at", "31 days")
    await age(auth, users[0]["session_id"], "expires_at", "1 second")

    await auth.services.cleaning.clean()

    ids = [tokens["session_id"] for tokens in users]
    rows = await auth.sql("select reason from sessions where id = any($1::text[]::uuid[])", ids)
    assert [row["reason"] for row in rows] == ["expired"] * 5
    answer = await auth.internal("GET", "/internal/revocations")
    assert set(ids) <= {event["session_id"] for event in answer.body if event["reason"] == "expired"}


async def test_clean__ended_long_ago__goes_with_its_tokens(auth: Auth) -> None:
    users = [await auth.register() for _ in range(5)]
    for tokens in users:
        await auth.post("/v1/auth/logout", token=tokens["access_token"])
        await age(auth, tokens["session_id"], "revoked_at", "2 days")

    await auth.services.cleaning.clean()

    ids = [tokens["session_id"] for tokens in users]
    assert not await auth.sql("select 1 from sessions where id = any($1::text[]::uuid[])", ids)
    assert not await auth.sql("select 1 from refresh_tokens where session_id = any($1::text[]::uuid[])", ids)


async def test_clean__expired_refresh_tokens__go(auth: Auth) -> None:
    tokens = await auth.register()
    await auth.refresh(tokens["refresh_token"])
    await auth.sql(
        "update refresh_tokens set expires_at = now() - interval '1 day' "
        "where session_id = $1::text::uuid and spent_at is not null",
        tokens["session_id"],
    )

    await auth.services.cleaning.clean()

    rows = await auth.sql("select spent_at from refresh_tokens where session_id = $1::text::uuid", tokens["session_id"])
    assert [row["spent_at"] for row in rows] == [None]
