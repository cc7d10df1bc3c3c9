"""The third part of the interface, SyncTalk in somebody's product: its rows and points about who may call."""

import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import jwt
import pytest
import pytest_asyncio
from synctalk_systemtest.beside import beside
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import RefusedError, User, Users, new_name
from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import Response, request
from synctalk_testkit.ports import free_port

from services.auth.tests.identity_provider import serve_real_provider
from tests.e2e.backend import Backend, new_ticket, of_user, place, said
from tests.e2e.test_team_interface import refused

ISSUER, AUDIENCE, SECRET = "https://login.example.org/", "chat", "0123456789abcdef0123456789abcdef"
CLOSED = "https://closed.example.org/"
COOKIE = "__Host-synctalk_oidc"
SCOPES = ["keys", "users", "tokens", "conversations", "messages", "bots", "events", "webhooks", "act"]


@dataclass(frozen=True)
class HostedAuth:
    """An auth process that trusts the host app's logins, and takes nobody in without an invite."""

    url: str
    oidc_port: int

    async def post(self, users: Users, path: str, body: Any, **options: Any) -> Response:
        return await request(users.http, "POST", self.url + path, json=body, **options)

    async def exchange(self, users: Users, token: str) -> Response:
        return await self.post(users, "/v1/auth/exchange", {"token": token})


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def provider(hosted_auth: HostedAuth) -> AsyncIterator[None]:
    """Run the identity provider that it trusts."""
    async with serve_real_provider(hosted_auth.oidc_port):
        yield


