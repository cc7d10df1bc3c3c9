"""`POST /v1/auth/login`."""

import asyncio
import time

from argon2 import PasswordHasher
from synctalk_contracts.events.users import UserUpdated
from synctalk_contracts.models import User
from synctalk_runtime import outbox
from synctalk_testkit.eventually import eventually

from services.auth.tests.harness import PASSWORD, Auth, Start, new_name


async def test_login__wrong_password_and_unknown_name__answer_alike(auth: Auth) -> None:
    name = new_name()
    await auth.register(name)

    wrong, unknown = await auth.login(name, "violet-anvil-43"), await auth.login(new_name(), "violet-anvil-43")

    assert (wrong.status, wrong.code) == (401, "invalid_credentials")
    assert (unknown.status, unknown.body) == (wrong.status, wrong.body)
    assert set(unknown.headers) == set(wrong.headers)


async def test_login__wrong_password_and_unknown_name__take_as_long(auth: Auth) -> None:
    name = new_name()
    await auth.register(name)

    async def time_of(username: str) -> float:
        # This process's CPU, the server's with it: however busy the machine is, it stays the same.
        begun = time.process_time()
        await auth.login(username, "violet-anvil-43")
        return time.process_time() - begun

    pairs = [(await time_of(name), await time_of(new_name())) for _ in range(9)]

    wrong, unknown = (min(times) for times in zip(*pairs, strict=True))
    assert 0.5 < wrong / unknown < 2


async def test_login__name_that_none_can_have__answers_as_an_unknown_one(auth: Auth) -> None:
    assert (await auth.login("ada@example.org")).code == "invalid_credentials"


async def test_login__guessing_one_account__is_slowed_down_and_not_for_ever(start_auth: Start) -> None:
    async with start_auth(guess_burst=3, guess_per_s=5) as auth:
        name = new_name()
        await auth.register(name)

        answers = await asyncio.gather(*(auth.login(name, f"violet-anvil-{n}") for n in range(12)))

        refused = [answer for answer in answers if answer.status == 429]
        assert refused
        assert refused[0].code == "rate_limited"
        assert refused[0].body["error"]["retry_after"] > 0
        assert "Retry-After" in refused[0].headers

        async def owner_is_in() -> bool:
            return (await auth.login(name)).status == 200

        await eventually(owner_is_in)


async def test_login__guessing_a_name_that_nobody_has__is_slowed_down_alike(start_auth: Start) -> None:
    async with start_auth(guess_burst=3) as auth:
        name = new_name()
        answers = [await auth.login(name) for _ in range(4)]
        assert [answer.status for answer in answers] == [401, 401, 401, 429]


async def test_login__account_guessed_from_many_addresses__owner_comes_in_where_known(start_auth: Start) -> None:
    async with start_auth(guess_strange_burst=4) as auth:
        name = new_name()
        await auth.register(name)
        home = {"x-forwarded-for": "203.0.113.1"}
        body = {"username": name, "password": PASSWORD}
        assert (await auth.post("/v1/auth/login", body, headers=home)).status == 200

        guesses = [
            await auth.post(
                "/v1/auth/login",
                {"username": name, "password": "violet-anvil-43"},
                headers={"x-forwarded-for": f"198.51.100.{n}"},
            )
            for n in range(6)
        ]

        assert [guess.status for guess in guesses] == [401] * 4 + [429] * 2
        assert (await auth.post("/v1/auth/login", body, headers=home)).status == 200


async def test_login__many_from_one_address__are_slowed_down_and_others_are_not(start_auth: Start) -> None:
    async with start_auth(login_per_address_burst=2, login_per_address_per_s=0.01) as auth:
        name = new_name()
        await auth.register(name)
        body = {"username": name, "password": PASSWORD}

        here = [
            # The first hop is the client's own word; only the edge's, the last, counts.
            await auth.post("/v1/auth/login", body, headers={"x-forwarded-for": f"198.51.100.{n}, 203.0.113.2"})
            for n in range(3)
        ]

        assert [answer.status for answer in here] == [200, 200, 429]
        elsewhere = await auth.post("/v1/auth/login", body, headers={"x-forwarded-for": "203.0.113.3"})
        assert elsewhere.status == 200


async def test_login__often_with_the_right_password__is_not_slowed_down(start_auth: Start) -> None:
    async with start_auth(guess_burst=2, guess_per_s=0.001) as auth:
        name = new_name()
        await auth.register(name)
        assert [(await auth.login(name)).status for _ in range(6)] == [200] * 6


async def test_login__redis_is_down__is_well_all_the_same(start_auth: Start, auth: Auth) -> None:
    name = new_name()
    await auth.register(name)
    async with start_auth(beside=auth, ready=False, redis_url="redis://127.0.0.1:9") as without_redis:

        async def logged_in() -> bool:
            return (await without_redis.login(name)).status == 200

        await eventually(logged_in)
        assert (await without_redis.checks())["redis"] != "ok"


async def test_login__name_in_upper_case__is_a_session_of_its_own(auth: Auth) -> None:
    name = new_name()
    first = await auth.register(name)

    answer = await auth.login(name.upper(), device_name="laptop")

    assert answer.status == 200
    assert answer.body["session_id"] != first["session_id"]
    assert answer.body["user"] == first["user"]


async def test_login__hash_of_older_parameters__is_renewed(auth: Auth) -> None:
    name = new_name()
    await auth.register(name)
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    await auth.sql("update users set password_hash = $2 where username = $1", name, old)

    assert (await auth.login(name)).status == 200

    rows = await auth.sql("select password_hash from users where username = $1", name)
    assert rows[0]["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (await auth.login(name)).status == 200


async def test_login__profile_changed_in_api__answers_it_as_it_is_now(auth: Auth) -> None:
    name = new_name()
    user = User.model_validate((await auth.register(name))["user"])
    auth.api.changed[user.id] = user.model_copy(update={"display_name": "Countess"})

    assert (await auth.login(name)).body["user"]["display_name"] == "Countess"


async def test_login__api_is_away__answers_the_profile_of_its_last_event(auth: Auth) -> None:
    name = new_name()
    user = User.model_validate((await auth.register(name))["user"])
    changed = user.model_copy(update={"display_name": "Countess", "avatar_url": "https://example.org/ada.png"})
    async with auth.services.postgres.transaction() as conn:
        await outbox.add(conn, [UserUpdated(user=user), UserUpdated(user=changed)])
    auth.services.sessions.outbox.wake()

    async def answers_the_change() -> bool:
        return bool((await auth.login(name)).body["user"] == changed.model_dump())

    await eventually(answers_the_change)
