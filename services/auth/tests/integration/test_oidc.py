"""Signing in with an identity provider: a real one, and one that attacks."""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import pytest_asyncio
from synctalk_testkit.http import Response, request

from services.auth.tests.harness import Auth, Start
from services.auth.tests.host import new_key
from services.auth.tests.identity_provider import ADA, CLIENT_ID, Provider, serve_provider, serve_real_provider

COOKIE = "__Host-synctalk_oidc"
APP = "https://app.example.org"
START = "/v1/auth/oidc/acme/start"
CALLBACK = "/v1/auth/oidc/acme/callback"
COMPLETE = "/v1/auth/oidc/complete"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def provider() -> AsyncIterator[Provider]:
    async with serve_provider() as provider:
        yield provider


@pytest.fixture(autouse=True)
def honest(provider: Provider) -> None:
    """Each test begins with a provider that does as it should."""
    provider.document, provider.claims, provider.signed, provider.id_token = {}, {}, {}, None
    provider.token_status = provider.discovery_status = 200


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def auth(start_auth: Start, provider: Provider) -> AsyncIterator[Auth]:
    async with start_auth(
        oidc_providers=[provider.setting(), provider.setting(id="other", name="Other")],
        allowed_origins=[APP],
    ) as auth:
        yield auth


@dataclass
class Browser:
    """A browser that has been sent to the provider."""

    auth: Auth
    location: str
    cookie: str
    set_cookie: str = ""

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}

    async def come_back(self, path: str = CALLBACK, cookie: str | None = None, **query: str) -> Response:
        headers = {"cookie": f"{COOKIE}={self.cookie if cookie is None else cookie}"}
        return await self.auth.get(path, params=query, headers=headers, allow_redirects=False)

    async def complete(self, code: str, *, cookie: str | None = None, **fields: Any) -> Response:
        headers = {"cookie": f"{COOKIE}={self.cookie if cookie is None else cookie}"}
        return await self.auth.post(COMPLETE, {"code": code} | fields, headers=headers)


async def start(auth: Auth, path: str = START, **query: str) -> Browser:
    answer = await auth.get(path, params=query, allow_redirects=False)
    assert answer.status == 302, answer
    name, _, value = answer.headers["Set-Cookie"].partition(";")[0].partition("=")
    assert name == COOKIE
    return Browser(auth, answer.headers["Location"], value, answer.headers["Set-Cookie"])


async def came_back(auth: Auth, provider: Provider, **query: str) -> tuple[Browser, str]:
    """Sign in as far as the one-time code."""
    browser = await start(auth, **query)
    code = secrets.token_hex(8)
    state = provider.authorize(browser.location, code)["state"]
    answer = await browser.come_back(state=state, code=code)
    return browser, code_in(answer)


def code_in(answer: Response) -> str:
    assert answer.status == 302, answer
    _, _, code = answer.headers["Location"].partition("#code=")
    assert code, answer
    return code


def failed(answer: Response) -> str | None:
    """The error that the sign-in page gets; None: it gets none."""
    assert answer.status == 302, answer
    _, found, error = answer.headers["Location"].partition("/sign-in?error=")
    return error if found else None


# ── It works ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_sign_in__with_a_real_provider__is_the_same_user_each_time(start_auth: Start) -> None:
    async with serve_real_provider() as issuer:
        setting = {"id": "acme", "name": "Acme", "issuer": issuer, "client_id": CLIENT_ID, "client_secret": "secret"}
        async with start_auth(oidc_providers=[setting]) as auth:
            users = []
            for _ in range(2):
                browser = await start(auth, return_to="/c/1?x=1")
                at_provider = await request(
                    auth.http, "POST", browser.location, data={"sub": "ada"}, allow_redirects=False
                )
                back = urlsplit(at_provider.headers["Location"])
                assert f"{back.scheme}://{back.netloc}" == auth.url
                query = {name: values[0] for name, values in parse_qs(back.query).items()}
                answer = await browser.come_back(back.path, **query)
                assert answer.headers["Location"].startswith("/c/1?x=1#code=")
                done = await browser.complete(code_in(answer), device_name="Laptop")
                assert done.status == 200, done
                users.append(done.body["user"])

            assert users[0]["id"] == users[1]["id"]
            assert (users[0]["display_name"], users[0]["username"]) == (ADA["name"], "ada")
            rows = await auth.sql("select external_id from external_ids")
            assert [row["external_id"] for row in rows] == ["acme:ada"]
            left = await auth.sql("select 1 from oidc_logins union all select 1 from oidc_codes")
            assert left == []