@pytest.fixture(scope="session")
def hosted_auth(shared_stack: RunningStack) -> Iterator[HostedAuth]:
    port = free_port()
    issuers = [
        {"issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["HS256"], "shared_secret": SECRET},
        {
            "issuer": CLOSED,
            "audience": AUDIENCE,
            "algorithms": ["HS256"],
            "shared_secret": SECRET,
            "create_users": False,
            "external_id_prefix": "closed-",
        },
    ]
    provider = {"id": "acme", "name": "Acme", "issuer": f"http://localhost:{port}", "client_id": "synctalk-web"}
    settings = {
        "TRUSTED_ISSUERS": json.dumps(issuers),
        "OIDC_PROVIDERS": json.dumps([provider | {"client_secret": "secret"}]),
        "REGISTRATION": "invite",
    }
    with beside(shared_stack, "auth-1", settings) as url:
        yield HostedAuth(url, port)


def signed(sub: str, *, key: str = SECRET, **changed: Any) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": sub, "iat": now, "exp": now + 300} | changed
    return jwt.encode({name: value for name, value in claims.items() if value is not ...}, key, "HS256")


async def guest_of(users: Users, **fields: Any) -> dict[str, Any]:
    answer = await request(users.http, "POST", f"{users.base_url}/v1/auth/guest", json=fields)
    assert answer.status == 201, answer
    tokens: dict[str, Any] = answer.body
    return tokens


async def test_embed_who_1__user__by_own_token__may_what_the_first_part_says(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    assert (await ada.get("/v1/users/me"))["id"] == ada.id
    await (await ada.connect()).say((await ada.direct_with(bob))["id"], "hello")
    for path in ("/v1/events", "/v1/webhooks", "/v1/server/keys", "/v1/server/bots"):
        assert await refused(ada, "GET", path) == (403, "forbidden")


async def test_embed_who_2__user_of_the_host_app__exchanges_a_token__and_is_kept_up_to_date(
    users: Users, hosted_auth: HostedAuth, backend: Backend
) -> None:
    sub = new_name()
    first = await hosted_auth.exchange(users, signed(sub, name="Ada", picture="https://example.org/a.png"))
    again = await hosted_auth.exchange(users, signed(sub, name="Ada L"))
    assert (first.status, first.body["user"]["display_name"]) == (200, "Ada")
    assert first.body["user"]["avatar_url"] == "https://example.org/a.png"
    assert (again.body["user"]["id"], again.body["user"]["display_name"]) == (first.body["user"]["id"], "Ada L")
    user = backend.signed_in(again.body)
    await user.connect()
    assert (await backend.call("GET", of_user(sub)))["id"] == user.id


@pytest.mark.usefixtures("provider")
async def test_embed_who_3__openid_connect__leads_to_a_one_time_code__and_a_session(
    users: Users, hosted_auth: HostedAuth
) -> None:
    browser = await _sent_to_provider(users, hosted_auth)
    code = await _came_back(users, hosted_auth, browser)
    done = await hosted_auth.post(users, "/v1/auth/oidc/complete", {"code": code}, headers=browser.headers)
    assert (done.status, done.body["user"]["display_name"]) == (200, "Ada Lovelace")
    assert done.body.keys() >= {"access_token", "refresh_token", "session_id"}


async def test_embed_who_4__server_key__acts_as_a_user__by_id_or_external_id(backend: Backend) -> None:
    user_id, name = await backend.put_user()
    for header in (user_id, f"external:{quote(name.removeprefix('external:'), safe='')}"):
        assert (await backend.call("GET", "/v1/users/me", **{"X-SyncTalk-User": header}))["id"] == user_id


async def test_embed_who_5__bot__calls_and_connects_as_a_user__and_is_not_online(
    users: Users, backend: Backend
) -> None:
    ada = await users.register("Ada")
    made = await backend.call(
        "POST", "/v1/server/bots", {"username": f"bot-{secrets.token_hex(6)}", "display_name": "B"}
    )
    assert (made["user"]["is_bot"], made["token"][:4]) == (True, "stb_")
    bot = backend.signed_in({"access_token": made["token"], "user": made["user"], "session_id": ""})
    direct = await bot.direct_with(ada)
    live = await bot.connect()
    await live.say(direct["id"], "beep")
    (presence,) = (await ada.get(f"/v1/presence?user_ids={bot.id}"))["items"]
    assert presence["status"] == "offline"
    assert (await refused(bot, "PUT", "/v1/devices/x", {"platform": "android", "token": "x"}))[0] == 403


async def test_embed_who_6__guest__sees_only_where_it_was_put(users: Users, backend: Backend) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    tokens = await guest_of(users, display_name="Visitor")
    guest = backend.signed_in(tokens)
    assert (tokens["user"]["is_guest"], tokens["user"]["display_name"]) == (True, "Visitor")
    group = await ada.group_with(guest)
    assert [each["id"] for each in (await guest.get("/v1/conversations"))["items"]] == [group["id"]]
    assert (await guest.get(f"/v1/users/{ada.id}"))["id"] == ada.id
    assert await refused(guest, "GET", f"/v1/users/{bob.id}") == (404, "not_found")
    assert await refused(guest, "GET", "/v1/users?search=bob") == (403, "forbidden")
    begun = {"type": "direct", "member_ids": [ada.id]}
    assert await refused(guest, "POST", "/v1/conversations", begun) == (403, "forbidden")


async def test_embed_point_01__external_id__is_prefix_and_subject__and_links_nobody(
    users: Users, hosted_auth: HostedAuth, backend: Backend
) -> None:
    ada = await users.register("Ada")
    for sub in (new_name(), ada.id):
        tokens = (await hosted_auth.exchange(users, signed(sub, preferred_username=ada.username))).body
        assert tokens["user"]["id"] != ada.id
        assert tokens["user"]["username"] != ada.username
        assert (await backend.call("GET", of_user(sub)))["id"] == tokens["user"]["id"]
    renamed = (await hosted_auth.exchange(users, signed(sub, preferred_username="another.name"))).body
    assert renamed["user"]["username"] == tokens["user"]["username"]


async def test_embed_point_02__name_of_a_conversation__gives_no_access__and_works_in_paths(
    users: Users, backend: Backend
) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    name = new_ticket()
    made = await backend.put(name, ada.id)
    by_name = f"/v1/conversations/external:{quote(name, safe='')}"
    for beyond in ("", "/messages", "/members", "/pins"):
        assert (await ada.request("GET", by_name + beyond)).status == 200
        assert await refused(bob, "GET", by_name + beyond) == (404, "not_found")
    guest = backend.signed_in(await guest_of(users))
    assert await refused(guest, "GET", by_name) == (404, "not_found")
    code = (await ada.post(f"{by_name}/invites", {}))["code"]
    assert (await guest.post(f"/v1/invites/{code}/accept"))["id"] == made["id"]


async def test_embed_point_03__acting__needs_the_scope__a_user_that_is_there__and_a_server_key(
    users: Users, backend: Backend, stack: RunningStack
) -> None:
    ada = await users.register("Ada")
    act = {"X-SyncTalk-User": ada.id}
    without = await backend.with_scopes("users", "conversations")
    answer = await without.request("GET", "/v1/users/me", **act)
    assert (answer.status, answer.body["error"]["details"]["scope"]) == (403, "act")
    for method, path in (("GET", "/v1/auth/sessions"), ("GET", "/v1/server/keys")):
        assert await backend.refused(method, path, **act) == (403, "forbidden")
    for nobody in ("external:nobody-is-this", secrets.token_hex(4)):
        answer = await backend.request("GET", "/v1/conversations", **{"X-SyncTalk-User": nobody})
        assert (answer.status, answer.fields) == (422, {"X-SyncTalk-User"})
    refusal = await ada.request("GET", "/v1/users/me", headers=act)
    assert (refusal.status, refusal.code) == (403, "forbidden")
    for path in (f"/v1/presence?user_ids={ada.id}", "/v1/notification-settings", "/v1/conversations"):
        assert (await backend.request("GET", path, **act)).status == 200, path
    with pytest.raises(RefusedError) as refused_:
        await backend.signed_in(ada.tokens | {"access_token": backend.key}).connect()
    assert refused_.value.body["error"]["code"] == "unauthenticated"


async def test_embed_point_04__keys__make_no_wider_ones__are_listed_without_the_key__and_end(
    users: Users, backend: Backend
) -> None:
    ada = await users.register("Ada")
    assert await backend.refused("POST", "/v1/server/keys", {"name": "x", "scopes": ["all"]}) == (422, "invalid")
    narrow = await backend.with_scopes("keys", "users")
    refusal = await narrow.request("POST", "/v1/server/keys", {"name": "x", "scopes": ["users", "bots"]})
    assert (refusal.status, refusal.code) == (403, "forbidden")
    refusal = await narrow.request("GET", "/v1/server/bots")
    assert (refusal.status, refusal.body["error"]["details"]["scope"]) == (403, "bots")
    ends = await backend.call(
        "POST", "/v1/server/keys", {"name": "ends", "scopes": ["keys"], "expires_at": "2999-01-01T00:00:00.000Z"}
    )
    ending = Backend(users, ends["key"])
    assert (await ending.refused("POST", "/v1/server/keys", {"name": "x", "scopes": ["keys"]}))[0] == 403
    listed = (await backend.call("GET", "/v1/server/keys"))["items"]
    (mine,) = [each for each in listed if each["id"] == ends["id"]]
    assert mine.keys() == {"id", "name", "scopes", "created_at", "expires_at", "last_used_at"}
    assert (await backend.request("DELETE", f"/v1/server/keys/{ends['id']}")).status == 204
    await eventually(lambda: _is_unauthenticated(ending), 1.5)
    assert await refused(ada, "GET", "/v1/server/keys") == (403, "forbidden")


async def _is_unauthenticated(backend: Backend) -> bool:
    return (await backend.request("GET", "/v1/server/keys")).status == 401


async def test_embed_point_05__claim__puts_the_user_in_the_guests_place(users: Users, backend: Backend) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    tokens = await guest_of(users, display_name="Visitor")
    guest = backend.signed_in(tokens)
    group = await ada.group_with(guest)
    message = await guest.say(group["id"], "who am I?")
    live = await ada.connect()
    claim = {"guest_refresh_token": tokens["refresh_token"]}
    assert (await refused(guest, "POST", "/v1/auth/claim", claim))[0] == 403
    cursor = (await ada.get(f"/v1/conversations/{group['id']}"))["change_seq"]
    for _ in range(2):
        assert (await bob.request("POST", "/v1/auth/claim", json=claim)).status == 204
    await live.wait_for("member:changed", lambda got: (got["user_id"], got["role"]) == (guest.id, None), 15)
    await live.wait_for("member:changed", lambda got: (got["user_id"], got["role"]) == (bob.id, "member"))
    await live.wait_for("sync:required", lambda got: got["conversation_ids"] == [group["id"]])
    path = f"/v1/conversations/{group['id']}/messages/{message['id']}"
    assert (await bob.get(path))["sender_id"] == bob.id
    state = (await ada.post("/v1/sync", {"cursors": {group["id"]: cursor}}))["conversations"][group["id"]]
    assert state["reset"] is True
    assert await refused(guest, "GET", "/v1/users/me") == (401, "unauthenticated")
    assert await refused(ada, "POST", "/v1/auth/claim", claim) == (401, "invalid_refresh_token")


async def test_embed_point_10__exchange_and_registration__refuse_with_their_codes(
    users: Users, hosted_auth: HostedAuth
) -> None:
    for token, expected in (
        (signed("x", key="f" * 32), (401, "unauthenticated")),
        (signed("x", iss="https://other.example"), (401, "unauthenticated")),
        (signed("x", aud="another"), (401, "unauthenticated")),
        (signed("x", iat=...), (401, "unauthenticated")),
        (signed("x", exp=int(time.time()) - 120), (401, "token_expired")),
        (signed("nobody", iss=CLOSED), (403, "forbidden")),
    ):
        answer = await hosted_auth.exchange(users, token)
        assert (answer.status, answer.code) == expected
    ada = await users.register("Ada")
    code = (await ada.post(f"/v1/conversations/{(await ada.group_with())['id']}/invites", {"max_uses": 1}))["code"]
    wanted = {"username": f"eve-{secrets.token_hex(4)}", "password": ada.password}
    for fields, status in (({}, 403), ({"invite_code": code}, 201), ({"invite_code": code}, 403)):
        wanted["username"] += "x"
        assert (await hosted_auth.post(users, "/v1/auth/register", wanted | fields)).status == status
    assert (await request(users.http, "GET", f"{users.base_url}/v1/auth/providers")).body["registration"] == "open"


async def test_embed_point_22__foreign_token__obeys_its_issuers_rules(users: Users, hosted_auth: HostedAuth) -> None:
    now = int(time.time())
    unsigned = jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "sub": "x", "iat": now, "exp": now + 60}, "", "none")
    critical = jwt.encode(
        {"iss": ISSUER, "aud": AUDIENCE, "sub": "x", "iat": now, "exp": now + 60}, SECRET, "HS256", {"crit": ["x"]}
    )
    for token in (
        unsigned,
        critical,
        signed("x", iat=now + 120),
        signed("x", nbf=now + 120),
        signed(""),
        signed("x" * 256),
    ):
        answer = await hosted_auth.exchange(users, token)
        assert (answer.status, answer.code) == (401, "unauthenticated"), token
    sub = new_name()
    first = await hosted_auth.exchange(users, signed(sub, name="Ada", aud=["other", AUDIENCE], exp=now - 30))
    absent = await hosted_auth.exchange(users, signed(sub))
    assert (first.status, absent.body["user"]["display_name"]) == (200, "Ada")


