"""A support desk: customers write to the bot, agents read all of it in one group and answer by replying there.

It keeps no table of tickets: the id of each message that it passes on names the conversation that it came from, so what
is passed on twice, after a crash, is the same message. Where it was is in the file CURSORS.
"""

import asyncio
import json
import os
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

from synctalk import Bot, Client, Cursor, MessageCreated
from synctalk.models import Message

DESK = os.environ["DESK_CONVERSATION"]
KEPT = Path(os.environ["CURSORS"])


async def pass_on(client: Client, message: Message) -> None:
    origin, own = UUID(message.conversation_id).hex, UUID(message.id).hex
    if message.conversation_id != DESK:
        customer = await client.rest.user(message.sender_id)
        await client.send(DESK, f"{customer.display_name}: {message.body}", client_message_id=origin + own)
    elif message.reply_to is not None:
        question = await client.rest.message(DESK, message.reply_to)
        if question.sender_id == client.me.id:
            await client.send(str(UUID(question.client_message_id[:32])), message.body, client_message_id=own)


def read_cursors() -> dict[str, Cursor]:
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    return {key: Cursor(**cursor) for key, cursor in kept.items()}


def keep_cursors(cursors: dict[str, Cursor]) -> None:
    KEPT.write_text(json.dumps({key: asdict(cursor) for key, cursor in cursors.items()}))


async def main() -> None:
    async with Client(os.environ["SYNCTALK_URL"], Bot(os.environ["SYNCTALK_BOT_TOKEN"])) as client:
        async for event in client.events(read_cursors()):
            if isinstance(event, MessageCreated) and event.message.sender_id != client.me.id:
                await pass_on(client, event.message)
            keep_cursors(client.cursors)


asyncio.run(main())