async def test_providers__lists_what_the_sign_in_page_offers(auth: Auth, start_auth: Start) -> None:
    answer = await auth.get("/v1/auth/providers")
    assert answer.body == {
        "password": True,
        "registration": "open",
        "guests": True,
        "items": [
            {"id": "acme", "name": "Acme", "start_url": "/v1/auth/oidc/acme/start"},
            {"id": "other", "name": "Other", "start_url": "/v1/auth/oidc/other/start"},
        ],
    }
    async with start_auth(registration="closed", guests="off") as closed:
        answer = await closed.get("/v1/auth/providers")
        assert (answer.body["registration"], answer.body["guests"], answer.body["items"]) == ("closed", False, [])


async def test_start__asks_with_state_nonce_and_pkce_and_keeps_no_secret(auth: Auth, provider: Provider) -> None:
    browser = await start(auth)
    query = browser.query

    assert browser.location.startswith(f"{provider.url}/authorize?tenant=1&")
    assert (query["response_type"], query["client_id"], query["scope"]) == ("code", CLIENT_ID, "openid profile")
    assert query["redirect_uri"] == f"{auth.url}{CALLBACK}"
    assert query["code_challenge_method"] == "S256"
    assert all(len(query[name]) == 43 for name in ("state", "nonce", "code_challenge"))
    attributes = {part.strip().lower() for part in browser.set_cookie.split(";")[1:]}
    assert {"httponly", "secure", "path=/", "samesite=lax"} <= attributes
    assert not any(attribute.startswith("domain") for attribute in attributes)
    rows = str(await auth.sql("select * from oidc_logins"))
    assert not any(text in rows for text in (browser.cookie, query["state"], query["nonce"]))


async def test_start__in_two_tabs__both_come_back(auth: Auth, provider: Provider) -> None:
    first = await start(auth)
    answer = await auth.get(START, headers={"cookie": f"{COOKIE}={first.cookie}"}, allow_redirects=False)
    second = Browser(auth, answer.headers["Location"], first.cookie)
    assert f"{COOKIE}={first.cookie};" in answer.headers["Set-Cookie"]
    assert first.query["state"] != second.query["state"]
    assert first.query["nonce"] != second.query["nonce"]
    for number, browser in enumerate((first, second)):
        provider.authorize(browser.location, f"tab-{number}")
        back = await browser.come_back(state=browser.query["state"], code=f"tab-{number}")
        assert (await browser.complete(code_in(back))).status == 200


async def test_public_url__is_where_providers_send_browsers_back(start_auth: Start, provider: Provider) -> None:
    async with start_auth(oidc_providers=[provider.setting()], public_url="https://chat.example.org") as auth:
        browser = await start(auth, return_to="https://chat.example.org/x")
        assert browser.query["redirect_uri"] == f"https://chat.example.org{CALLBACK}"
        forged = await auth.get(START, headers={"host": "evil.example"}, allow_redirects=False)
        assert "evil.example" not in forged.headers["Location"]


# ── Where the browser is sent ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["start", "callback"])
async def test_unknown_provider__is_not_found(auth: Auth, path: str) -> None:
    for name in ("nobody", "..%2facme", "ACME"):
        answer = await auth.get(f"/v1/auth/oidc/{name}/{path}", allow_redirects=False)
        assert answer.status == 404


