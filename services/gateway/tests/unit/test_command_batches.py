"""How commands are batched, and what happens to them as time passes, on a clock that the test moves."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import orjson
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from synctalk_contracts import topology
from synctalk_contracts.commands import CommandBatch, DeleteMessage
from synctalk_contracts.encoding.commands import Encoded, Encoder
from synctalk_contracts.internal import PartitionMap, PartitionOwner
from synctalk_gateway.acks import PendingAck
from synctalk_gateway.clients.commands import COMPANY_S, MAX_BATCH, Commands
from synctalk_gateway.errors import TooManyCommandsError
from synctalk_gateway.settings import Settings
from synctalk_runtime.bus import Bus
from synctalk_runtime.ids import new_id

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import Clock

USER = new_id()
TIMEOUT_S = 5.0


OWNERS = ("api-1", "api-2")


def shared(*owners: str, version: int = 1) -> PartitionMap:
    """Every partition, in turn."""
    return PartitionMap(
        version=version,
        owners=[
            PartitionOwner(
                queue=topology.command_queue(owner), partitions=list(range(n, topology.PARTITIONS, len(owners)))
            )
            for n, owner in enumerate(owners)
        ],
    )


class SilentBus:
    """In place of RabbitMQ: keeps what is sent, replies nothing by itself."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, CommandBatch, int]] = []

    def add_lost_listener(self, _: Callable[[], None]) -> None:
        return

    def send_command(self, queue: str, body: bytes, *, ttl_ms: int) -> None:
        self.sent.append((queue, CommandBatch.from_bytes(body), ttl_ms))


def deletion(conversation_id: str) -> Encoded:
    return Encoder(DeleteMessage).of(USER, {"conversation_id": conversation_id, "message_id": new_id()})


class Submitted:
    def __init__(self, settings: Settings) -> None:
        self.bus = SilentBus()
        self.commands = Commands(settings, cast(Bus, self.bus), "gateway-1")
        self.commands.assign(shared(*OWNERS))
        self.conversation = new_id()

    def submit(self, conversation_id: str | None = None) -> PendingAck:
        return self.commands.submit("connection-1", deletion(conversation_id or self.conversation))

    def beside(self, number: int) -> str:
        """Return a conversation of another partition that goes to the same process; another one for each number."""
        partition = topology.partition_of(self.conversation)
        other = (partition + (number + 1) * len(OWNERS)) % topology.PARTITIONS
        return next(c for c in iter(new_id, None) if topology.partition_of(c) == other)

    def reply(self, number: int, *, count: int | None = None, **reply: Any) -> None:
        """Reply to the first `count` requests of that bus message."""
        requests = self.bus.sent[number][1].requests[:count]
        replies = [{"id": request.id, "result": {}, "error": None} | reply for request in requests]
        self.commands.on_replies(orjson.dumps({"replies": replies}))

    def queues(self) -> list[str]:
        return [queue for queue, _, _ in self.bus.sent]

    def owner(self, conversation_id: str | None = None) -> str:
        """Return the queue of whom a map of three processes gives the conversation to."""
        owners = ("api-3", *OWNERS)
        return topology.command_queue(owners[topology.partition_of(conversation_id or self.conversation) % 3])

    def sizes(self) -> list[int]:
        return [len(batch.requests) for _, batch, _ in self.bus.sent]


@pytest_asyncio.fixture(loop_scope="function")
async def submitted(make_settings: Callable[..., Settings], clock: "Clock") -> Submitted:
    return Submitted(make_settings(command_timeout_s=TIMEOUT_S))


def first_owner(conversation_id: str) -> str:
    return topology.command_queue(OWNERS[topology.partition_of(conversation_id) % 2])


def code(ack: PendingAck) -> str:
    code: str = ack.result()["error"]["code"]
    return code


def gauge(name: str) -> float:
    value = REGISTRY.get_sample_value(name)
    assert value is not None
    return value


async def test_batch__nothing_under_way__leaves_at_once_with_what_came_in_the_same_turn(
    submitted: Submitted, clock: "Clock"
) -> None:
    for _ in range(3):
        submitted.submit()
    await clock.settle()

    queue, batch, ttl_ms = submitted.bus.sent[0]
    assert submitted.sizes() == [3]
    assert queue == first_owner(submitted.conversation)
    assert batch.reply_to == "gateway-1"
    assert {request.connection_id for request in batch.requests} == {"connection-1"}
    assert ttl_ms == TIMEOUT_S * 1000


async def test_batch__one_under_way__the_next_waits_for_all_of_its_replies(
    submitted: Submitted, clock: "Clock"
) -> None:
    first = [submitted.submit() for _ in range(2)]
    await clock.settle()
    later = submitted.submit()
    submitted.reply(0, count=1)
    await clock.settle()
    assert submitted.sizes() == [2]
    assert [ack.done() for ack in first] == [True, False]
    submitted.reply(0)
    await clock.settle()

    assert submitted.sizes() == [2, 1]
    assert not later.done()


