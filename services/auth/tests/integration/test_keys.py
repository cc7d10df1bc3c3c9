"""Signing keys: made once however many start, published ahead, rotated, retired."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import jwt
import pytest_asyncio
from synctalk_auth.actions.keys import KeyRotation
from synctalk_runtime.ids import utc_now
from synctalk_testkit.eventually import eventually

from services.auth.tests.harness import Auth, Start


@pytest_asyncio.fixture(loop_scope="session")
async def fresh(start_auth: Start) -> AsyncIterator[Auth]:
    """An auth whose keys no other test touches."""
    async with start_auth(key_reload_s=0.05) as running:
        yield running


def rotation(auth: Auth) -> KeyRotation:
    return KeyRotation(auth.services.postgres, auth.settings)


async def kids(auth: Auth) -> list[str]:
    answer = await auth.get("/.well-known/jwks.json")
    assert answer.status == 200
    return [key["kid"] for key in answer.body["keys"]]


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


async def rotate_at_once(auth: Auth) -> None:
    """As if the next key had been published a day ago."""
    await shift(auth, timedelta(days=2))
    assert await rotation(auth).rotate(utc_now() - timedelta(days=1))


async def shift(auth: Auth, by: timedelta) -> None:
    """As if all keys had been made that much earlier."""
    await auth.sql("update signing_keys set signs_from = signs_from - $1::interval", by)


async def test_jwks__public_keys__are_all_that_it_shows(auth: Auth) -> None:
    answer = await auth.get("/.well-known/jwks.json")

    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert [set(key) for key in answer.body["keys"]] == [{"kid", "kty", "crv", "alg", "use", "x", "y"}]


async def test_jwks__unchanged__is_not_sent_again(fresh: Auth) -> None:
    first = await fresh.get("/.well-known/jwks.json")
    known = {"if-none-match": first.headers["Etag"]}

    again = await fresh.get("/.well-known/jwks.json", headers=known)
    assert (again.status, again.body, again.headers["Etag"]) == (304, None, first.headers["Etag"])

    await rotation(fresh).replace(utc_now())

    async def sent() -> bool:
        return (await fresh.get("/.well-known/jwks.json", headers=known)).status == 200

    await eventually(sent)


async def test_start__several_at_once__share_one_key(start_auth: Start, fresh: Auth) -> None:
    await fresh.sql("delete from signing_keys")
    await asyncio.gather(*(rotation(fresh).keep(fresh.services.keyring) for _ in range(5)))
    async with AsyncExitStack() as stack:
        others = [await stack.enter_async_context(start_auth(beside=fresh)) for _ in range(2)]

        assert len(await fresh.sql("select 1 from signing_keys")) == 1
        assert [await kids(other) for other in others] == [await kids(fresh)] * 2


async def test_rotation__due__next_key_is_published_and_does_not_sign_yet(fresh: Auth) -> None:
    [first] = await kids(fresh)
    await shift(fresh, timedelta(days=29, hours=1))

    async def both_shown() -> bool:
        return len(await kids(fresh)) == 2

    await eventually(both_shown)
    assert kid_of((await fresh.register())["access_token"]) == first


async def test_rotation__done__next_signs_and_tokens_of_the_last_are_good(fresh: Auth) -> None:
    old = await fresh.register()
    await rotate_at_once(fresh)

    async def next_signs() -> bool:
        return kid_of((await fresh.refresh((await fresh.register())["refresh_token"])).body["access_token"]) != kid_of(
            old["access_token"]
        )

    await eventually(next_signs)
    assert len(await kids(fresh)) == 2
    assert (await fresh.get("/v1/auth/sessions", token=old["access_token"])).status == 200


async def test_rotation__last_token_ended__old_key_is_gone(fresh: Auth) -> None:
    [old] = await kids(fresh)
    await rotate_at_once(fresh)
    await shift(fresh, timedelta(minutes=17))

    async def gone() -> bool:
        return old not in await kids(fresh)

    await eventually(gone)


async def test_rotate__asked_twice__publishes_one(fresh: Auth) -> None:
    assert await rotation(fresh).rotate(utc_now())
    assert not await rotation(fresh).rotate(utc_now())
    assert len(await fresh.sql("select 1 from signing_keys")) == 2


async def test_replace__tokens_of_the_leaked_key__are_refused_and_refresh_goes_on(fresh: Auth) -> None:
    old = await fresh.register()
    await rotation(fresh).replace(utc_now())

    async def refused() -> bool:
        return kid_of(old["access_token"]) not in await kids(fresh)

    await eventually(refused)
    answer = await fresh.refresh(old["refresh_token"])
    assert (await fresh.get("/v1/auth/sessions", token=answer.body["access_token"])).status == 200


async def test_passphrase__another_than_the_keys_were_made_with__is_not_ready(start_auth: Start) -> None:
    async with start_auth(signing_key_passphrase="the passphrase of the first") as first:
        rows = await first.sql("select private_pem from signing_keys")
        assert rows[0]["private_pem"].startswith("-----BEGIN ENCRYPTED")
        async with start_auth(beside=first, ready=False) as second:

            async def all_but_the_keys() -> bool:
                said = await second.checks()
                return said.pop("keys") != "ok" and set(said.values()) == {"ok"}

            await eventually(all_but_the_keys)
            assert (await second.post("/v1/auth/refresh", {"refresh_token": "x"})).code == "unavailable"
            assert len(await first.sql("select 1 from signing_keys")) == 1
