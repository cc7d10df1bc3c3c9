"""Letting a socket in: what is asked in which order, and what a slow or failing upstream does."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from synctalk_gateway.actions import later_joins
from synctalk_gateway.errors import RefusedError, TooManyConnectionsError
from synctalk_gateway.protocol.engine_socket import EngineSocket
from synctalk_runtime.errors import RateLimitedError, UnauthenticatedError, UnavailableError
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import RecordingSocket, World

ADA = new_id()
Connect = Callable[["World", Any], Awaitable[Any]]
CONVERSATIONS = [new_id() for _ in range(5)]


class Trust:
    """In place of token verification: the token "ada" is good."""

    def __init__(self) -> None:
        self.verified = 0
        self.good_for = 1_000

    async def verify(self, token: str) -> Any:
        self.verified += 1
        if token != "ada" or self.verified > self.good_for:
            raise UnauthenticatedError
        return ADAS_TOKEN


class AdasToken:
    user_id = ADA
    session_id = new_id()
    expires_at = time.time() + 900
    kid = "key"
    is_bot = False


ADAS_TOKEN = AdasToken()


@pytest.fixture
def trust() -> Trust:
    return Trust()


@pytest.fixture
def connect(trust: Trust) -> Connect:
    """Lets a socket in, as the protocol's server does."""

    async def let_in(world: "World", socket: Any) -> Any:
        for conversation_id in CONVERSATIONS:
            world.api.members[conversation_id] = {ADA}
            world.api.change_seqs[conversation_id] = 1
        accepted = await world.connections(trust).connect(socket, {"token": "ada"})
        accepted.start()
        return accepted.client

    return let_in


@pytest_asyncio.fixture(loop_scope="function")
async def socket(world: "World") -> "RecordingSocket":
    return world.socket(world.connect("somebody"))


async def test_connect__address_bucket_is_empty__verifies_nothing(
    world: "World", connect: Connect, trust: Trust, socket: EngineSocket
) -> None:
    world.buckets.refusal = RateLimitedError()
    with pytest.raises(UnavailableError):
        await connect(world, socket)

    assert trust.verified == 0


async def test_connect__of_a_user_who_floods__asks_nothing(
    world: "World", connect: Connect, socket: "RecordingSocket"
) -> None:
    socket.floods = True
    with pytest.raises(UnavailableError):
        await connect(world, socket)

    assert world.api.asked == []


async def test_connect__redis_is_away__addresses_are_counted_here(
    make_world: "Callable[..., World]", trust: Trust, socket: EngineSocket
) -> None:
    connections = make_world(connect_rate_per_s=0.001, connect_burst=3).connections(trust)
    for _ in range(5):
        with pytest.raises((RefusedError, UnavailableError)):
            await connections.connect(socket, {"token": "forged"})

    assert trust.verified == 3


async def test_connect__more_conversations_than_are_joined__says_so(
    make_world: "Callable[..., World]", connect: Connect, socket: "RecordingSocket"
) -> None:
    world = make_world(ready_conversations=3)
    connection = await connect(world, socket)
    (ready,) = socket.of("ready")

    assert [c["id"] for c in ready["conversations"]] == CONVERSATIONS[:3]
    assert ready["more"] is True
    assert set(world.registry.rooms) == set(CONVERSATIONS[:3])
    assert connection.joining


