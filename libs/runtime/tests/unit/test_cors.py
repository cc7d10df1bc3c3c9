"""Pages of other origins may call if the settings name them; everybody else is answered as ever, without permission."""

from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from pydantic import ValidationError
from synctalk_runtime.app import create_app
from synctalk_runtime.errors import RateLimitedError
from synctalk_runtime.health import Health

OURS = "https://www.example.com"
STRANGE = "https://evil.example"
PREFLIGHT = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization,content-type"}


def _client(settings: Any) -> httpx.AsyncClient:
    router = APIRouter()

    @router.patch("/thing")
    async def change() -> dict[str, str]:
        return {}

    @router.get("/limited")
    async def limited() -> None:
        raise RateLimitedError(retry_after=1)

    app = create_app(settings, [router], Health())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://chat.example.com")


@pytest.fixture
def client(make_settings: Any) -> httpx.AsyncClient:
    return _client(make_settings(allowed_origins=[OURS]))


async def test_preflight__of_an_allowed_origin__is_answered_without_credentials(client: httpx.AsyncClient) -> None:
    answer = await client.options("/thing", headers={"Origin": OURS, **PREFLIGHT})

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == OURS
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    assert answer.headers["Access-Control-Max-Age"] == "600"
    assert answer.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", [STRANGE, "null", f"{OURS}.evil.example", OURS.upper(), "http://www.example.com"])
async def test_preflight__of_another_origin__is_forbidden_in_the_error_shape(
    client: httpx.AsyncClient, origin: str
) -> None:
    answer = await client.options("/thing", headers={"Origin": origin, **PREFLIGHT})

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "forbidden"
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(("method", "path", "status"), [("PATCH", "/thing", 200), ("GET", "/gone", 404)])
async def test_answer__to_an_allowed_origin__may_be_read(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path, headers={"Origin": OURS})

    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == OURS
    assert "Origin" in answer.headers["Vary"]


async def test_refusal__to_an_allowed_origin__says_when_to_come_back(client: httpx.AsyncClient) -> None:
    answer = await client.get("/limited", headers={"Origin": OURS})

    assert answer.headers["Retry-After"] == "1"
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]


async def test_answer__to_another_origin__may_not_be_read(client: httpx.AsyncClient) -> None:
    answer = await client.patch("/thing", headers={"Origin": STRANGE})

    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_answer__without_an_origin__is_served_and_varies_by_it(client: httpx.AsyncClient) -> None:
    answer = await client.patch("/thing")

    assert (answer.status_code, answer.headers["Vary"]) == (200, "Origin")
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_origins__none__refuse_the_preflights_of_other_origins_only(make_settings: Any) -> None:
    client = _client(make_settings())

    other = await client.options("/thing", headers={"Origin": OURS, **PREFLIGHT})
    own = await client.options("/thing", headers={"Origin": "http://chat.example.com", **PREFLIGHT})

    assert (other.status_code, own.status_code) == (403, 405)
    assert not [name for name in (*other.headers, *own.headers) if name.startswith("access-control")]


async def test_any_origin__gets_itself_back(make_settings: Any) -> None:
    answer = await _client(make_settings(allowed_origins=["*"])).patch("/thing", headers={"Origin": STRANGE})

    assert answer.headers["Access-Control-Allow-Origin"] == STRANGE
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "given",
    [f'["{OURS}", "https://b.example"]', f"{OURS},https://b.example", f" {OURS} , https://b.example "],
)
def test_origins__in_the_environment__are_json_or_apart_by_commas(
    make_settings: Any, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("SYNCTALK_ALLOWED_ORIGINS", given)
    assert make_settings().allowed_origins == [OURS, "https://b.example"]


def test_origins__empty_in_the_environment__are_none(make_settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCTALK_ALLOWED_ORIGINS", "")
    assert make_settings().allowed_origins == []


@pytest.mark.parametrize("given", [f'["{OURS}"', "[1]", f"{OURS},,", f"{OURS};https://b.example"])
def test_origins__unreadable_in_the_environment__stop_the_start(
    make_settings: Any, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("SYNCTALK_ALLOWED_ORIGINS", given)
    with pytest.raises(ValidationError):
        make_settings()


@pytest.mark.parametrize("origin", ["*", "null"])
def test_origin__that_every_page_can_have__is_a_problem_in_production(make_settings: Any, origin: str) -> None:
    settings = make_settings(allowed_origins=[OURS, origin])
    assert any("SYNCTALK_ALLOWED_ORIGINS" in sentence for sentence in settings.production_problems())


def test_origins__exact_ones__are_no_problem_in_production(make_settings: Any) -> None:
    settings = make_settings(allowed_origins=[OURS])
    assert not any("SYNCTALK_ALLOWED_ORIGINS" in sentence for sentence in settings.production_problems())


@pytest.mark.parametrize("origin", ["https://www.example.com/", "www.example.com", "", "https://a b"])
def test_origin__that_no_browser_sends__is_refused_at_the_start(make_settings: Any, origin: str) -> None:
    with pytest.raises(ValidationError):
        make_settings(allowed_origins=[origin])


@pytest.mark.parametrize("origin", ["*", "https://www.example.com:8443", "capacitor://localhost"])
def test_origin__as_a_browser_sends_it__is_taken(make_settings: Any, origin: str) -> None:
    assert make_settings(allowed_origins=[origin]).allowed_origins == [origin]
