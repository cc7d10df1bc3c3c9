"""Socket events: each has a handler, is parsed by its contract and answered; commands are acked later."""

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import orjson
import pytest
from pydantic import TypeAdapter
from synctalk_contracts import topology
from synctalk_contracts.commands import AddReaction, AnyCommand, EditMessage, MarkRead, SendMessage
from synctalk_contracts.encoding.commands import Encoded
from synctalk_contracts.models import Forward
from synctalk_contracts.sockets import TO_SERVER
from synctalk_gateway.acks import PendingAck
from synctalk_gateway.actions.commands import CommandSubmission
from synctalk_gateway.actions.receipts import ReceiptReports
from synctalk_gateway.actions.sessions import TokenExpiry
from synctalk_gateway.errors import MalformedPacketError, TooManyCommandsError
from synctalk_gateway.sockets.handlers import SocketHandlers
from synctalk_runtime.errors import (
    InvalidError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
    UnknownEventError,
)
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import World

ADA, BOB, ROOM, MESSAGE = new_id(), new_id(), new_id(), new_id()
_COMMAND: TypeAdapter[AnyCommand] = TypeAdapter(AnyCommand)
EXPIRES_AT = 4_102_444_800.0


class Queue:
    """In place of the command queue: keeps commands, admits as a test wants it to."""

    def __init__(self) -> None:
        self.commands: list[Any] = []
        self.full = False

    def must_admit(self, _: str) -> None:
        if self.full:
            raise TooManyCommandsError

    def submit(self, _: str, command: Encoded) -> PendingAck:
        self.commands.append(_COMMAND.validate_json(command.json))
        return PendingAck()


class Tokens:
    """In place of token verification: a token is the id of its session, which is Ada's."""

    async def verify(self, token: str) -> Any:
        return SimpleNamespace(user_id=ADA, session_id=token, expires_at=EXPIRES_AT, kid="key")


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def handlers(world: "World", queue: Queue) -> SocketHandlers:
    commands, deliveries = cast(Any, queue), cast(Any, world.deliveries)
    return SocketHandlers(
        submission=CommandSubmission(commands, world.feed, world.rooms, world.limits, world.typing, deliveries),
        receipts=ReceiptReports(commands, world.feed, world.limits, deliveries),
        rooms=world.rooms,
        typing=world.typing,
        subscriptions=world.subscriptions,
        presence=cast(Any, world.presence),
        leases=cast(Any, world.leases),
        expiry=TokenExpiry(cast(Any, Tokens()), 60),
        api=cast(Any, world.api),
        limits=world.limits,
    )


async def test_on_event__every_event_of_the_contract__has_a_handler(world: "World", handlers: SocketHandlers) -> None:
    ada = world.connect(ADA)
    for event in TO_SERVER:
        with pytest.raises((MalformedPacketError, InvalidError)):
            await handlers.on_event(ada, event, [])


async def test_on_event__unknown_or_malformed_or_invalid__is_refused(world: "World", handlers: SocketHandlers) -> None:
    ada = world.connect(ADA)
    for name, payload, error in (
        ("nothing", {}, UnknownEventError),
        ("message:send", "text", MalformedPacketError),
        ("message:send", {"body": 7}, InvalidError),
    ):
        with pytest.raises(error):
            await handlers.on_event(ada, name, payload)


async def test_message_send__is_a_command_with_an_ack_to_come(
    world: "World", handlers: SocketHandlers, queue: Queue
) -> None:
    ada = world.connect(ADA, ROOM)
    payload = {"conversation_id": ROOM, "client_message_id": "a", "body": "hi"}
    ack = await handlers.on_event(ada, "message:send", payload)

    assert isinstance(ack, PendingAck)
    assert queue.commands == [
        SendMessage(conversation_id=ROOM, user_id=ADA, client_message_id="a", body="hi", reply_to=None)
    ]
    assert world.buckets.taken == [("message", ADA)]


async def test_message_send__with_metadata__carries_it_in_the_command(
    world: "World", handlers: SocketHandlers, queue: Queue
) -> None:
    ada = world.connect(ADA, ROOM)
    payload = {"conversation_id": ROOM, "client_message_id": "a", "body": "hi"}
    await handlers.on_event(ada, "message:send", payload | {"metadata": {"order": [1]}})
    with pytest.raises(InvalidError):
        await handlers.on_event(ada, "message:send", payload | {"metadata": {"a": "x" * 4_096}})

    assert [command.metadata for command in queue.commands] == [{"order": [1]}]


async def test_message_send__that_forwards__has_no_body(world: "World", handlers: SocketHandlers, queue: Queue) -> None:
    ada = world.connect(ADA, ROOM)
    payload = {"conversation_id": ROOM, "client_message_id": "a"}
    forward = {"conversation_id": ROOM, "message_id": MESSAGE}
    await handlers.on_event(ada, "message:send", payload | {"forward": forward})
    bad: list[dict[str, Any]] = [{}, {"forward": forward, "body": "hi"}, {"forward": {}}, {"body": ""}]
    for refused in bad:
        with pytest.raises(InvalidError):
            await handlers.on_event(ada, "message:send", payload | refused)

    (command,) = queue.commands
    assert SendMessage.from_bytes(command.to_bytes()) == SendMessage(
        conversation_id=ROOM, user_id=ADA, client_message_id="a", body="", forward=Forward(**forward)
    )


