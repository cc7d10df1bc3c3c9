"""An assistant: it answers every message of a user, and its readers see the answer being written.

`answer` is where your model's tokens come from.
"""

import asyncio
import os
from collections.abc import AsyncIterator

from synctalk import Bot, Client, MessageCreated
from synctalk.models import Message


async def answer(question: str) -> AsyncIterator[str]:
    for word in f"You asked: {question} Let me think about it, word by word.".split():
        await asyncio.sleep(0.05)
        yield word + " "


async def reply(client: Client, question: Message) -> None:
    # The same question has the same answer, should it come twice.
    async with client.stream(question.conversation_id, client_message_id=f"answer-{question.id}") as stream:
        async for token in answer(question.body):
            await stream.append(token)


async def main() -> None:
    bot = Bot(os.environ["SYNCTALK_BOT_TOKEN"])
    async with Client(os.environ["SYNCTALK_URL"], bot) as client, asyncio.TaskGroup() as answers:
        async for event in client.events():
            if isinstance(event, MessageCreated) and event.message.sender_id != client.me.id:
                answers.create_task(reply(client, event.message))


asyncio.run(main())
