"""Deliveries are taken out of what a broker sends, whatever pieces it comes in; everything else is passed on."""

import asyncio

import pytest
from pamqp.base import Frame
from pamqp.body import ContentBody
from pamqp.commands import Basic, Channel
from pamqp.frame import marshal, unmarshal
from pamqp.header import ContentHeader
from pamqp.heartbeat import Heartbeat
from synctalk_runtime.amqp_frames import HEARTBEAT_FRAME, DeliveryReader, TransientFrames

CHANNEL, OTHER_CHANNEL = 1, 2
FRAME_MAX = 131_072


def delivery(tag: int, *bodies: bytes, consumer: str = "ours", channel: int = CHANNEL) -> bytes:
    frames: list[Frame | ContentHeader | ContentBody] = [
        Basic.Deliver(consumer_tag=consumer, delivery_tag=tag, exchange="e", routing_key="k"),
        ContentHeader(body_size=sum(map(len, bodies)), properties=Basic.Properties(delivery_mode=1)),
        *map(ContentBody, bodies),
    ]
    return b"".join(marshal(frame, channel) for frame in frames)


class Received:
    def __init__(self) -> None:
        self.reader = DeliveryReader(2**16, asyncio.get_running_loop())
        self.deliveries: list[tuple[int, bytes]] = []
        self.reader.add_consumer(CHANNEL, "ours", lambda tag, body: self.deliveries.append((tag, body)))

    async def passed_on(self) -> bytes:
        """Everything, without the heartbeats that stand for deliveries."""
        self.reader.feed_eof()
        return (await self.reader.read()).replace(HEARTBEAT_FRAME, b"")


@pytest.mark.parametrize("piece", [1, 3, 7, 8, 50, 10_000])
async def test_deliveries__in_pieces_of_any_size__are_taken_and_the_rest_is_passed_on(piece: int) -> None:
    received = Received()
    ack, closed = marshal(Basic.Ack(delivery_tag=1), OTHER_CHANNEL), marshal(Channel.CloseOk(), CHANNEL)
    sent = ack + delivery(1, b"one") + delivery(2) + ack + delivery(3, b"th", b"ree") + closed
    for at in range(0, len(sent), piece):
        received.reader.feed_data(sent[at : at + piece])

    assert received.deliveries == [(1, b"one"), (2, b""), (3, b"three")]
    assert await received.passed_on() == ack + ack + closed


async def test_deliveries__of_another_consumer__are_passed_on_whole() -> None:
    received = Received()
    others = delivery(1, b"theirs", consumer="theirs") + delivery(2, b"ours", channel=OTHER_CHANNEL)
    received.reader.feed_data(others)

    assert received.deliveries == []
    assert await received.passed_on() == others


async def test_deliveries__on_two_channels__may_be_mixed() -> None:
    received = Received()
    received.reader.add_consumer(OTHER_CHANNEL, "ours", lambda tag, body: received.deliveries.append((-tag, body)))
    first, second = delivery(1, b"one"), delivery(2, b"two", channel=OTHER_CHANNEL)
    method = len(marshal(Basic.Deliver("ours", 1, False, "e", "k"), CHANNEL))
    received.reader.feed_data(first[:method] + second + first[method:])

    assert received.deliveries == [(-2, b"two"), (1, b"one")]
    assert await received.passed_on() == b""


async def test_deliveries__alone_on_a_connection__show_its_reader_that_it_lives() -> None:
    received = Received()
    received.reader.feed_data(delivery(1, b"one") + delivery(2, b"two"))
    received.reader.feed_eof()

    beats = await received.reader.read()
    assert isinstance(unmarshal(beats)[2], Heartbeat)
    assert beats == HEARTBEAT_FRAME


async def test_end__of_a_broker_with_another_protocol__is_passed_on() -> None:
    received = Received()
    received.reader.feed_data(b"AMQP\x00\x00\x09\x01")
    received.reader.feed_eof()

    assert await received.reader.read() == b"AMQP\x00\x00\x09\x01"


@pytest.mark.parametrize("size", [0, 5, FRAME_MAX - 8, FRAME_MAX - 7, 3 * FRAME_MAX])
def test_transient_frames__of_a_body__are_those_of_the_library(size: int) -> None:
    method = marshal(Basic.Publish(exchange="e", routing_key="k"), CHANNEL)
    properties = Basic.Properties(delivery_mode=1, expiration="5000")
    body, most = b"x" * size, FRAME_MAX - 8
    expected: list[ContentHeader | ContentBody] = [ContentHeader(body_size=size, properties=properties)]
    expected += [ContentBody(body[at : at + most]) for at in range(0, size, most)]

    framed = TransientFrames(CHANNEL, method, properties.marshal(), FRAME_MAX).around(body)
    assert framed == method + b"".join(marshal(frame, CHANNEL) for frame in expected)