async def test_connect__more_conversations_than_ready_names__all_are_joined_after_it(
    make_world: "Callable[..., World]", connect: Connect, socket: "RecordingSocket", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(later_joins, "PORTION", 1)
    world = make_world(ready_conversations=2)
    connection = await connect(world, socket)
    await eventually(lambda: not connection.joining)

    assert set(world.registry.rooms) == set(CONVERSATIONS)
    assert not connection.partial
    assert [event for event, _ in socket.written] == ["ready"]


async def test_connect__something_happened_before_its_room_was_joined__client_is_asked_to_sync_it(
    make_world: "Callable[..., World]", connect: Connect, socket: "RecordingSocket"
) -> None:
    world = make_world(ready_conversations=2)
    world.api.changed = {CONVERSATIONS[3]}
    connection = await connect(world, socket)
    await eventually(lambda: not connection.joining)

    assert socket.of("sync:required") == [{"conversation_ids": [CONVERSATIONS[3]]}]


async def test_connect__api_is_away_after_ready__the_rest_is_joined_when_it_is_back(
    make_world: "Callable[..., World]", connect: Connect, socket: "RecordingSocket", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(later_joins, "MIN_BACKOFF_S", 0.001)
    world = make_world(ready_conversations=2)
    connection = await connect(world, socket)
    world.api.error = UnavailableError()
    await eventually(lambda: world.api.asked.count("conversation_ids") > 2)
    assert connection.joining
    world.api.error = None
    await eventually(lambda: not connection.joining)

    assert set(world.registry.rooms) == set(CONVERSATIONS)


async def test_connect__gone_while_the_rest_is_joined__holds_nothing(
    make_world: "Callable[..., World]",
    connect: Connect,
    trust: Trust,
    socket: "RecordingSocket",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(later_joins, "PORTION", 1)
    world = make_world(ready_conversations=2)
    connection = await connect(world, socket)
    await eventually(lambda: len(world.registry.rooms) > 2)
    world.connections(trust).disconnect(connection)
    await eventually(lambda: not connection.joining)

    assert world.registry.rooms == {}


async def test_connect__more_conversations_than_a_socket_joins__the_others_are_looked_for(
    make_world: "Callable[..., World]", connect: Connect, socket: "RecordingSocket", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(later_joins, "PORTION", 1)
    world = make_world(ready_conversations=2, joined_conversations_max=3)
    connection = await connect(world, socket)
    await eventually(lambda: not connection.joining)

    assert len(world.registry.rooms) == 3
    assert connection.partial


async def test_connect__all_conversations_are_joined__says_so(
    world: "World", connect: Connect, socket: "RecordingSocket"
) -> None:
    connection = await connect(world, socket)

    assert socket.of("ready")[0]["more"] is False
    assert set(world.registry.rooms) == set(CONVERSATIONS)
    assert not connection.partial


async def test_connect__api_is_slow__gives_up_and_holds_nothing(
    make_world: "Callable[..., World]",
    connect: Connect,
    socket: EngineSocket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(*_: Any) -> Any:
        await asyncio.Event().wait()

    world = make_world(let_in_timeout_s=0.05)
    monkeypatch.setattr(world.api, "conversations", never)
    with pytest.raises(UnavailableError):
        await connect(world, socket)

    assert world.registry.connections == {}
    assert world.registry.by_user == {}


async def test_connect__api_answers_oddly__holds_nothing(
    world: "World", connect: Connect, socket: EngineSocket
) -> None:
    connections = len(world.registry.connections)
    world.api.error = KeyError("items")
    with pytest.raises(KeyError):
        await connect(world, socket)

    assert len(world.registry.connections) == connections
    assert world.registry.rooms == {}


async def test_connect__the_socket_ends_meanwhile__holds_nothing(
    world: "World", connect: Connect, socket: "RecordingSocket", monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = len(world.registry.connections)
    ask = world.api.conversations

    async def ended(user_id: str, limit: int) -> Any:
        socket.ended = True
        return await ask(user_id, limit)

    monkeypatch.setattr(world.api, "conversations", ended)
    with pytest.raises(UnavailableError):
        await connect(world, socket)

    assert socket.of("ready") == []
    assert len(world.registry.connections) == connections


async def test_connect__the_session_ends_while_it_waits__is_refused(
    world: "World", connect: Connect, trust: Trust, socket: EngineSocket
) -> None:
    trust.good_for = 1
    with pytest.raises(RefusedError):
        await connect(world, socket)

    assert ADA not in world.registry.by_user


@pytest.mark.parametrize("auth", [None, {}, {"token": None}, {"token": ["ada"]}, "ada"])
async def test_connect__without_a_token__is_refused_and_verifies_nothing(
    world: "World", trust: Trust, socket: EngineSocket, auth: Any
) -> None:
    with pytest.raises(RefusedError) as refused:
        await world.connections(trust).connect(socket, auth)

    assert refused.value.error.code == UnauthenticatedError.code
    assert trust.verified == 0


async def test_connect__keys_cannot_be_read__closes_so_that_the_client_comes_back(
    world: "World", socket: EngineSocket
) -> None:
    class Away:
        async def verify(self, _: str) -> Any:
            raise UnavailableError

    with pytest.raises(UnavailableError):
        await world.connections(Away()).connect(socket, {"token": "ada"})

    assert world.api.asked == []


async def test_connect__more_sockets_of_a_user_than_allowed__is_refused(
    make_world: "Callable[..., World]", connect: Connect
) -> None:
    world = make_world(max_connections_per_user=2)
    sockets = [world.socket(world.connect("somebody")) for _ in range(3)]
    for socket in sockets[:2]:
        await connect(world, socket)
    with pytest.raises(RefusedError) as refused:
        await connect(world, sockets[2])

    assert refused.value.error.code == TooManyConnectionsError.code
    assert len(world.registry.by_user[ADA]) == 2


async def test_connect__user_connects_too_often__closes_so_that_the_client_comes_back(
    world: "World", connect: Connect, trust: Trust, socket: EngineSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def take(_: Any, subject: str) -> None:
        if subject == ADA:
            raise RateLimitedError

    monkeypatch.setattr(world.buckets, "take", take)
    with pytest.raises(UnavailableError):
        await connect(world, socket)

    assert trust.verified == 1
    assert world.api.asked == []