async def test_batch__more_than_one_holds__leave_in_their_order(submitted: Submitted, clock: "Clock") -> None:
    for _ in range(MAX_BATCH + 5):
        submitted.submit()
    await clock.settle()
    submitted.reply(0)
    await clock.settle()

    ids = [request.id for _, batch, _ in submitted.bus.sent for request in batch.requests]
    assert submitted.sizes() == [MAX_BATCH, 5]
    assert ids == list(range(1, MAX_BATCH + 6))


async def test_batch__of_another_conversation__leaves_a_moment_after_the_one_under_way(
    submitted: Submitted, clock: "Clock"
) -> None:
    submitted.submit()
    await clock.settle()
    for _ in range(2):
        submitted.submit(submitted.beside(0))
    await clock.settle()
    assert submitted.sizes() == [1]
    await clock.advance(COMPANY_S)
    assert submitted.sizes() == [1, 2]


async def test_batch__the_one_under_way_has_its_replies__the_next_does_not_wait_for_its_moment(
    submitted: Submitted, clock: "Clock"
) -> None:
    submitted.submit()
    await clock.settle()
    submitted.submit(submitted.beside(0))
    await clock.settle()
    submitted.reply(0)
    await clock.settle()

    assert submitted.sizes() == [1, 1]


async def test_batch__two_under_way__a_third_waits_for_the_replies_of_one(submitted: Submitted, clock: "Clock") -> None:
    submitted.submit()
    await clock.settle()
    submitted.submit(submitted.beside(0))
    await clock.advance(COMPANY_S)
    submitted.submit(submitted.beside(1))
    await clock.advance(1.0)
    assert submitted.sizes() == [1, 1]
    submitted.reply(1)
    await clock.settle()

    assert submitted.sizes() == [1, 1, 1]


async def test_batch__of_a_conversation_under_way__the_others_leave_and_it_keeps_its_order(
    submitted: Submitted, clock: "Clock"
) -> None:
    submitted.submit()
    await clock.settle()
    submitted.submit()
    submitted.submit(submitted.beside(0))
    await clock.advance(COMPANY_S)
    submitted.submit()
    submitted.reply(1)
    await clock.advance(COMPANY_S)
    assert [[r.id for r in batch.requests] for _, batch, _ in submitted.bus.sent] == [[1], [3]]
    submitted.reply(0)
    await clock.settle()

    assert [[r.id for r in batch.requests] for _, batch, _ in submitted.bus.sent] == [[1], [3], [2, 4]]


async def test_batch__one_of_two_is_lost__the_other_is_not_refused_with_it(
    submitted: Submitted, clock: "Clock"
) -> None:
    lost = submitted.submit()
    await clock.settle()
    other = submitted.submit(submitted.beside(0))
    await clock.advance(COMPANY_S)
    await clock.advance(TIMEOUT_S - 2 * COMPANY_S)
    submitted.reply(1)
    await clock.advance(2 * COMPANY_S)

    assert code(lost) == "unavailable"
    assert other.result()["ok"]


async def test_batch__for_another_process__does_not_wait(submitted: Submitted, clock: "Clock") -> None:
    own = topology.partition_of(submitted.conversation) % 2
    other = next(c for c in iter(new_id, None) if topology.partition_of(c) % 2 != own)
    submitted.submit()
    await clock.settle()
    submitted.submit(other)
    await clock.settle()

    assert submitted.sizes() == [1, 1]


async def test_reply__with_a_result__is_the_ack(submitted: Submitted, clock: "Clock") -> None:
    ack = submitted.submit()
    await clock.settle()
    submitted.reply(0, result={"seq": 7})

    assert ack.result() == {"ok": True, "seq": 7}
    assert gauge("gateway_commands_waiting") == 0


async def test_reply__with_an_error__is_the_ack(submitted: Submitted, clock: "Clock") -> None:
    ack = submitted.submit()
    await clock.settle()
    submitted.reply(0, result=None, error={"code": "forbidden"})

    assert ack.result() == {"ok": False, "error": {"code": "forbidden"}}


async def test_reply__unknown_or_twice__changes_nothing(submitted: Submitted, clock: "Clock") -> None:
    ack = submitted.submit()
    await clock.settle()
    submitted.commands.on_replies(orjson.dumps({"replies": [{"id": 99, "result": {}, "error": None}]}))
    assert not ack.done()
    submitted.reply(0)
    submitted.reply(0, error={"code": "forbidden"})
    submitted.submit()
    await clock.settle()

    assert ack.result()["ok"]
    assert submitted.sizes() == [1, 1]


async def test_timeout__just_before__waits_on(submitted: Submitted, clock: "Clock") -> None:
    ack = submitted.submit()
    await clock.settle()
    await clock.advance(TIMEOUT_S - 0.001)
    assert not ack.done()
    await clock.advance(0.002)

    assert code(ack) == "unavailable"
    assert gauge("gateway_commands_waiting") == 0


