"""auth's keys: read by one question for all who wait, kept while auth is away, gone when withdrawn."""

import asyncio
import time

import pytest
from synctalk_runtime import tokens
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.revocations import Revocations
from synctalk_runtime.tokens import KeySet, TokenVerifier
from synctalk_testkit.eventually import eventually
from synctalk_testkit.ports import free_port
from synctalk_testkit.tokens import TokenMaker

from libs.runtime.tests.token_cases import AuthStub, serve


async def test_keys__auth_is_down_from_the_start__is_unavailable(token_maker: TokenMaker) -> None:
    keys = KeySet(f"http://127.0.0.1:{free_port()}/")
    verifier = TokenVerifier(keys, Revocations(), "synctalk", "synctalk")

    with pytest.raises(UnavailableError):
        await verifier.verify(token_maker.mint())
    with pytest.raises(UnavailableError):
        await keys.check()


@pytest.mark.parametrize(
    "document",
    [b"", b"{}", b"[]", b"nonsense", b'{"keys": 1}', b'{"keys": [1]}', b'{"keys": [{"kty": "EC", "kid": "a"}]}',
     b'{"keys": []}', b'{"keys": [{"kty": "oct", "kid": "a", "k": "AAAA"}]}'],
)  # fmt: skip
async def test_keys__auth_answers_nonsense__is_unavailable(token_maker: TokenMaker, document: bytes) -> None:
    auth = AuthStub(token_maker)
    auth.keys = document
    server, url = await serve(auth)
    async with server:
        with pytest.raises(UnavailableError):
            await KeySet(url).get(token_maker.kid)


async def test_keys__auth_hangs_at_the_start__waiters_share_one_question(token_maker: TokenMaker) -> None:
    auth = AuthStub(token_maker)
    auth.answering.clear()
    server, url = await serve(auth)
    async with server:
        keys = KeySet(url, timeout_s=0.2)
        started = time.monotonic()
        answers = await asyncio.gather(*(keys.get(token_maker.kid) for _ in range(50)), return_exceptions=True)
        auth.answering.set()

    assert {type(answer) for answer in answers} == {UnavailableError}
    assert auth.asked == 1
    assert time.monotonic() - started < 1


@pytest.fixture
def quick_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "REFRESH_S", 0.01)


@pytest.mark.usefixtures("quick_polling")
async def test_keys__auth_hangs_while_polled__nobody_waits(token_maker: TokenMaker) -> None:
    auth = AuthStub(token_maker)
    server, url = await serve(auth)
    async with server:
        keys = KeySet(url, timeout_s=5)
        await keys.start()
        await eventually(lambda: auth.unchanged > 0)
        auth.answering.clear()
        asked = auth.asked
        await eventually(lambda: auth.asked > asked)
        async with asyncio.timeout(1):
            for _ in range(20):
                assert await keys.get(token_maker.kid) is not None
        auth.answering.set()
        await keys.close()


@pytest.mark.usefixtures("quick_polling")
async def test_keys__one_is_withdrawn__is_reported_once_and_gone(token_maker: TokenMaker) -> None:
    auth, second = AuthStub(token_maker), TokenMaker()
    reported: list[frozenset[str]] = []
    auth.keys = {"keys": [*token_maker.public_keys()["keys"], *second.public_keys()["keys"]]}
    server, url = await serve(auth)
    async with server:
        keys = KeySet(url, on_withdrawn=reported.append)
        await keys.start()
        await keys.check()
        auth.keys = second.public_keys()

        await eventually(lambda: bool(reported))
        unchanged = auth.unchanged
        await eventually(lambda: auth.unchanged > unchanged + 2)
        assert reported == [frozenset({token_maker.kid})]
        assert await keys.get(second.kid) is not None
        assert await keys.get(token_maker.kid) is None
        await keys.close()


@pytest.mark.usefixtures("quick_polling")
@pytest.mark.parametrize("document", [b"nonsense", b'{"keys": []}', b'{"keys": [{"kty": "EC", "kid": "a"}]}'])
async def test_keys__auth_answers_nonsense_later__the_last_ones_stay_and_the_polling_goes_on(
    token_maker: TokenMaker, document: bytes
) -> None:
    auth, second = AuthStub(token_maker), TokenMaker()
    reported: list[frozenset[str]] = []
    server, url = await serve(auth)
    async with server:
        keys = KeySet(url, on_withdrawn=reported.append)
        await keys.start()
        await keys.check()
        auth.keys = document
        asked = auth.asked
        await eventually(lambda: auth.asked > asked + 2)
        assert await keys.get(token_maker.kid) is not None
        assert reported == []

        auth.keys = second.public_keys()
        await eventually(lambda: bool(reported))
        await keys.close()


@pytest.mark.usefixtures("quick_polling")
async def test_keys__reporting_fails__the_polling_goes_on(token_maker: TokenMaker) -> None:
    def fail(_: frozenset[str]) -> None:
        raise KeyError

    auth, second, third = AuthStub(token_maker), TokenMaker(), TokenMaker()
    server, url = await serve(auth)
    async with server:
        keys = KeySet(url, on_withdrawn=fail)
        await keys.start()
        await keys.check()
        for maker in (second, third):
            auth.keys = maker.public_keys()

            async def followed(kid: str = maker.kid) -> bool:
                return kid in keys._keys

            await eventually(followed)
        await keys.close()


async def test_keys__unknown_kids__ask_auth_once_in_a_while(token_maker: TokenMaker) -> None:
    auth = AuthStub(token_maker)
    server, url = await serve(auth)
    async with server:
        keys = KeySet(url)
        await keys.check()
        for n in range(20):
            assert await keys.get(f"unknown-{n}") is None

    assert auth.asked == 2


async def test_keys__a_new_key__is_found_at_its_first_token(token_maker: TokenMaker) -> None:
    auth, second = AuthStub(token_maker), TokenMaker()
    server, url = await serve(auth)
    async with server:
        verifier = TokenVerifier(KeySet(url), Revocations(), "synctalk", "synctalk")
        await verifier.verify(token_maker.mint())
        auth.keys = {"keys": [*token_maker.public_keys()["keys"], *second.public_keys()["keys"]]}

        await verifier.verify(second.mint())
        await verifier.verify(token_maker.mint())