@pytest.mark.parametrize(
    "return_to",
    [
        "", "x", "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "https:evil.example",
        "https:///evil.example", "http://app.example.org", "https://app.example.org:444/", "javascript:alert(1)",
        "https://app.example.org@evil.example/", "https://app.example.org.evil.example", "/\t/evil.example",
        "\t//evil.example", "/a\nb", "/x#y", "https://APP.example.org\\@evil.example", "data:text/html,x", "/é",
        "/" + "x" * 2048, "https://[", "https://*",
    ],
)  # fmt: skip
async def test_start__return_to_of_another_origin__is_invalid(auth: Auth, return_to: str) -> None:
    answer = await auth.get(START, params={"return_to": return_to}, allow_redirects=False)
    assert (answer.status, answer.fields) == (422, {"return_to"})
    assert "Location" not in answer.headers


@pytest.mark.parametrize("return_to", ["/", "/c/1?x=//evil.example", APP, f"{APP}/chat?a=b"])
async def test_start__return_to_of_ours_or_allowed__is_gone_to_with_the_code(
    auth: Auth, provider: Provider, return_to: str
) -> None:
    browser = await start(auth, return_to=return_to)
    provider.authorize(browser.location)
    answer = await browser.come_back(state=browser.query["state"], code="c1")
    assert answer.headers["Location"].startswith(f"{return_to}#code=")
    assert (answer.headers["Referrer-Policy"], answer.headers["Cache-Control"]) == ("no-referrer", "no-store")


# ── Another browser, again, or changed ───────────────────────────────────────────────────────────────────────────────


async def test_callback__without_the_cookie_or_with_another_state__fails_and_asks_nobody(
    auth: Auth, provider: Provider
) -> None:
    browser, other = await start(auth), await start(auth)
    provider.authorize(browser.location)
    redeemed, state = provider.redeemed, browser.query["state"]

    for answer in (
        await browser.come_back(cookie="", state=state, code="c1"),
        await browser.come_back(cookie=other.cookie, state=state, code="c1"),
        await browser.come_back(state=other.query["state"], code="c1"),
        await browser.come_back(state="x" * 43, code="c1"),
        await browser.come_back(code="c1"),
        await browser.come_back("/v1/auth/oidc/other/callback", state=state, code="c1"),
    ):
        assert failed(answer) == "failed"
    assert provider.redeemed == redeemed
    assert failed(await browser.come_back(state=state, code="c1")) is None


async def test_callback__state_and_code_again__fail_and_ask_nobody(auth: Auth, provider: Provider) -> None:
    browser = await start(auth)
    state = provider.authorize(browser.location)["state"]
    answers = await asyncio.gather(*(browser.come_back(state=state, code="c1") for _ in range(5)))
    redeemed = provider.redeemed
    again = await browser.come_back(state=state, code="c1")

    assert sorted(failed(answer) or "" for answer in answers) == ["", *["failed"] * 4]
    assert (failed(again), provider.redeemed) == ("failed", redeemed)


async def test_callback__code_of_another_sign_in__fails(auth: Auth, provider: Provider) -> None:
    attacker, victim = await start(auth), await start(auth)
    provider.authorize(attacker.location, "stolen")
    answer = await victim.come_back(state=victim.query["state"], code="stolen")
    assert failed(answer) == "failed"


async def test_callback__too_late__fails(auth: Auth, provider: Provider) -> None:
    browser = await start(auth)
    state = provider.authorize(browser.location)["state"]
    await auth.sql("update oidc_logins set expires_at = now()")
    assert failed(await browser.come_back(state=state, code="c1")) == "failed"
    await auth.services.cleaning.clean()
    assert await auth.sql("select 1 from oidc_logins") == []


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"error": "access_denied"}, "access_denied"),
        ({"error": "<script>", "error_description": "x"}, "failed"),
        ({}, "failed"),
        ({"code": "c1", "iss": "https://another.example"}, "failed"),
    ],
)
async def test_callback__refused_by_the_provider__fails_with_a_word_of_ours(
    auth: Auth, provider: Provider, query: dict[str, str], error: str
) -> None:
    browser = await start(auth)
    state = provider.authorize(browser.location)["state"]
    assert failed(await browser.come_back(state=state, **query)) == error
    assert failed(await browser.come_back(state=state, code="c1")) == "failed"