async def test_timeout__of_one_batch__counts_those_without_a_reply_and_lets_the_next_leave(
    submitted: Submitted, clock: "Clock"
) -> None:
    before = gauge("gateway_commands_timed_out_total")
    for _ in range(3):
        submitted.submit()
    await clock.settle()
    submitted.reply(0, count=1)
    await clock.advance(TIMEOUT_S + 0.001)
    assert gauge("gateway_commands_timed_out_total") - before == 2
    submitted.submit()
    await clock.settle()

    assert submitted.sizes() == [3, 1]


async def test_timeout__replied_in_time__never_comes(submitted: Submitted, clock: "Clock") -> None:
    submitted.submit()
    await clock.settle()
    submitted.reply(0)
    await clock.advance(TIMEOUT_S - 1)
    ack = submitted.submit()
    await clock.settle()
    await clock.advance(2)

    assert not ack.done()


async def test_queue__overdue_in_it__is_refused_and_the_others_are_sent(submitted: Submitted, clock: "Clock") -> None:
    submitted.submit()
    await clock.settle()
    acks = [submitted.submit() for _ in range(MAX_BATCH + 2)]
    await clock.advance(3)
    submitted.reply(0)
    await clock.settle()
    young = submitted.submit()
    await clock.advance(TIMEOUT_S - 3 + 0.001)
    assert not acks[-1].done()
    submitted.reply(1)
    await clock.settle()

    assert [code(ack) for ack in acks[MAX_BATCH:]] == ["unavailable"] * 2
    assert not young.done()
    assert submitted.sizes() == [1, MAX_BATCH, 1]


async def test_refusal__says_when_to_retry__and_is_counted(
    make_settings: Callable[..., Settings], clock: "Clock"
) -> None:
    submitted, before = Submitted(make_settings(max_commands_waiting=2)), gauge("gateway_commands_refused_total")
    for _ in range(2):
        submitted.submit()
    with pytest.raises(TooManyCommandsError) as refused:
        submitted.submit()

    assert refused.value.retry_after == 1.0
    assert gauge("gateway_commands_refused_total") - before == 1
    await submitted.commands.stop()


# ── partitions that move ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_map__not_known_yet__commands_wait_for_it(make_settings: Callable[..., Settings], clock: "Clock") -> None:
    bus = SilentBus()
    commands = Commands(make_settings(command_timeout_s=TIMEOUT_S), cast(Bus, bus), "gateway-1")
    command = deletion(new_id())
    waited = commands.submit("connection-1", command)
    await clock.advance(TIMEOUT_S + 0.1)
    assert code(waited) == "unavailable"
    commands.submit("connection-1", command)
    await clock.settle()
    assert bus.sent == []
    commands.assign(shared("api-1"))
    await clock.settle()

    assert [queue for queue, _, _ in bus.sent] == [topology.command_queue("api-1")]
    await commands.stop()


async def test_moved__what_is_queued__waits_for_what_is_under_way_to_the_owner_before(
    submitted: Submitted, clock: "Clock"
) -> None:
    submitted.conversation = next(c for c in iter(new_id, None) if submitted.owner(c) != first_owner(c))
    submitted.submit()
    await clock.settle()
    submitted.submit()
    submitted.commands.assign(shared("api-3", *OWNERS, version=2))
    submitted.submit()
    moved_to = submitted.owner()
    partition = topology.partition_of(submitted.conversation)  # another one has nothing to wait for
    other = next(
        c for c in iter(new_id, None) if submitted.owner(c) == moved_to and topology.partition_of(c) != partition
    )
    submitted.submit(other)
    await clock.settle()
    assert submitted.queues()[1:] == [moved_to]
    submitted.reply(1)
    submitted.reply(0)
    await clock.settle()

    assert submitted.queues()[1:] == [moved_to, moved_to]
    assert [request.id for request in submitted.bus.sent[2][1].requests] == [2, 3]


async def test_moved__the_owner_before_is_gone__what_is_under_way_is_refused_and_the_queue_goes_on(
    submitted: Submitted, clock: "Clock"
) -> None:
    first = submitted.submit()
    await clock.settle()
    second = submitted.submit()
    submitted.commands.assign(shared("api-3", version=2))
    await clock.settle()

    assert code(first) == "unavailable"
    assert not second.done()
    assert submitted.queues()[1:] == [topology.command_queue("api-3")]


async def test_map__an_older_one__changes_nothing(submitted: Submitted, clock: "Clock") -> None:
    submitted.commands.assign(shared("api-3", version=5))
    submitted.commands.assign(shared(*OWNERS, version=4))
    submitted.submit()
    await clock.settle()

    assert submitted.queues() == [topology.command_queue("api-3")]
