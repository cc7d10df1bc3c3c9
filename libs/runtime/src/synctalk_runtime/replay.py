"""Give the dead letters of a service's queues another try: each moves back to the queue that gave it up."""

import aio_pika
from aio_pika import DeliveryMode, Message
from aiormq.exceptions import ChannelNotFoundEntity
from pydantic import SecretStr
from synctalk_contracts import topology


async def replay(url: SecretStr, queues: tuple[str, ...]) -> int:
    """How many were moved. A letter is acked only after its copy is confirmed: at least once."""
    moved = 0
    connection = await aio_pika.connect(url.get_secret_value(), timeout=5)
    async with connection:
        for queue in queues:
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            try:
                dead = await channel.get_queue(topology.dead_queue(queue))
            except ChannelNotFoundEntity:
                continue
            for _ in range(dead.declaration_result.message_count or 0):
                letter = await dead.get(fail=False)
                if letter is None:
                    break
                copy = Message(letter.body, delivery_mode=DeliveryMode.PERSISTENT, content_type=letter.content_type)
                await channel.default_exchange.publish(copy, routing_key=queue, timeout=5)
                await letter.ack()
                moved += 1
    return moved
