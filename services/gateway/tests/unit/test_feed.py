"""The subscription on a connection that the test plays: what is asked for, and when it counts as confirmed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from pydantic import SecretStr
from synctalk_gateway.hub import feed as feeds
from synctalk_gateway.hub.feed import MAX_BACKOFF_S, SUBSCRIBE_TIMEOUT_S, Feed

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import Clock

BEAT_S, TIMEOUT_S = 1.0, 3.0


class Wire:
    """In place of a connection to Redis."""

    def __init__(self, on_frame: Callable[[Any], None]) -> None:
        self.receive = on_frame
        self.sent: list[tuple[str, ...]] = []
        self.dropped = False

    def send(self, *words: str) -> None:
        assert not self.dropped
        self.sent.append(words)

    def confirm(self, channel: str) -> None:
        self.receive([b"subscribe", channel.encode(), 1])

    def publish(self, channel: str, data: bytes = b"{}") -> None:
        self.receive([b"message", channel.encode(), data])

    def drop(self) -> None:
        self.dropped = True


class Played:
    """A feed with the connections that it opened."""

    def __init__(self) -> None:
        self.wires: list[Wire] = []
        self.beats_return = True
        self.receivers = 1
        self.downs = self.gaps = 0
        self.feed = Feed(SecretStr("redis://127.0.0.1:1"), "own", self.beat, self.on_down)

    async def open(self, _: Any, on_frame: Callable[[Any], None], __: Callable[[], None]) -> Wire:
        self.wires.append(Wire(on_frame))
        return self.wires[-1]

    async def beat(self) -> int:
        if self.beats_return:
            self.wires[-1].publish("own")
        return self.receivers

    def on_down(self) -> None:
        self.downs += 1

    async def on_gap(self) -> None:
        self.gaps += 1

    def take(self, channel: str) -> "asyncio.Future[None]":
        return self.feed.subscribe(channel, lambda _: None)


@pytest_asyncio.fixture(loop_scope="function")
async def played(clock: "Clock", monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Played]:
    made = Played()
    monkeypatch.setattr(feeds, "open_connection", made.open)
    made.feed.start(made.on_gap, BEAT_S, TIMEOUT_S)
    await clock.settle()
    yield made
    await made.feed.stop()


async def live(played: Played, clock: "Clock") -> Wire:
    wire = played.wires[-1]
    wire.confirm("own")
    await clock.settle()
    assert played.feed.live
    wire.sent.clear()
    return wire


def counted(what: str) -> float:
    return REGISTRY.get_sample_value(f"gateway_feed_{what}_total") or 0


async def test_open__not_confirmed_in_time__is_given_up_and_opened_anew(played: Played, clock: "Clock") -> None:
    assert played.wires[0].sent == [("SUBSCRIBE", "own")]
    assert not played.feed.live

    await clock.advance(SUBSCRIBE_TIMEOUT_S)
    await clock.advance(MAX_BACKOFF_S)
    assert [wire.dropped for wire in played.wires] == [True, False]
    with pytest.raises(ConnectionError):
        await played.feed.check()


async def test_open__the_first_time__is_no_gap(played: Played, clock: "Clock") -> None:
    await live(played, clock)

    assert (played.gaps, played.downs) == (0, 0)


async def test_subscribe__in_one_turn__is_sent_together_and_confirmed_one_by_one(
    played: Played, clock: "Clock"
) -> None:
    wire = await live(played, clock)
    first, second = played.take("a"), played.take("b")
    await clock.settle()
    assert [set(words) for words in wire.sent] == [{"SUBSCRIBE", "a", "b"}]

    wire.confirm("b")
    assert (first.done(), second.done()) == (False, True)


async def test_subscribe__left_and_taken_again__only_the_last_confirmation_counts(
    played: Played, clock: "Clock"
) -> None:
    wire = await live(played, clock)
    played.take("a")
    await clock.settle()
    played.feed.unsubscribe("a")
    again = played.take("a")
    await clock.settle()
    assert wire.sent == [("SUBSCRIBE", "a"), ("UNSUBSCRIBE", "a"), ("SUBSCRIBE", "a")]

    wire.confirm("a")
    assert not again.done()
    wire.confirm("a")
    assert again.done()


async def test_heartbeat__stays_away_for_the_time__is_down_and_a_gap(played: Played, clock: "Clock") -> None:
    await live(played, clock)
    lost = counted("lost")
    played.beats_return = False
    for _ in range(3):
        await clock.advance(BEAT_S)
    assert played.downs == 0

    await clock.advance(BEAT_S)
    assert (played.downs, played.wires[0].dropped, played.gaps) == (1, True, 0)
    played.beats_return = True
    await clock.advance(MAX_BACKOFF_S)
    await live(played, clock)
    assert (played.downs, played.gaps) == (1, 1)
    assert counted("lost") == lost + 1


async def test_subscribe__while_there_is_no_connection__is_sent_once_with_the_next(
    played: Played, clock: "Clock"
) -> None:
    await live(played, clock)
    played.take("gone")
    played.receivers = 0
    await clock.advance(BEAT_S)
    assert played.wires[0].dropped
    asked = played.take("a")
    played.feed.unsubscribe("gone")
    await clock.settle()
    played.receivers = 1
    await clock.advance(MAX_BACKOFF_S)
    assert [set(words) for words in played.wires[1].sent] == [{"SUBSCRIBE", "own", "a"}]

    played.wires[1].confirm("a")
    assert asked.done()


async def test_message__of_a_channel_that_was_left__is_dropped(played: Played, clock: "Clock") -> None:
    wire = await live(played, clock)
    received: list[bytes] = []
    played.feed.subscribe("a", received.append)
    before = counted("received")
    wire.publish("a", b"1")
    played.feed.unsubscribe("a")
    wire.publish("a", b"2")
    wire.receive("OK")

    assert received == [b"1"]
    assert counted("received") == before + 2


async def test_message__that_cannot_be_read__is_counted_and_the_next_is_received(
    played: Played, clock: "Clock"
) -> None:
    wire = await live(played, clock)
    numbers: list[int] = []
    played.feed.subscribe("a", lambda data: numbers.append(int(data)))
    unreadable = REGISTRY.get_sample_value("gateway_unreadable_total") or 0
    wire.publish("a", b"one")
    wire.publish("a", b"2")

    assert numbers == [2]
    assert REGISTRY.get_sample_value("gateway_unreadable_total") == unreadable + 1


async def test_heartbeat__on_a_new_connection_that_is_not_whole_yet__is_not_live(
    played: Played, clock: "Clock"
) -> None:
    await live(played, clock)
    played.receivers = 0
    await clock.advance(BEAT_S)
    played.receivers = 1
    await clock.advance(MAX_BACKOFF_S)
    played.wires[1].publish("own")
    assert not played.feed.live

    await live(played, clock)
