"""A bot that rolls dice: it answers `roll`, or `roll 20`, shows that it has read, and greets whoever brings it in."""

import asyncio
import os
import re
import secrets

from synctalk import Bot, Client, ConversationAdded, MessageCreated
from synctalk.models import Message

ROLL = re.compile(r"roll(?: ([1-9]\d{0,3}))?")
GREETING = "Say “roll” and I roll a die, “roll 20” for one of 20 sides."


async def answer(client: Client, message: Message) -> None:
    await client.mark_read(message.conversation_id, message.seq)
    asked = ROLL.fullmatch(message.body)
    if asked is None:
        return
    body = f"It is a {secrets.randbelow(int(asked[1] or 6)) + 1}."
    # Should the message come again, after a crash, its answer is the same message.
    name = f"roll-{message.id}"
    await client.send(message.conversation_id, body, reply_to=message.id, client_message_id=name)


async def main() -> None:
    bot = Bot(os.environ["SYNCTALK_BOT_TOKEN"])
    async with Client(os.environ["SYNCTALK_URL"], bot) as client:
        async for event in client.events():
            match event:
                case ConversationAdded(conversation):
                    await client.send(conversation.id, GREETING)
                case MessageCreated(message) if message.sender_id != client.me.id:
                    await answer(client, message)


asyncio.run(main())
