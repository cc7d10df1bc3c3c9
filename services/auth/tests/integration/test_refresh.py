"""`POST /v1/auth/refresh`: rotation, reuse, expiry."""

import asyncio

from services.auth.tests.harness import Auth, Start


async def test_refresh__token_that_never_was__is_refused(auth: Auth) -> None:
    for token in ("", "nonsense", "x" * 512):
        answer = await auth.refresh(token)
        assert (answer.status, answer.code) == (401, "invalid_refresh_token")


async def test_refresh__access_token_instead__is_refused(auth: Auth) -> None:
    tokens = await auth.register()
    assert (await auth.refresh(tokens["access_token"])).status in (401, 422)


async def test_refresh__spent_token__ends_the_whole_family(auth: Auth) -> None:
    first = await auth.register()
    second = (await auth.refresh(first["refresh_token"])).body
    third = (await auth.refresh(second["refresh_token"])).body

    reused = await auth.refresh(first["refresh_token"])

    assert (reused.status, reused.code) == (401, "invalid_refresh_token")
    assert (await auth.refresh(third["refresh_token"])).code == "invalid_refresh_token"
    assert (await auth.get("/v1/auth/sessions", token=third["access_token"])).code == "unauthenticated"
    rows = await auth.sql("select reason from sessions where id = $1::text::uuid", first["session_id"])
    assert rows[0]["reason"] == "refresh_reused"


async def test_refresh__spent_token_of_one_session__leaves_the_others_alone(auth: Auth) -> None:
    first = await auth.register()
    other = (await auth.login(first["user"]["username"])).body
    second = (await auth.refresh(first["refresh_token"])).body
    await auth.refresh(second["refresh_token"])
    assert (await auth.refresh(first["refresh_token"])).status == 401

    assert (await auth.refresh(other["refresh_token"])).status == 200


async def test_refresh__twenty_at_once__all_get_the_same_and_it_is_good(auth: Auth) -> None:
    tokens = await auth.register()

    answers = await asyncio.gather(*(auth.refresh(tokens["refresh_token"]) for _ in range(15)))

    assert {answer.status for answer in answers} == {200}
    [fresh] = {answer.body["refresh_token"] for answer in answers}
    assert (await auth.refresh(fresh)).status == 200


async def test_refresh__the_answer_was_lost__the_same_again_is_answered(auth: Auth) -> None:
    tokens = await auth.register()
    lost = (await auth.refresh(tokens["refresh_token"])).body

    again = await auth.refresh(tokens["refresh_token"])

    assert again.status == 200
    assert again.body["refresh_token"] == lost["refresh_token"]
    assert (await auth.get("/v1/auth/sessions", token=again.body["access_token"])).status == 200
    rows = await auth.sql(
        "select count(*) as n from refresh_tokens where session_id = $1::text::uuid", tokens["session_id"]
    )
    assert rows[0]["n"] == 2


async def test_refresh__lost_and_the_grace_is_over__ends_the_family(auth: Auth) -> None:
    tokens = await auth.register()
    fresh = (await auth.refresh(tokens["refresh_token"])).body
    await auth.sql(
        "update refresh_tokens set spent_at = now() - interval '31 seconds' "
        "where session_id = $1::text::uuid and spent_at is not null",
        tokens["session_id"],
    )

    assert (await auth.refresh(tokens["refresh_token"])).code == "invalid_refresh_token"
    assert (await auth.refresh(fresh["refresh_token"])).code == "invalid_refresh_token"


async def test_refresh__lost_and_logged_out_meanwhile__is_refused(auth: Auth) -> None:
    tokens = await auth.register()
    fresh = (await auth.refresh(tokens["refresh_token"])).body
    await auth.post("/v1/auth/logout", token=fresh["access_token"])

    assert (await auth.refresh(tokens["refresh_token"])).code == "invalid_refresh_token"


async def test_refresh__used_successor__leaves_no_seed(auth: Auth) -> None:
    tokens = await auth.register()
    second = (await auth.refresh(tokens["refresh_token"])).body
    await auth.refresh(second["refresh_token"])

    rows = await auth.sql(
        "select successor_seed is not null as seeded from refresh_tokens where session_id = $1::text::uuid "
        "order by created_at",
        tokens["session_id"],
    )
    assert [row["seeded"] for row in rows] == [False, True, False]


async def test_refresh__no_grace__spent_is_spent(start_auth: Start) -> None:
    async with start_auth(refresh_grace_s=0) as strict:
        tokens = await strict.register()
        await strict.refresh(tokens["refresh_token"])

        assert (await strict.refresh(tokens["refresh_token"])).code == "invalid_refresh_token"


async def test_refresh__a_hundred_of_one_session__are_limited_and_others_are_not(auth: Auth) -> None:
    tokens, other = await auth.register(), await auth.register()

    answers = await asyncio.gather(*(auth.refresh(tokens["refresh_token"]) for _ in range(100)))

    statuses = [answer.status for answer in answers]
    assert set(statuses) == {200, 429}
    assert statuses.count(200) in range(60, 63)
    assert (await auth.refresh(other["refresh_token"])).status == 200


async def test_refresh__logged_out__is_refused(auth: Auth) -> None:
    tokens = await auth.register()
    await auth.post("/v1/auth/logout", token=tokens["access_token"])

    assert (await auth.refresh(tokens["refresh_token"])).code == "invalid_refresh_token"


async def test_refresh__idle_too_long__is_refused_and_ends_nothing_else(auth: Auth) -> None:
    tokens = await auth.register()
    await auth.sql(
        "update refresh_tokens set expires_at = now() - interval '1 second' where session_id = $1::text::uuid",
        tokens["session_id"],
    )

    assert (await auth.refresh(tokens["refresh_token"])).code == "invalid_refresh_token"


async def test_refresh__session_at_its_absolute_end__is_refused(auth: Auth) -> None:
    tokens = await auth.register()
    await auth.sql(
        "update sessions set expires_at = now() - interval '1 second' where id = $1::text::uuid", tokens["session_id"]
    )

    assert (await auth.refresh(tokens["refresh_token"])).code == "invalid_refresh_token"


async def test_refresh__again_and_again__goes_on_in_the_same_session(auth: Auth) -> None:
    first = tokens = await auth.register()
    for _ in range(3):
        answer = await auth.refresh(tokens["refresh_token"])
        assert answer.status == 200
        assert answer.body["refresh_token"] != tokens["refresh_token"]
        assert answer.body["access_token"] != tokens["access_token"]
        tokens = answer.body

    assert tokens["session_id"] == first["session_id"]
    assert tokens["user"] == first["user"]
    assert (await auth.get("/v1/auth/sessions", token=tokens["access_token"])).status == 200


async def test_refresh__near_the_sessions_end__is_not_longer_than_it(auth: Auth) -> None:
    tokens = await auth.register()
    session = tokens["session_id"]
    await auth.sql("update sessions set expires_at = now() + interval '1 hour' where id = $1::text::uuid", session)

    await auth.refresh(tokens["refresh_token"])

    rows = await auth.sql(
        "select t.expires_at = s.expires_at as cut from refresh_tokens t join sessions s on s.id = t.session_id "
        "where s.id = $1::text::uuid and t.spent_at is null",
        session,
    )
    assert [row["cut"] for row in rows] == [True]


async def test_refresh__tokens_in_the_table__are_hashes_only(auth: Auth) -> None:
    tokens = await auth.register()
    rows = await auth.sql("select t::text as shown from refresh_tokens t")
    assert rows
    assert all(tokens["refresh_token"] not in row["shown"] for row in rows)