async def test_complete__again_by_another_browser_or_too_late__is_invalid(auth: Auth, provider: Provider) -> None:
    browser, code = await came_back(auth, provider)
    answers = await asyncio.gather(*(browser.complete(code) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 401, 401, 401, 401]
    assert (await browser.complete(code)).code == "invalid_credentials"

    browser, code = await came_back(auth, provider)
    other = await start(auth)
    assert (await browser.complete(code, cookie=other.cookie)).code == "invalid_credentials"
    assert (await browser.complete(code)).code == "invalid_credentials"

    browser, code = await came_back(auth, provider)
    await auth.sql("update oidc_codes set expires_at = now()")
    assert (await browser.complete(code)).code == "invalid_credentials"
    assert (await browser.complete("x")).code == "invalid_credentials"


async def test_code__lives_for_a_minute_and_is_kept_as_a_hash(auth: Auth, provider: Provider) -> None:
    browser, code = await came_back(auth, provider)
    rows = await auth.sql("select *, extract(epoch from expires_at - now()) as left from oidc_codes")
    assert 50 < max(row["left"] for row in rows) <= 60
    assert code not in str(rows)
    assert (await browser.complete(code)).status == 200


async def test_complete__by_an_app__needs_the_verifier_of_its_challenge(auth: Auth, provider: Provider) -> None:
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")

    browser, code = await came_back(auth, provider, code_challenge=challenge)
    wrong = await auth.post(COMPLETE, {"code": code, "code_verifier": secrets.token_urlsafe(48)})
    assert wrong.code == "invalid_credentials"
    browser, code = await came_back(auth, provider, code_challenge=challenge)
    assert (await auth.post(COMPLETE, {"code": code})).code == "invalid_credentials"
    browser, code = await came_back(auth, provider)
    assert (await auth.post(COMPLETE, {"code": code, "code_verifier": verifier})).code == "invalid_credentials"
    browser, code = await came_back(auth, provider, code_challenge=challenge)
    assert (await auth.post(COMPLETE, {"code": code, "code_verifier": verifier})).status == 200
    assert (await auth.get(START, params={"code_challenge": "plain"}, allow_redirects=False)).fields == {
        "code_challenge"
    }
    assert browser.cookie


# ── ID tokens that do not hold ───────────────────────────────────────────────────────────────────────────────────────


async def sign_in_fails(auth: Auth, provider: Provider) -> str | None:
    browser = await start(auth)
    state = provider.authorize(browser.location)["state"]
    return failed(await browser.come_back(state=state, code="c1"))


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "x" * 43},
        {"nonce": ...},
        {"nonce": 1},
        {"aud": "another"},
        {"aud": [CLIENT_ID, "another"]},
        {"aud": [CLIENT_ID], "azp": "another"},
        {"iss": "https://another.example"},
        {"exp": 1},
        {"iat": 9_999_999_999},
        {"sub": ...},
        {"sub": ""},
        {"sub": "a b"},
    ],
)
async def test_id_token__claim_wrong_or_missing__fails(auth: Auth, provider: Provider, claims: dict[str, Any]) -> None:
    provider.claims = claims
    assert await sign_in_fails(auth, provider) == "failed"


async def test_id_token__unsigned_by_another_key_or_with_the_secret__fails(auth: Auth, provider: Provider) -> None:
    for signed in (
        {"key": new_key()},
        {"key": "s/cret" * 8, "algorithm": "HS256"},
        {"kid": "unknown", "key": new_key()},
    ):
        provider.signed = signed
        assert await sign_in_fails(auth, provider) == "failed"
    provider.id_token = jwt.encode({"iss": provider.url, "sub": "7"}, "", "none")
    assert await sign_in_fails(auth, provider) == "failed"
    provider.id_token = "x"
    assert await sign_in_fails(auth, provider) == "failed"


