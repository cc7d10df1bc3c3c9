"""The stand-in answers as FCM does, and shows what it got."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import httpx
import jwt
import pytest
import pytest_asyncio
from synctalk_fcm.credentials import write_credentials, write_vapid_key
from synctalk_fcm.main import build
from synctalk_fcm.settings import FcmSettings
from synctalk_fcm.tokens import GRANT_TYPE

SEND = "/v1/projects/synctalk-local/messages:send"
URL = "http://fcm.test"


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    path = tmp_path / "account.json"
    assert write_credentials(path, URL)
    return path


@pytest_asyncio.fixture
async def http(credentials: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = build(FcmSettings(fcm_credentials_file=credentials, fcm_slow_s=0.05, fcm_max_messages=5))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as client:
        client.headers["Authorization"] = f"Bearer {await access_token(client, credentials)}"
        yield client


def assertion(credentials: Path) -> str:
    """As Google's clients sign it."""
    account, now = json.loads(credentials.read_text()), int(time.time())
    claims = {"iss": account["client_email"], "aud": account["token_uri"], "iat": now, "exp": now + 3600}
    return jwt.encode(claims, account["private_key"], algorithm="RS256")


async def access_token(client: httpx.AsyncClient, credentials: Path) -> str:
    answer = await client.post("/token", data={"grant_type": GRANT_TYPE, "assertion": assertion(credentials)})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def send(client: httpx.AsyncClient, token: str, **message: Any) -> httpx.Response:
    return await client.post(SEND, json={"message": {"token": token} | message})


async def listed(client: httpx.AsyncClient, **params: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get("/dev/push/messages", params=params)).json()["items"]
    return items


class TestWhoMayNot:
    async def test_send__without_an_access_token__is_refused(self, http: httpx.AsyncClient) -> None:
        answer = await http.post(SEND, json={"message": {"token": "a"}}, headers={"Authorization": "Bearer other"})
        assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
        assert await listed(http) == []

    async def test_token__assertion_of_another_key__is_refused(self, http: httpx.AsyncClient, tmp_path: Path) -> None:
        other = tmp_path / "other.json"
        write_credentials(other, URL)
        form = {"grant_type": GRANT_TYPE, "assertion": assertion(other)}
        assert (await http.post("/token", data=form)).json()["error"] == "invalid_grant"

    @pytest.mark.parametrize("body", [b"", b"grant_type=x", b"\xff=\xff", f"grant_type={GRANT_TYPE}".encode()])
    async def test_token__not_an_assertion__is_refused(self, http: httpx.AsyncClient, body: bytes) -> None:
        assert (await http.post("/token", content=body)).status_code == 400

    @pytest.mark.parametrize(
        "body",
        [
            b"no json",
            b"[]",
            b"{}",
            b'{"message":{}}',
            b'{"message":{"token":7}}',
            b'{"message":{"token":"a","topic":"b"}}',
            b'{"message":{"token":"a","data":{"n":1}}}',
            b'{"message":{"token":"a","data":{"google.x":"1"}}}',
            b'{"message":{"token":"a","surprise":{}}}',
            b'{"message":{"token":"a","data":{"n":"' + b"x" * 5000 + b'"}}}',
        ],
    )
    async def test_send__not_a_message__is_an_invalid_argument(self, http: httpx.AsyncClient, body: bytes) -> None:
        answer = await http.post(SEND, content=body)
        assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
        assert await listed(http) == []


