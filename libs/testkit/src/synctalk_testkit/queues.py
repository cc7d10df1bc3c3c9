"""Look at RabbitMQ's queues."""

import aio_pika


async def depth(url: str, queue: str) -> int:
    """Messages waiting, or -1 where there is no such queue."""
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        try:
            declared = await channel.declare_queue(queue, passive=True)
        except aio_pika.exceptions.ChannelNotFoundEntity:
            return -1
        return declared.declaration_result.message_count or 0


async def is_empty(url: str, queue: str) -> bool:
    return await depth(url, queue) == 0