async def test_embed_point_23__make_key__prints_one_key_with_all_scopes(backend: Backend) -> None:
    assert backend.key.startswith("stk_")
    assert backend.key.split() == [backend.key]
    listed = (await backend.call("GET", "/v1/server/keys"))["items"]
    assert any(sorted(each["scopes"]) == sorted(SCOPES) for each in listed)


async def test_embed_point_24__bot__has_a_lasting_session__until_another_token_or_its_end(
    users: Users, backend: Backend
) -> None:
    username = f"bot-{secrets.token_hex(6)}"
    made = await backend.call("POST", "/v1/server/bots", {"username": username, "display_name": "B"})
    path = f"/v1/server/bots/{made['user']['id']}"
    again = await backend.refused("POST", "/v1/server/bots", {"username": username, "display_name": "B"})
    assert again == (409, "username_taken")
    bot = backend.signed_in({"access_token": made["token"], "user": made["user"], "session_id": ""})
    assert (await (await bot.connect()).wait_for("ready"))["session_id"]
    for method, there in (("GET", "/v1/auth/sessions"), ("POST", "/v1/auth/password")):
        body = {"current_password": "x" * 8, "new_password": "y" * 8} if method == "POST" else None
        assert (await refused(bot, method, there, body))[0] == 403
    newer = await backend.call("POST", f"{path}/token")
    await eventually(lambda: _is_refused(bot), 1.5)
    assert made["user"]["id"] in [each["id"] for each in (await backend.call("GET", "/v1/server/bots"))["items"]]
    bot.tokens["access_token"] = newer["token"]
    assert (await bot.request("POST", "/v1/auth/logout")).status == 204
    await eventually(lambda: _is_refused(bot), 1.5)
    assert (await backend.request("DELETE", path)).status == 204