class TestBehaviours:
    async def test_ordinary_token__is_answered_well(self, http: httpx.AsyncClient) -> None:
        answer = await send(http, "phone", data={"a": "b"})
        assert answer.status_code == 200
        assert answer.json()["name"].startswith("projects/synctalk-local/messages/")
        [item] = await listed(http)
        assert item["token"] == "phone"
        assert item["answered"] == 200
        assert item["message"] == {"token": "phone", "data": {"a": "b"}}
        assert item["received_at"].endswith("Z")

    async def test_unregistered__always(self, http: httpx.AsyncClient) -> None:
        for _ in range(3):
            answer = await send(http, "unregistered-1")
            assert answer.status_code == 404
            assert answer.json()["error"]["details"][0]["errorCode"] == "UNREGISTERED"

    async def test_unavailable__twice_then_well(self, http: httpx.AsyncClient) -> None:
        assert [(await send(http, "unavailable-1")).status_code for _ in range(4)] == [503, 503, 200, 200]
        assert [item["answered"] for item in await listed(http, token="unavailable-1")] == [503, 503, 200, 200]

    async def test_quota__twice_with_retry_after_then_well(self, http: httpx.AsyncClient) -> None:
        answers = [await send(http, "quota-1") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [429, 429, 200]
        assert [answer.headers.get("Retry-After") for answer in answers] == ["1", "1", None]

    async def test_slow__well_after_a_while(self, http: httpx.AsyncClient) -> None:
        answer = await send(http, "slow-1")
        assert answer.status_code == 200
        assert answer.elapsed.total_seconds() >= 0.05


class TestList:
    async def test_messages__of_one_token__only_those(self, http: httpx.AsyncClient) -> None:
        await send(http, "a")
        await send(http, "b")
        assert [item["token"] for item in await listed(http, token="b")] == ["b"]

    async def test_messages__over_the_bound__the_oldest_is_gone(self, http: httpx.AsyncClient) -> None:
        for number in range(7):
            await send(http, f"t{number}")
        assert [item["token"] for item in await listed(http)] == ["t2", "t3", "t4", "t5", "t6"]

    async def test_delete__empties_and_forgets(self, http: httpx.AsyncClient) -> None:
        await send(http, "unavailable-1")
        assert (await http.delete("/dev/push/messages")).status_code == 204
        assert await listed(http) == []
        assert [(await send(http, "unavailable-1")).status_code for _ in range(3)] == [503, 503, 200]

    async def test_page__hostile_token_and_data__are_text(self, http: httpx.AsyncClient) -> None:
        await send(http, "<script>alert(1)</script>", data={"type": "<b>", "seq": "$time"})
        page = (await http.get("/dev/push", params={"token": "<script>alert(1)</script>"})).text
        assert "<script" not in page
        assert "&lt;script&gt;" in page
        assert "$time" in page

    async def test_page__empty__says_so(self, http: httpx.AsyncClient) -> None:
        answer = await http.get("/dev/push")
        assert answer.headers["content-type"].startswith("text/html")
        assert 'class="card empty"' in answer.text
        assert (await http.get("/dev/push/style.css")).headers["content-type"].startswith("text/css")


def test_write_credentials__again__keeps_the_key_unless_the_address_moved(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "account.json"
    assert write_credentials(path, URL)
    assert path.stat().st_mode & 0o777 == 0o600
    assert not write_credentials(path, URL + "/")
    assert write_credentials(path, "http://elsewhere.test")


def test_write_vapid_key__again__keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "vapid.pem"
    assert write_vapid_key(path)
    key = path.read_bytes()
    assert not write_vapid_key(path)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (key, 0o600)


class TestWebPush:
    HEADERS: ClassVar = {"TTL": "60", "Authorization": "vapid t=a, k=b"}

    async def test_push__is_listed_as_it_came(self, http: httpx.AsyncClient) -> None:
        answer = await http.post("/dev/webpush/browser", content=b"\x00\xff", headers=self.HEADERS)
        [item] = await listed(http, token="browser")
        assert (answer.status_code, item["answered"], item["body"], item["headers"]["ttl"]) == (201, 201, "AP8=", "60")

    async def test_push__without_ttl_unsigned_or_too_large__is_refused(self, http: httpx.AsyncClient) -> None:
        for headers, content, status in (
            ({"TTL": "60"}, b"a", 401),
            ({"Authorization": "vapid t=a, k=b"}, b"a", 400),
            (self.HEADERS, bytes(4097), 413),
        ):
            http.headers.pop("Authorization", None)
            answer = await http.post("/dev/webpush/refused", content=content, headers=headers)
            assert answer.status_code == status
        assert await listed(http, token="refused") == []

    async def test_push__in_trouble__fails_as_push_services_do(self, http: httpx.AsyncClient) -> None:
        found = {}
        for beginning in ("unregistered", "unavailable", "quota", "slow"):
            answers = [
                (await http.post(f"/dev/webpush/{beginning}-1", content=b"a", headers=self.HEADERS)).status_code
                for _ in range(3)
            ]
            found[beginning] = answers
        assert found == {
            "unregistered": [410, 410, 410],
            "unavailable": [503, 503, 201],
            "quota": [429, 429, 201],
            "slow": [201, 201, 201],
        }
