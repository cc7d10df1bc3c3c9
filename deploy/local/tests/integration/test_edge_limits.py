"""What one address may ask of the edge: low limits in the real nginx, and clients at several loopback addresses."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress

import aiohttp
import pytest
import pytest_asyncio
from synctalk_systemtest.edge import Edge, running_edge, write_web_root
from synctalk_testkit.eventually import eventually

CONNECTIONS = 20
REQUESTS_PER_S = 50
REQUESTS_BURST = 200
BURST = 5
LOW = {
    "EDGE_CONNECTIONS_PER_ADDRESS": str(CONNECTIONS),
    "EDGE_REQUESTS_PER_S": str(REQUESTS_PER_S),
    "EDGE_REQUESTS_BURST": str(REQUESTS_BURST),
    **{f"EDGE_{what}_PER_S": "1" for what in ("AUTH", "HANDSHAKES", "SEARCHES")},
    **{f"EDGE_{what}_BURST": str(BURST) for what in ("AUTH", "HANDSHAKES", "SEARCHES")},
    # The proxy in front is at 127.0.1.1; a client that comes through it has the address that the proxy names.
    "TRUSTED_PROXIES": "set_real_ip_from 127.0.1.1;",
    "TRUSTED_RANGES": "127.0.1.1 1;",
    "EDGE_HSTS": "max-age=31536000",
    "EDGE_IMAGE_SOURCES": "https://images.example.com",
    "EDGE_FILE_ORIGINS": "https://files.example.com",
}
PROXY = "127.0.1.1"
HANDSHAKE = "/socket.io/?EIO=4&transport=polling"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def edge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    web_root = write_web_root(tmp_path_factory.mktemp("web"))
    async with running_edge(tmp_path_factory.mktemp("stack"), web_root, LOW) as edge:
        yield edge


ADDRESSES = (f"127.0.0.{number}" for number in itertools.count(2))


@pytest.fixture
def address() -> Iterator[str]:
    """One that nobody has used yet, so that no test spends another's requests."""
    yield next(ADDRESSES)


async def statuses(http: aiohttp.ClientSession, path: str, count: int, **headers: str) -> Counter[int]:
    """Of so many requests, a few at a time: what is limited here is not the connections."""
    places = asyncio.Semaphore(CONNECTIONS // 2)

    async def status() -> int:
        async with places, http.get(path, headers=headers) as answer:
            await answer.read()
            return answer.status

    return Counter(await asyncio.gather(*(status() for _ in range(count))))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/auth/login",
        "/v1/auth/refresh",
        "/v1//auth/%6cogout",
        HANDSHAKE,
        "/socket.io/?EIO=4&transport=websocket",
        f"{HANDSHAKE}&sid=",
        f"{HANDSHAKE}&SID=1-abc",
        f"{HANDSHAKE}&x=sid=gateway-1.abc",
        f"{HANDSHAKE}&x={'x' * 2100}&sid=gateway-1.abc",
        "/socket.io/%0a?EIO=4&transport=polling",
        "/v1/search?q=word",
        "/v1/users?search=a",
    ],
    ids=lambda path: path[:45],
)
async def test_flood__of_what_costs__is_refused_and_another_address_is_not(edge: Edge, address: str, path: str) -> None:
    started = time.monotonic()
    async with edge.client_at(address) as flooder, edge.client_at(next(ADDRESSES)) as other:
        seen = await statuses(flooder, path, 60)
        took = time.monotonic() - started

        assert BURST <= 60 - seen[429] <= BURST + 1 + took
        assert (await statuses(other, path, BURST))[429] == 0


async def test_refusal__has_the_error_shape_and_says_when_to_come_back(edge: Edge, address: str) -> None:
    async with edge.client_at(address) as http:
        await statuses(http, "/v1/auth/login", 2 * BURST)
        async with http.post("/v1/auth/login", json={"username": "a"}) as answer:
            body = await answer.json()

            assert answer.status == 429
            assert answer.headers.getall("Retry-After") == ["1"]
            assert body["error"].keys() == {"code", "message", "retry_after"}
            assert (body["error"]["code"], body["error"]["retry_after"]) == ("rate_limited", 1)


@pytest.mark.parametrize(
    "path", [f"{HANDSHAKE}&sid=gateway-1.abc", "/socket.io/?sid=gateway-1.abc", "/v1/users/me", "/v1/users/1"]
)
async def test_request__that_is_no_handshake_nor_search__has_the_wide_limit_only(
    edge: Edge, address: str, path: str
) -> None:
    async with edge.client_at(address) as http:
        assert await statuses(http, path, 10 * BURST) == {200: 10 * BURST}