async def _is_refused(user: User) -> bool:
    return (await user.request("GET", "/v1/users/me")).status == 401


async def test_embed_point_25__guest__has_a_name_of_its_own__and_begins_nothing(users: Users, backend: Backend) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    guest = backend.signed_in(await guest_of(users))
    assert guest.username.startswith("guest-")
    assert len(guest.username) == len("guest-") + 10
    body = {"username": f"guest-{secrets.token_hex(5)}", "password": ada.password}
    assert (await request(users.http, "POST", f"{users.base_url}/v1/auth/register", json=body)).status in (409, 422)
    group = await ada.group_with(guest)
    assert [user["id"] for user in (await guest.get(f"/v1/users?ids={ada.id},{bob.id}"))["items"]] == [ada.id]
    presences = (await guest.get(f"/v1/presence?user_ids={bob.id}"))["items"]
    assert [each["status"] for each in presences] == ["offline"]
    for method, path, json_ in (
        ("GET", "/v1/users?search=a", None),
        ("GET", "/v1/channels", None),
        ("POST", f"/v1/conversations/{group['id']}/members", {"user_ids": [bob.id]}),
        ("POST", f"/v1/conversations/{group['id']}/invites", {}),
        ("POST", "/v1/conversations", {"type": "group", "title": "x", "member_ids": []}),
    ):
        assert await refused(guest, method, path, json_) == (403, "forbidden")


