"""Writing in a conversation whose room the socket is not in (yet), and many receipts at once."""

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from pydantic import TypeAdapter
from synctalk_contracts.commands import AnyCommand, MarkDelivered, MarkRead
from synctalk_contracts.encoding.commands import Encoded
from synctalk_contracts.sockets import ReceiptsToServer
from synctalk_gateway.acks import PendingAck
from synctalk_gateway.actions import rooms
from synctalk_gateway.actions.receipts import ReceiptReports
from synctalk_gateway.errors import TooManyCommandsError
from synctalk_runtime.errors import NotFoundError, RateLimitedError, UnavailableError
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import World

_COMMAND: TypeAdapter[AnyCommand] = TypeAdapter(AnyCommand)
ADA = new_id()
ROOMS = [new_id() for _ in range(300)]


async def test_must_be_in_room__an_unrelated_user__is_not_found(world: "World") -> None:
    ada = world.connect("ada")
    world.api.members["c"], world.api.change_seqs["c"] = {"bob"}, 0
    with pytest.raises(NotFoundError):
        await world.rooms.must_be_in_room(ada, "c")

    assert world.registry.rooms == {}


async def test_must_be_in_room__added_a_moment_ago__waits_for_the_event(world: "World") -> None:
    ada = world.connect("ada")
    world.api.members["c"], world.api.change_seqs["c"] = {"ada"}, 0
    waiting = asyncio.create_task(world.rooms.must_be_in_room(ada, "c"))
    await eventually(lambda: "positions" in world.api.asked)
    world.registry.join("c", ada)
    await waiting

    assert world.written(ada) == []


async def test_must_be_in_room__the_event_was_lost__joins_and_syncs(
    world: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "JOIN_WAIT_S", 0.02)
    ada = world.connect("ada")
    world.api.members["c"], world.api.change_seqs["c"] = {"ada"}, 4
    await world.rooms.must_be_in_room(ada, "c")

    assert world.written(ada) == [("sync:required", {"conversation_ids": ["c"]})]
    assert world.room("c").sequencer.change_seq == 4


async def test_must_be_in_room__in_a_conversation_beyond_the_joined__joins_it_at_once(world: "World") -> None:
    ada = world.connect("ada", "d")
    ada.partial = True
    world.api.members["c"], world.api.change_seqs["c"] = {"ada"}, 4
    await world.rooms.must_be_in_room(ada, "c")

    assert ada.rooms == {"c", "d"}


async def test_must_be_in_room__api_goes_away_while_joining__leaves_no_room(
    world: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = world.connect("ada")
    ada.partial = True
    world.api.members["c"], world.api.change_seqs["c"] = {"ada"}, 4
    ask = world.api.positions

    async def once(user_id: str, conversation_ids: list[str]) -> dict[str, int]:
        answer = await ask(user_id, conversation_ids)
        world.api.error = UnavailableError()
        return answer

    monkeypatch.setattr(world.api, "positions", once)
    with pytest.raises(UnavailableError):
        await world.rooms.must_be_in_room(ada, "c")

    assert world.registry.rooms == {}
    assert ada.buffer is None


class Asked:
    """In place of the commands: acks when the test says so."""

    def __init__(self) -> None:
        self.submitted: list[tuple[Any, PendingAck]] = []
        self.most = 10_000

    def submit(self, _: str, command: Encoded) -> PendingAck:
        if len(self.submitted) >= self.most:
            raise TooManyCommandsError
        ack = PendingAck()
        self.submitted.append((_COMMAND.validate_json(command.json), ack))
        return ack

    def answer(self, *refused: str) -> None:
        for command, ack in self.submitted:
            ok = command.conversation_id not in refused
            ack.set({"ok": True} if ok else {"ok": False, "error": {"code": "not_found"}})


def reports(world: "World", asked: Asked) -> ReceiptReports:
    return ReceiptReports(cast(Any, asked), world.feed, world.limits, cast(Any, world.deliveries))


async def test_receipts__are_acked_when_all_were_answered(world: "World") -> None:
    ada, asked = world.connect(ADA, *ROOMS), Asked()
    payload = ReceiptsToServer(delivered=dict.fromkeys(ROOMS[:200], 2), read={ROOMS[0]: 2, ROOMS[1]: 1, ROOMS[2]: 3})
    ack = await reports(world, asked).report(ada, payload)
    assert not ack.done()
    asked.answer(ROOMS[1], ROOMS[9])

    marks = [command for command, _ in asked.submitted]
    assert [type(mark) for mark in marks].count(MarkRead) == 3
    assert {m.conversation_id for m in marks if isinstance(m, MarkDelivered)} == {*ROOMS[1:2], *ROOMS[3:200]}
    failed = {key: {"code": "not_found"} for key in (ROOMS[1], ROOMS[9])}
    assert ack.result() == {"ok": True, "failed": failed}
    assert len(world.buckets.taken) <= 4


async def test_receipts__some_are_refused_at_once__are_reported_with_the_others(world: "World") -> None:
    ada, asked = world.connect(ADA, *ROOMS), Asked()
    asked.most = 2
    coming = await reports(world, asked).report(ada, ReceiptsToServer(read=dict.fromkeys(ROOMS[:3], 1)))
    asked.answer()
    ack = coming.result()

    assert list(ack["failed"]) == [ROOMS[2]]
    assert ack["failed"][ROOMS[2]]["code"] == "unavailable"


async def test_receipts__none__is_acked(world: "World") -> None:
    ada = world.connect(ADA)
    ack = await reports(world, Asked()).report(ada, ReceiptsToServer())

    assert ack.result() == {"ok": True, "failed": {}}


async def test_receipts__of_conversations_not_joined__cost_more(world: "World") -> None:
    ada, asked = world.connect(ADA), Asked()
    await reports(world, asked).report(ada, ReceiptsToServer(read=dict.fromkeys(ROOMS, 1)))

    assert len(world.buckets.taken) > 30


async def test_receipts__bucket_is_empty__is_refused(world: "World") -> None:
    ada = world.connect(ADA, ROOMS[0])
    world.buckets.refusal = RateLimitedError()
    with pytest.raises(RateLimitedError):
        await reports(world, Asked()).report(ada, ReceiptsToServer(read={ROOMS[0]: 1}))
