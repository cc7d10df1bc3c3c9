"""What a queue's handler gets of a bus message."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from synctalk_contracts import registry
from synctalk_contracts.envelope import Envelope, Event, write_envelopes
from synctalk_contracts.events.receipts import ReceiptRead
from synctalk_runtime import consuming
from synctalk_runtime.consuming import EventProcessor, Outcome, Published, events_in, published_in
from synctalk_runtime.ids import new_id, utc_now


def read_mark(seq: int) -> ReceiptRead:
    return ReceiptRead(conversation_id=new_id(), user_id=new_id(), read_seq=seq)


def bus_message(*events: Event, type_name: str | None = None) -> bytes:
    return write_envelopes(
        [
            Envelope(
                id=new_id(), type=type_name or event.type_name(), time=utc_now(), payload=event.model_dump(mode="json")
            )
            for event in events
        ]
    )


async def outcomes(processor: EventProcessor[Any], *bodies: bytes) -> list[Outcome]:
    messages = cast(Any, [SimpleNamespace(body=body) for body in bodies])
    return [outcome async for _, outcome in processor.process(messages, asyncio.Event())]


async def test_process__of_two_queues__parses_a_bus_message_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[Envelope] = []

    def counted(envelope: Envelope) -> Event:
        parsed.append(envelope)
        return registry.parse(envelope)

    monkeypatch.setattr(consuming, "parse", counted)
    first, second = read_mark(1), read_mark(2)
    events: list[Event] = []
    published: list[Published] = []

    async def take_and_empty(batch: list[Event]) -> None:
        events.extend(batch)
        batch.clear()  # the list is the handler's own

    async def take(batch: list[Published]) -> None:
        published.extend(batch)

    one, other = bus_message(first), bus_message(second)
    assert await outcomes(EventProcessor("a", take_and_empty, events_in), one, other) == [Outcome.DONE]
    assert await outcomes(EventProcessor("b", take, published_in), one, other) == [Outcome.DONE]

    assert events == [first, second]
    assert [each.event for each in published] == [first, second]
    assert [envelope.id for envelope in parsed] == [each.id for each in published]


async def test_process__unreadable_again_and_again__is_a_dead_letter_each_time() -> None:
    async def take(_: list[Event]) -> None:
        raise AssertionError

    for body in (b"{}", b"\xff", bus_message(read_mark(1), type_name="message.created.v1")):
        for _ in range(2):
            assert await outcomes(EventProcessor("a", take, events_in), body) == [Outcome.DEAD]


async def test_process__an_event_of_a_newer_version__is_left_out() -> None:
    async def take(_: list[Event]) -> None:
        raise AssertionError

    body = bus_message(read_mark(1), type_name="message.sung.v1")
    assert await outcomes(EventProcessor("a", take, events_in), body) == [Outcome.DONE]