@pytest.mark.usefixtures("provider")
async def test_embed_point_29__sign_in__returns_to_our_own_pages__with_a_code_that_works_once(
    users: Users, hosted_auth: HostedAuth
) -> None:
    start = f"{hosted_auth.url}/v1/auth/oidc/acme/start"
    for bad in ("https://evil.example", "//evil.example"):
        answer = await request(users.http, "GET", start, params={"return_to": bad}, allow_redirects=False)
        assert (answer.status, answer.code) == (422, "invalid")
    browser = await _sent_to_provider(users, hosted_auth)
    assert "secure" in browser.set_cookie.lower()
    without = await request(
        users.http,
        "GET",
        f"{hosted_auth.url}/v1/auth/oidc/acme/callback",
        params={"state": "x", "code": "y"},
        allow_redirects=False,
    )
    assert (without.status, "?error=" in without.headers["Location"]) == (302, True)
    codes = [await _came_back(users, hosted_auth, browser)]
    codes += 2 * [await _came_back(users, hosted_auth, browser := await _sent_to_provider(users, hosted_auth))]
    done = [
        await hosted_auth.post(users, "/v1/auth/oidc/complete", {"code": code}, headers=headers)
        for code, headers in zip(codes, ({}, browser.headers, browser.headers), strict=True)
    ]
    assert [answer.status for answer in done] == [401, 200, 401]
    assert done[0].code == done[2].code == "invalid_credentials"
    providers = await request(users.http, "GET", f"{hosted_auth.url}/v1/auth/providers")
    assert providers.body == {
        "password": True,
        "registration": "invite",
        "guests": True,
        "items": [{"id": "acme", "name": "Acme", "start_url": "/v1/auth/oidc/acme/start"}],
    }
    unknown = await request(users.http, "GET", f"{hosted_auth.url}/v1/auth/oidc/nobody/start", allow_redirects=False)
    assert unknown.status == 404