async def test_id_token__nonce_of_an_earlier_sign_in__fails(auth: Auth, provider: Provider) -> None:
    first, _ = await came_back(auth, provider)
    provider.claims = {"nonce": first.query["nonce"]}
    assert await sign_in_fails(auth, provider) == "failed"


async def test_email_and_name_of_another_user__link_nothing(auth: Auth, provider: Provider) -> None:
    victim = await auth.register(display_name="Victim", email="victim@example.org")
    username = victim["user"]["username"]
    provider.claims = {
        "sub": "attacker", "email": "victim@example.org", "email_verified": True, "preferred_username": username,
        "name": "Victim",
    }  # fmt: skip
    browser, code = await came_back(auth, provider)
    user = (await browser.complete(code)).body["user"]
    assert user["id"] != victim["user"]["id"]
    assert user["username"] != username


async def test_same_sub_at_another_provider__is_another_user(auth: Auth, provider: Provider) -> None:
    provider.claims = {"sub": "shared", "preferred_username": "nul\0\ud800"}
    browser, code = await came_back(auth, provider)
    mine = (await browser.complete(code)).body["user"]
    other = await start(auth, "/v1/auth/oidc/other/start")
    provider.authorize(other.location)
    back = await other.come_back("/v1/auth/oidc/other/callback", state=other.query["state"], code="c1")
    assert (await other.complete(code_in(back))).body["user"]["id"] != mine["id"]


# ── The provider is away, or who may not come in ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://another.example"},
        {"token_endpoint": "http://example.org/token"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
async def test_discovery__that_does_not_hold__leads_to_the_sign_in_page(
    start_auth: Start, provider: Provider, document: dict[str, Any]
) -> None:
    async with start_auth(oidc_providers=[provider.setting()]) as auth:
        provider.document = document
        assert failed(await auth.get(START, allow_redirects=False)) == "unavailable"


async def test_provider__away__leads_to_the_sign_in_page(auth: Auth, start_auth: Start, provider: Provider) -> None:
    provider.token_status = 503
    assert await sign_in_fails(auth, provider) == "unavailable"
    async with start_auth(oidc_providers=[provider.setting()]) as another:
        provider.discovery_status = 500
        assert failed(await another.get(START, allow_redirects=False)) == "unavailable"


async def test_complete__unknown_or_deactivated_user__is_forbidden(start_auth: Start, provider: Provider) -> None:
    async with start_auth(oidc_providers=[provider.setting(create_users=False)]) as auth:
        browser, code = await came_back(auth, provider)
        assert (await browser.complete(code)).code == "forbidden"
        await auth.services.server_users.put("acme:7", {"display_name": "Seven"})
        browser, code = await came_back(auth, provider)
        assert (await browser.complete(code)).body["user"]["display_name"] == "Seven"
        await auth.services.server_users.remove("acme:7", None)
        browser, code = await came_back(auth, provider)
        assert (await browser.complete(code)).code == "forbidden"


async def test_start__too_often_from_one_address__is_rate_limited(start_auth: Start, provider: Provider) -> None:
    async with start_auth(
        oidc_providers=[provider.setting()], oidc_per_address_burst=2, oidc_per_address_per_s=0.001
    ) as auth:
        answers = [await auth.get(START, allow_redirects=False) for _ in range(3)]
        assert [answer.status for answer in answers] == [302, 302, 429]


async def test_complete__in_a_browser_that_asks__puts_the_refresh_token_into_its_cookie(
    auth: Auth, provider: Provider
) -> None:
    browser, code = await came_back(auth, provider)
    headers = {"cookie": f"{COOKIE}={browser.cookie}", "x-synctalk-refresh": "cookie"}
    answer = await auth.post(COMPLETE, {"code": code}, headers=headers)
    assert (answer.status, answer.body["refresh_token"]) == (200, "")
    assert answer.headers["Set-Cookie"].startswith("synctalk_refresh=")
