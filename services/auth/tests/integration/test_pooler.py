"""auth behind a pooler in transaction mode does what it does without one."""

import asyncio
from importlib.resources import files

from synctalk_auth.actions.keys import KeyRotation
from synctalk_runtime.ids import utc_now
from synctalk_runtime.migrate import migrate
from synctalk_testkit.own_pgbouncer import own_pgbouncer
from synctalk_testkit.plugin import FreshDatabase

from services.auth.tests.harness import PASSWORD, Start, new_name


async def test_everything__behind_a_pooler__works(start_auth: Start, fresh_database: FreshDatabase) -> None:
    direct = await fresh_database("auth")
    await migrate(direct, files("synctalk_auth") / "migrations")
    with own_pgbouncer(direct) as url:
        async with start_auth(database_url=url, database_transaction_pooler=True, clean_interval_s=0.05) as auth:
            names = [new_name() for _ in range(8)]
            registered = await asyncio.gather(*(auth.register(name) for name in names))
            signed_in = [answer.body for answer in await asyncio.gather(*(auth.login(name) for name in names))]
            renewed = await asyncio.gather(*(auth.refresh(each["refresh_token"]) for each in signed_in))
            spent = await asyncio.gather(*(auth.refresh(each["refresh_token"]) for each in signed_in))
            again = await auth.call("POST", "/v1/auth/register", json={"username": names[0], "password": PASSWORD})
            wrong = await auth.login(names[0], "not the password")
            await KeyRotation(auth.services.postgres, auth.settings).replace(utc_now())
            after = await auth.login(names[1])
            sessions = [
                (await auth.get("/v1/auth/sessions", token=after.body["access_token"])).body["items"] for _ in range(3)
            ]

            assert [each["user"]["username"] for each in registered] == names
            assert {answer.status for answer in renewed} == {200}
            next_tokens = [[answer.body["refresh_token"] for answer in answers] for answers in (renewed, spent)]
            assert next_tokens[0] == next_tokens[1], "within the grace"
            assert (again.status, wrong.status, after.status) == (409, 401, 200)
            assert [len(each) for each in sessions] == [3] * 3