@dataclass(frozen=True)
class Browser:
    """A browser that has been sent to the provider."""

    location: str
    set_cookie: str

    @property
    def headers(self) -> dict[str, str]:
        return {"cookie": self.set_cookie.partition(";")[0]}


async def _sent_to_provider(users: Users, auth: HostedAuth) -> Browser:
    start = f"{auth.url}/v1/auth/oidc/acme/start"
    answer = await request(users.http, "GET", start, params={"return_to": "/c/1"}, allow_redirects=False)
    assert answer.status == 302, answer
    assert answer.headers["Set-Cookie"].startswith(COOKIE)
    return Browser(answer.headers["Location"], answer.headers["Set-Cookie"])


async def _came_back(users: Users, auth: HostedAuth, browser: Browser) -> str:
    """Sign in at the provider, and return the one-time code with which the browser comes back."""
    at_provider = await request(users.http, "POST", browser.location, data={"sub": "ada"}, allow_redirects=False)
    back = urlsplit(at_provider.headers["Location"])
    query = {name: values[0] for name, values in parse_qs(back.query).items()}
    answer = await request(
        users.http, "GET", auth.url + back.path, params=query, headers=browser.headers, allow_redirects=False
    )
    path, _, code = answer.headers["Location"].partition("#code=")
    assert path.endswith("/c/1")
    return code


async def test_embed_point_30__user__is_marked__and_its_external_id_is_for_server_keys(
    users: Users, backend: Backend
) -> None:
    ada = await users.register("Ada")
    external_id = f"customer-{secrets.token_hex(6)}"
    fields = {"display_name": "Cus", "metadata": {"plan": "gold"}, "private_metadata": {"debt": 1}}
    made = await backend.call("PUT", of_user(external_id), fields)
    assert (made["external_id"], made["private_metadata"]) == (external_id, {"debt": 1})
    ticket = await backend.put(new_ticket(), made["id"], ada.id)  # put just now, and known to the other services
    await backend.call("POST", f"/v1/server/conversations/{ticket['id']}/messages", said(made["id"]))
    seen = await ada.get(f"/v1/users/{made['id']}")
    assert (seen["metadata"], seen["is_bot"], seen["is_guest"]) == ({"plan": "gold"}, False, False)
    acting = await backend.call("GET", f"/v1/users/{made['id']}", **{"X-SyncTalk-User": ada.id})
    for each in (seen, acting):
        assert each.keys() & {"external_id", "private_metadata"} == set()
    assert (await backend.request("POST", f"{of_user('nobody-' + external_id)}/token")).status == 404
    by_name = await backend.request("GET", place(new_ticket()))
    assert by_name.status == 404