async def test_commands__take_a_signal_token_and_name_the_user(
    world: "World", handlers: SocketHandlers, queue: Queue
) -> None:
    ada = world.connect(ADA, ROOM)
    ids = {"conversation_id": ROOM, "message_id": MESSAGE}
    await handlers.on_event(ada, "message:edit", ids | {"body": "ho"})
    await handlers.on_event(ada, "reaction:add", ids | {"emoji": "👍"})
    await handlers.on_event(ada, "receipt:read", {"conversation_id": ROOM, "seq": 3})

    assert queue.commands == [
        EditMessage(user_id=ADA, body="ho", **ids),
        AddReaction(user_id=ADA, emoji="👍", **ids),
        MarkRead(conversation_id=ROOM, user_id=ADA, seq=3),
    ]
    assert {name for name, _ in world.buckets.taken} == {"signal"}
    assert world.deliveries.added == [(ada.session_id, ROOM, 3)]


async def test_commands__replies_cannot_come__are_refused_before_a_token_is_taken(
    world: "World", handlers: SocketHandlers, queue: Queue
) -> None:
    ada = world.connect(ADA, ROOM)
    world.feed.live = False
    with pytest.raises(UnavailableError):
        await handlers.on_event(ada, "receipt:read", {"conversation_id": ROOM, "seq": 3})
    with pytest.raises(UnavailableError):
        await handlers.on_event(ada, "receipts", {"read": {ROOM: 3}})
    world.feed.live, queue.full = True, True
    with pytest.raises(TooManyCommandsError):
        await handlers.on_event(ada, "receipt:read", {"conversation_id": ROOM, "seq": 3})

    assert world.buckets.taken == queue.commands == world.deliveries.added == []


STREAM_EVENTS: dict[str, dict[str, Any]] = {
    "message:stream:start": {"client_message_id": "a"},
    "message:stream:append": {"message_id": ROOM, "at": 0, "text": "x"},
    "message:stream:end": {"message_id": ROOM},
}


@pytest.mark.parametrize("event", ["typing:start", "typing:stop", "receipt:read", *STREAM_EVENTS])
async def test_events__of_a_conversation_the_user_is_not_in__are_not_found(
    world: "World", handlers: SocketHandlers, event: str
) -> None:
    ada = world.connect(ADA)
    payload = {"conversation_id": ROOM} | ({"seq": 1} if event == "receipt:read" else STREAM_EVENTS.get(event, {}))
    with pytest.raises(NotFoundError):
        await handlers.on_event(ada, event, payload)


async def test_presence_subscribe__a_change_meanwhile__comes_after_the_ack(
    world: "World", handlers: SocketHandlers
) -> None:
    ada = world.connect(ADA)
    ask = asyncio.create_task(handlers.on_event(ada, "presence:subscribe", {"user_ids": [BOB]}))
    await eventually(lambda: ada.watching == {BOB})
    event = {"shown": {"user_id": BOB}, "own": {}}
    world.receive(topology.presence_channel(BOB), orjson.dumps(event))
    ack = await handlers.on_event(ada, "presence:unsubscribe", {"user_ids": []})
    assert ack == {"ok": True}
    answer = await ask
    await asyncio.sleep(0)

    assert isinstance(answer, dict)
    assert [item["user_id"] for item in answer["items"]] == [BOB]
    assert ada.buffer is None
    assert world.written(ada) == [("presence:changed", {"user_id": BOB})]


async def test_presence_subscribe__fails__the_socket_goes_on(world: "World", handlers: SocketHandlers) -> None:
    ada = world.connect(ADA)
    world.presence.error = UnavailableError()
    with pytest.raises(UnavailableError):
        await handlers.on_event(ada, "presence:subscribe", {"user_ids": [BOB]})
    await asyncio.sleep(0)

    assert ada.buffer is None


async def test_activity__unchanged__is_not_reported(world: "World", handlers: SocketHandlers) -> None:
    ada = world.connect(ADA)
    await handlers.on_event(ada, "activity", {"active": True})
    assert world.leases.open == set()
    await handlers.on_event(ada, "activity", {"active": False})

    assert world.leases.open == {ada.id}
    assert not ada.active


async def test_sync__returns_what_api_has(world: "World", handlers: SocketHandlers) -> None:
    ada = world.connect(ADA, ROOM)
    ack = await handlers.on_event(ada, "sync", {"cursors": {ROOM: 0}})
    assert isinstance(ack, dict)
    assert ack["ok"]
    assert list(ack["conversations"]) == [ROOM]


async def test_auth_refresh__takes_the_new_token_of_the_session_only(world: "World", handlers: SocketHandlers) -> None:
    ada = world.connect(ADA)
    ack = await handlers.on_event(ada, "auth:refresh", {"token": ada.session_id})
    assert ack == {"ok": True, "expires_at": "2100-01-01T00:00:00.000Z"}
    assert ada.expires_at == EXPIRES_AT
    with pytest.raises(UnauthenticatedError):
        await handlers.on_event(ada, "auth:refresh", {"token": "another"})
    assert {name for name, _ in world.buckets.taken} == {"signal"}
    world.registry.remove(ada)


async def test_presence_set__changes_only_what_was_given(
    world: "World", handlers: SocketHandlers, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    async def take(user_id: str, update: dict[str, Any]) -> None:
        given.append((user_id, update))

    monkeypatch.setattr(world.presence, "set", take, raising=False)
    ack = await handlers.on_event(world.connect(ADA), "presence:set", {"custom_status": "lunch"})

    assert ack == {"ok": True}
    assert given == [(ADA, {"custom_status": "lunch"})]
