"""Commands from the queue of their partition to the ack."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import orjson
import pytest
from synctalk_contracts.commands import CommandBatch, DeleteMessage
from synctalk_contracts.encoding.commands import Encoder
from synctalk_contracts.internal import PartitionMap, PartitionOwner
from synctalk_contracts.topology import PARTITIONS
from synctalk_gateway.acks import PendingAck
from synctalk_gateway.clients.commands import Commands
from synctalk_gateway.errors import TooManyCommandsError
from synctalk_gateway.settings import Settings
from synctalk_runtime.bus import Bus
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_testkit.eventually import eventually

ROOM, ADA = new_id(), new_id()


class RecordingBus:
    """In place of RabbitMQ: keeps what is sent, replies nothing by itself."""

    def __init__(self) -> None:
        self.sent: list[CommandBatch] = []
        self.error: Exception | None = None
        self.lost_listeners: list[Callable[[], None]] = []

    def add_lost_listener(self, on_lost: Callable[[], None]) -> None:
        self.lost_listeners.append(on_lost)

    def lose(self) -> None:
        for on_lost in self.lost_listeners:
            on_lost()

    def send_command(self, _: str, body: bytes, *, ttl_ms: int) -> None:
        if self.error is not None:
            raise self.error
        assert ttl_ms > 0
        self.sent.append(CommandBatch.from_bytes(body))


class Submitted:
    """Commands on a bus, with the acks that came."""

    def __init__(self, settings: Settings) -> None:
        self.bus = RecordingBus()
        self.commands = Commands(settings, cast(Bus, self.bus), "gateway")
        everything = PartitionOwner(queue="api.commands.api-1", partitions=list(range(PARTITIONS)))
        self.commands.assign(PartitionMap(version=1, owners=[everything]))
        self.acks: list[PendingAck] = []

    @property
    def done(self) -> list[dict[str, Any]]:
        return [ack.result() for ack in self.acks if ack.done()]

    def submit(self, times: int = 1) -> None:
        for _ in range(times):
            command = Encoder(DeleteMessage).of(ADA, {"conversation_id": ROOM, "message_id": new_id()})
            self.acks.append(self.commands.submit("connection", command))

    def reply(self, batch: CommandBatch) -> None:
        replies: list[dict[str, Any]] = [{"id": request.id, "result": {}, "error": None} for request in batch.requests]
        self.commands.on_replies(orjson.dumps({"replies": replies}))

    def codes(self) -> list[str]:
        return [ack["error"]["code"] for ack in self.done if not ack["ok"]]


async def test_submit__is_sent_with_a_deadline_and_acked_when_done(make_settings: Callable[..., Settings]) -> None:
    submitted = Submitted(make_settings(command_timeout_s=3))
    before = utc_now()
    submitted.submit()
    await eventually(lambda: submitted.bus.sent)
    batch = submitted.bus.sent[0]
    submitted.reply(batch)

    assert batch.deadline is not None
    assert before + timedelta(seconds=3) <= batch.deadline <= utc_now() + timedelta(seconds=3)
    assert submitted.done == [{"ok": True}]


async def test_submit__without_a_reply__is_unavailable(make_settings: Callable[..., Settings]) -> None:
    submitted = Submitted(make_settings(command_timeout_s=0.05))
    submitted.submit()
    await eventually(lambda: submitted.codes() == ["unavailable"])
    submitted.reply(submitted.bus.sent[0])  # too late

    assert len(submitted.done) == 1


async def test_submit__waits_in_the_queue_for_longer_than_a_reply_may_take__is_not_sent(
    make_settings: Callable[..., Settings],
) -> None:
    submitted = Submitted(make_settings(command_timeout_s=0.2))
    submitted.submit(64 + 96)
    await eventually(lambda: len(submitted.done) == 64 + 96)

    assert submitted.codes() == ["unavailable"] * (64 + 96)
    assert [len(batch.requests) for batch in submitted.bus.sent] == [64]


async def test_submit__api_stands_still__what_waits_behind_is_refused_with_what_was_sent(
    make_settings: Callable[..., Settings],
) -> None:
    submitted = Submitted(make_settings(command_timeout_s=0.2))
    submitted.submit(64)
    await eventually(lambda: submitted.bus.sent)
    asyncio.get_running_loop().call_later(0.15, submitted.submit, 5)
    await eventually(lambda: len(submitted.done) == 69)

    assert submitted.codes() == ["unavailable"] * 69
    assert len(submitted.bus.sent) == 1


async def test_submit__replies_cannot_come__is_unavailable_at_once(make_settings: Callable[..., Settings]) -> None:
    submitted = Submitted(make_settings())
    submitted.submit(64 + 5)
    await eventually(lambda: submitted.bus.sent)
    submitted.commands.fail_all()

    assert submitted.codes() == ["unavailable"] * 69
    assert len(submitted.bus.sent) == 1
    await submitted.commands.stop()


@pytest.mark.parametrize("error", [UnavailableError(), ValueError()])
async def test_submit__cannot_be_sent__is_unavailable_at_once(
    make_settings: Callable[..., Settings], error: Exception
) -> None:
    submitted = Submitted(make_settings())
    submitted.bus.error = error
    submitted.submit(3)
    await eventually(lambda: submitted.codes() == ["unavailable"] * 3)
    submitted.bus.error = None
    submitted.submit()

    await eventually(lambda: submitted.bus.sent)


async def test_submit__the_bus_is_lost__is_unavailable_at_once(make_settings: Callable[..., Settings]) -> None:
    submitted = Submitted(make_settings())
    submitted.submit(3)
    await eventually(lambda: submitted.bus.sent)
    submitted.bus.lose()

    assert submitted.codes() == ["unavailable"] * 3
    await submitted.commands.stop()


async def test_submit__api_does_not_keep_up__is_refused_with_a_time_to_wait(
    make_settings: Callable[..., Settings],
) -> None:
    submitted = Submitted(make_settings(max_commands_waiting=10_000))
    with pytest.raises(TooManyCommandsError) as refused:
        submitted.submit(10_000)

    assert refused.value.retry_after is not None
    assert refused.value.retry_after >= 1
    assert submitted.done == []
    submitted.bus.lose()
    await submitted.commands.stop()


async def test_submit__more_than_one_gateway_may_hold__is_refused(make_settings: Callable[..., Settings]) -> None:
    submitted = Submitted(make_settings(max_commands_waiting=5))
    with pytest.raises(TooManyCommandsError):
        submitted.submit(6)
    await submitted.commands.stop()
