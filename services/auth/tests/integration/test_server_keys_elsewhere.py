"""Server keys at the other services: verified by asking auth, at most once a second for each."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, ClassVar
from urllib.parse import quote

import pytest
import pytest_asyncio
from fastapi import APIRouter, Depends, FastAPI
from synctalk_contracts.models import Scope
from synctalk_runtime.app import create_app
from synctalk_runtime.credentials import RemoteCredentials, ServerKey
from synctalk_runtime.health import Health
from synctalk_runtime.internal import Credential, InternalClient
from synctalk_runtime.revocations import Revocations
from synctalk_runtime.settings import BaseServiceSettings
from synctalk_runtime.tokens import CurrentPrincipal, TokenVerifier, requires
from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import Response
from synctalk_testkit.service import SECRET, ServiceClient, serve, service_client

from services.auth.tests.harness import Auth, Start, new_name
from services.auth.tests.host import serve_host


class Elsewhere(BaseServiceSettings):
    """A service that has no internal routes."""

    SERVICE: ClassVar[str] = "gateway"


router = APIRouter()


@router.get("/v1/who")
async def get_who(principal: CurrentPrincipal) -> str:
    return principal.user_id


@router.get("/v1/server/messages")
async def get_messages(key: Annotated[ServerKey, Depends(requires(Scope.MESSAGES))]) -> str:
    return key.id


@asynccontextmanager
async def another_service(auth: Auth) -> AsyncIterator[ServiceClient]:
    client = InternalClient(auth.url, Credential("api", SECRET), timeout_s=1)
    app: FastAPI = create_app(Elsewhere.model_validate(auth.settings.model_dump()), [router], Health())
    app.state.credentials = RemoteCredentials(client)
    app.state.tokens = TokenVerifier(
        auth.services.keyring, Revocations(), "synctalk", "synctalk", credentials=app.state.credentials
    )
    async with serve(app) as url, service_client(url) as service:
        yield service
    await client.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def service(auth: Auth) -> AsyncIterator[ServiceClient]:
    async with another_service(auth) as service:
        yield service


MakeKey = Callable[..., Awaitable[tuple[str, str]]]


@pytest.fixture
def make_key(auth: Auth) -> MakeKey:
    async def make(*scopes: Scope) -> tuple[str, str]:
        return await auth.services.server_keys.create("key", scopes, None, by=None)

    return make


async def who(service: ServiceClient, key: str, user: str | None) -> Response:
    return await service.call(
        "GET", "/v1/who", token=key, headers={"x-synctalk-user": user} if user is not None else {}
    )


async def test_act__as_nobody_unknown_or_malformed__is_invalid(service: ServiceClient, make_key: MakeKey) -> None:
    _, key = await make_key(Scope.ACT)
    for user in (None, "", "ada", "external:", "external:none", "external:%ff", "external:a b", "x" * 5000,
                 "01a00000-0000-7000-8000-000000000000"):  # fmt: skip
        answer = await who(service, key, user)
        assert (answer.status, answer.fields) == (422, {"X-SyncTalk-User"}), user


async def test_act__without_the_scope__is_forbidden_naming_it(
    auth: Auth, service: ServiceClient, make_key: MakeKey
) -> None:
    ada = (await auth.register())["user"]["id"]
    _, key = await make_key(*(scope for scope in Scope if scope is not Scope.ACT))
    answer = await who(service, key, ada)
    assert (answer.status, answer.body["error"]["details"]) == (403, {"scope": "act"})


async def test_act__with_a_users_own_token__is_forbidden(auth: Auth, service: ServiceClient) -> None:
    ada, ben = await auth.register(), await auth.register()
    assert (await who(service, ada["access_token"], ben["user"]["id"])).code == "forbidden"
    assert (await who(service, ada["access_token"], None)).body == ada["user"]["id"]


async def test_act__by_id_or_external_id__is_that_user(start_auth: Start) -> None:
    async with serve_host() as host, start_auth(trusted_issuers=[host.setting()]) as auth:
        external_id = "José/42:é"
        token = host.sign(sub=external_id)
        user_id = (await auth.post("/v1/auth/exchange", {"token": token})).body["user"]["id"]
        _, key = await auth.services.server_keys.create("key", [Scope.ACT], None, by=None)
        async with another_service(auth) as service:
            assert (await who(service, key, user_id.upper())).body == user_id
            assert (await who(service, key, f"external:{quote(external_id, safe='')}")).body == user_id
            await auth.sql("update users set deactivated_at = now()")

            async def is_refused() -> bool:
                return (await who(service, key, user_id)).status == 422

            await eventually(is_refused)


async def test_scope__lacking__is_forbidden_naming_it(service: ServiceClient, make_key: MakeKey) -> None:
    _, without = await make_key(*(scope for scope in Scope if scope is not Scope.MESSAGES))
    key_id, key = await make_key(Scope.MESSAGES)
    answer = await service.call("GET", "/v1/server/messages", token=without)
    assert (answer.status, answer.body["error"]["details"]) == (403, {"scope": "messages"})
    assert (await service.call("GET", "/v1/server/messages", token=key)).body == key_id


async def test_revoked__while_it_is_in_use__is_refused_within_a_second(
    auth: Auth, service: ServiceClient, make_key: MakeKey
) -> None:
    key_id, key = await make_key(Scope.MESSAGES)
    assert (await service.call("GET", "/v1/server/messages", token=key)).status == 200

    await auth.services.server_keys.revoke(key_id)
    revoked_at = time.monotonic()
    while (await service.call("GET", "/v1/server/messages", token=key)).status == 200:
        assert time.monotonic() - revoked_at <= 1.1

    assert (await service.call("GET", "/v1/server/messages", token=key)).code == "unauthenticated"


async def test_keys__while_auth_is_away__known_ones_hold_and_others_are_unavailable(start_auth: Start) -> None:
    async with AsyncExitStack() as after:
        async with start_auth() as auth:
            _, key = await auth.services.server_keys.create("key", [Scope.MESSAGES], None, by=None)
            service = await after.enter_async_context(another_service(auth))
            assert (await service.call("GET", "/v1/server/messages", token=key)).status == 200

        answer = await service.call("GET", "/v1/server/messages", token="stk_unknown")

        assert (answer.status, answer.code) == (503, "unavailable")
        assert (await service.call("GET", "/v1/server/messages", token=key)).status == 200


async def test_bot__elsewhere__is_the_bot_until_its_token_ends(auth: Auth, service: ServiceClient) -> None:
    user, token = await auth.services.bots.create(new_name(), "Helper")
    assert (await who(service, token, None)).body == user.id
    assert (await who(service, token, user.id)).code == "forbidden"
    assert (await who(service, "stb_unknown", None)).code == "unauthenticated"
    assert (await service.call("GET", "/v1/server/messages", token=token)).code == "forbidden"

    renewed = await auth.services.bots.renew(user.id)
    renewed_at = time.monotonic()
    while (await who(service, token, None)).status == 200:
        assert time.monotonic() - renewed_at <= 1.1

    assert (await who(service, renewed, None)).body == user.id