async def test_flood__of_any_requests__reaches_no_service_beyond_the_limit(edge: Edge, address: str) -> None:
    """Two thousand requests with bad tokens from one address, while another one works."""
    other_address = next(ADDRESSES)
    started = time.monotonic()
    async with edge.client_at(address) as flooder, edge.client_at(other_address) as other:
        flood = asyncio.create_task(statuses(flooder, "/v1/users/me", 2_000, Authorization="Bearer no.such.token"))
        worked = await statuses(other, "/v1/users/me", REQUESTS_BURST // 2)
        seen = await flood

    assert worked == {200: REQUESTS_BURST // 2}
    assert seen.keys() == {200, 429}
    reached = edge.upstreams["api"].clients[address]
    assert reached == seen[200] <= REQUESTS_BURST + 1 + REQUESTS_PER_S * (time.monotonic() - started)


async def test_connections__of_one_address__are_counted_until_they_end(edge: Edge, address: str) -> None:
    path = "/socket.io/?EIO=4&transport=websocket&sid=gateway-1.abc"
    async with edge.client_at(address) as http, edge.client_at(next(ADDRESSES)) as other, AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(http.ws_connect(path)) for _ in range(CONNECTIONS)]

        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(path)
        assert refused.value.status == 429
        assert await statuses(http, "/v1/users/me", 1) == {429: 1}
        assert await statuses(other, "/v1/users/me", 1) == {200: 1}

        await sockets[0].close()

        async def may_again() -> bool:
            return await statuses(http, "/v1/users/me", 1) == {200: 1}

        await eventually(may_again, message="the place of the closed socket was not free again")


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:a0a:d0d:9", True),
        ("2001:db8:1:3::1", "2001:db8:1:4::1", False),
        ("2001:db8:a0a:a0a::1", "2001:db8:a0a:a0a:a0a::1", True),
        ("::ffff:203.0.113.10", "::ffff:203.0.113.11", False),
        ("::ffff:203.0.113.12", "203.0.113.12", True),
        ("198.51.100.1", "198.51.100.2", False),
    ],
)
async def test_address__of_ipv6__is_limited_by_its_network(edge: Edge, first: str, second: str, shared: bool) -> None:
    async with edge.client_at(PROXY) as proxy:
        await statuses(proxy, "/v1/auth/login", 3 * BURST, **{"X-Forwarded-For": first})

        seen = await statuses(proxy, "/v1/auth/login", 1, **{"X-Forwarded-For": second})

    assert seen == ({429: 1} if shared else {200: 1})


async def test_client__behind_the_proxy__is_whom_the_proxy_saw_itself(edge: Edge) -> None:
    claimed = {"X-Forwarded-For": "6.6.6.6, 127.0.1.1, 198.51.100.77", "X-Forwarded-Proto": "https"}
    async with edge.client_at(PROXY) as proxy, proxy.get("/v1/users/me", headers=claimed) as answer:
        seen = (await answer.json())["headers"]

        assert (seen["X-Forwarded-For"], seen["X-Forwarded-Proto"]) == ("198.51.100.77", "https")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_client__that_plays_a_proxy__is_not_believed(edge: Edge, address: str) -> None:
    claimed = {"X-Forwarded-For": "198.51.100.78", "X-Forwarded-Proto": "https"}
    async with edge.client_at(address) as http, http.get("/v1/users/me", headers=claimed) as answer:
        seen = (await answer.json())["headers"]

        assert (seen["X-Forwarded-For"], seen["X-Forwarded-Proto"]) == (address, "http")
        assert "Strict-Transport-Security" not in answer.headers


async def test_image_source__that_was_allowed__is_in_the_policy(edge: Edge, address: str) -> None:
    async with edge.client_at(address) as http, http.get("/") as answer:
        policy = answer.headers["Content-Security-Policy"]

    assert "connect-src 'self' https://files.example.com;" in policy
    assert "img-src 'self' data: blob: https://images.example.com https://files.example.com;" in policy
    assert "media-src 'self' blob: https://files.example.com;" in policy


async def test_header__that_trickles__is_cut_though_it_never_stops(edge: Edge, address: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port, local_addr=(address, 0))
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
    end = asyncio.create_task(reader.read())

    async with asyncio.timeout(10):
        while not end.done():
            writer.write(b"x")
            await asyncio.wait({end}, timeout=0.05)

    writer.close()
    with suppress(ConnectionError):  # cut with a reset
        assert b" 200 " not in await end
