"""The story: three users meet, talk in a direct and in a group conversation with a thread, a file and a pin, find again
what was said, and one of them misses some of it.

Each act is a function that says what is done and waits for what the others must receive; nothing waits for a clock.
"""

import asyncio
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from synctalk_testkit.clients import Users

from synctalk_bench.stage.actor import Actor, StoryError
from synctalk_bench.stage.screen import Screen

PARTY = "\N{PARTY POPPER}"
TICKETS = b"Friday, 20:30\nRow 7, seats 11 to 13\n"
GRACE_AT_MOST_S = 30.0
"""Who loses the connection still counts as here for a while, and is not pushed to; no longer than this."""


@dataclass(frozen=True)
class Cast:
    ada: Actor
    ben: Actor
    cleo: Actor

    def all(self) -> tuple[Actor, Actor, Actor]:
        return (self.ada, self.ben, self.cleo)

    def name_of(self, user_id: str) -> str:
        return next(actor.name for actor in self.all() if actor.id == user_id)


async def play(users: Users, screen: Screen) -> None:
    cast = await _they_register(users, screen)
    await _they_connect(cast, screen)
    direct = await _a_direct_conversation(cast, screen)
    await _marks(cast, screen, direct)
    group, question = await _a_group(cast, screen)
    await _a_thread(cast, screen, group, question)
    await _a_file(cast, screen, group)
    await _what_is_found_again(cast, screen, group)
    missed = await _ben_misses_something(cast, screen, direct, group)
    await _ben_catches_up(cast, screen, direct, missed)


async def _they_register(users: Users, screen: Screen) -> Cast:
    screen.heading("Three users register")

    async def registered(name: str) -> Actor:
        try:
            user = await users.register(name)
        except AssertionError as error:
            raise StoryError(f"{name} could not register: {error}") from error
        actor = Actor(name, user, screen)
        actor.shows("201 Tokens", f"username {user.username}, a token for {user.tokens['expires_in'] // 60} minutes")
        return actor

    ada, ben, cleo = await asyncio.gather(*map(registered, ("Ada", "Ben", "Cleo")))
    return Cast(ada, ben, cleo)


async def _they_connect(cast: Cast, screen: Screen) -> None:
    screen.heading("They connect, each by a stock Socket.IO client")
    for actor in cast.all():
        ready = await actor.come()
        gateway = str(ready["connection_id"])[:10]
        actor.shows("ready", f"connection {gateway}…, {len(ready['conversations'])} conversations")


async def _a_direct_conversation(cast: Cast, screen: Screen) -> str:
    ada, ben = cast.ada, cast.ben
    screen.heading("Ada starts a direct conversation with Ben")
    created = await ada.asks("POST", "/v1/conversations", {"type": "direct", "member_ids": [ben.id]})
    direct = str(created["id"])
    event = await ben.receives("conversation:new", "of the new conversation", lambda it: it["id"] == direct)
    ben.shows(
        "conversation:new", f"a conversation with {event['peer']['display_name']}, {event['members_count']} members"
    )

    followed = await ada.does("presence:subscribe", {"user_ids": [ben.id]})
    ada.shows("ack", f"Ben is {followed['items'][0]['status']}")

    await ben.does("typing:start", {"conversation_id": direct})
    await ada.receives("typing", "that Ben is typing", lambda it: it["user_id"] == ben.id and it["active"])
    ada.shows("typing", "Ben is typing …")
    await _says(ben, direct, "Hello Ada! Is this thing on?", [ada])
    await ada.receives("typing", "that Ben stopped typing", lambda it: it["user_id"] == ben.id and not it["active"])
    ada.shows("typing", "Ben stopped typing")
    return direct


async def _marks(cast: Cast, screen: Screen, direct: str) -> None:
    ada, ben = cast.ada, cast.ben
    screen.heading("Ben sees how far his message came")
    for event, field in (("receipt:delivered", "delivered_seq"), ("receipt:read", "read_seq")):
        await ada.does(event, {"conversation_id": direct, "seq": 1})

        def raised(it: dict[str, Any], field: str = field) -> bool:
            return bool(it["conversation_id"] == direct and it["user_id"] == ada.id and it[field] >= 1)

        receipt = await ben.receives("receipt:updated", f"of Ada's {field}", raised)
        ben.shows(
            "receipt:updated", f"Ada: delivered up to {receipt['delivered_seq']}, read up to {receipt['read_seq']}"
        )


async def _a_group(cast: Cast, screen: Screen) -> tuple[str, str]:
    """The ids of the group and of the question that it begins with."""
    ada, ben, cleo = cast.all()
    screen.heading("Ada opens a group")
    body = {"type": "group", "title": "Friday evening", "member_ids": [ben.id, cleo.id]}
    group = str((await ada.asks("POST", "/v1/conversations", body))["id"])
    for actor in (ben, cleo):
        event = await actor.receives("conversation:new", "of the group", lambda it: it["id"] == group)
        actor.shows("conversation:new", f"the group “{event['title']}”, {event['members_count']} members")
    question = await _says(ada, group, "Cinema on Friday?", [ben, cleo])
    invitation = await _says(cleo, group, "Yes! I'll get tickets for the late shwo.", [ada, ben])

    await cleo.does(
        "message:edit", {"conversation_id": group, "message_id": invitation, "body": "Yes! I'll get tickets."}
    )
    for actor in (ada, ben):
        changed = await actor.receives("message:updated", "of Cleo's edit", lambda it: it["edited_at"] is not None)
        actor.shows("message:updated", f"Cleo, #{changed['seq']}, edited: {changed['body']}")

    await ben.does("reaction:add", {"conversation_id": group, "message_id": invitation, "emoji": PARTY})
    for actor in (ada, cleo):
        changed = await actor.receives("message:updated", "of Ben's reaction", lambda it: PARTY in it["reactions"])
        actor.shows("message:updated", f"Cleo, #{changed['seq']}: {PARTY} from {len(changed['reactions'][PARTY])}")
    return group, question


async def _a_thread(cast: Cast, screen: Screen, group: str, question: str) -> None:
    ada, ben, cleo = cast.all()
    screen.heading("Ben answers in a thread, and mentions Cleo")
    body = f"@{cleo.user.username}, which film did you have in mind?"
    reply = await _says(ben, group, body, [ada, cleo], thread_id=question)
    for actor in cast.all():
        changed = await actor.receives("thread:changed", "of the reply", lambda it: it["thread_id"] == question)
        actor.shows("thread:changed", f"“Cinema on Friday?”, replies: {changed['thread']['reply_count']}")

    mentions = (await cleo.asks("GET", "/v1/mentions"))["items"]
    if [item["message"]["id"] for item in mentions] != [reply]:
        raise StoryError(f"Cleo was mentioned once, and finds {len(mentions)} mentions.")
    cleo.shows("200 mentions", f"{cast.name_of(mentions[0]['message']['sender_id'])}: {mentions[0]['message']['body']}")
    threads = (await cleo.asks("GET", "/v1/threads?unread=true"))["items"]
    if [item["root"]["id"] for item in threads] != [question]:
        raise StoryError(f"Cleo follows one thread with unread replies, and finds {len(threads)}.")
    cleo.shows("200 threads", f"“{threads[0]['root']['body']}”, unread: {threads[0]['unread_count']}")


async def _a_file(cast: Cast, screen: Screen, group: str) -> None:
    ada, ben, cleo = cast.all()
    screen.heading("Cleo sends a file, and pins it")
    file_id = await cleo.uploads("tickets.txt", TICKETS)
    tickets = await _says(cleo, group, "Here are the tickets.", [ada, ben], file_ids=[file_id])
    for actor in (ada, ben):
        if await actor.downloads(file_id) != TICKETS:
            raise StoryError(f"{actor.name} read another file than Cleo sent.")
        actor.shows("200 file", f"tickets.txt, {len(TICKETS)} bytes, as Cleo sent it")

    await cleo.asks("PUT", f"/v1/conversations/{group}/messages/{tickets}/pin")
    for actor in cast.all():
        pinned = await actor.receives("message:updated", "of the pin", lambda it: it["pinned_at"] is not None)
        actor.shows("message:updated", f"Cleo, #{pinned['seq']}, pinned by {cast.name_of(pinned['pinned_by'])}")


async def _what_is_found_again(cast: Cast, screen: Screen, group: str) -> None:
    ada, ben = cast.ada, cast.ben
    screen.heading("They find again what was said")
    for actor, what, path in (
        (ada, "search “tick”", f"/v1/search/messages?conversation_id={group}&q=tick"),
        (ben, "search for files", f"/v1/search/messages?conversation_id={group}&has=file"),
    ):
        found = [item["message"] for item in (await actor.asks("GET", path))["items"]]
        if not found:
            raise StoryError(f"{actor.name}'s {what} found nothing.")
        for message in found:
            actor.shows("200 search", f"{what}: #{message['seq']}: {message['body']}")
    for message in (await ben.asks("GET", f"/v1/conversations/{group}/pins"))["items"]:
        ben.shows("200 pins", f"#{message['seq']}: {message['body']}")


async def _ben_misses_something(cast: Cast, screen: Screen, direct: str, group: str) -> list[str]:
    """Ben is away; the ids of what he misses."""
    ada, ben, cleo = cast.all()
    screen.heading("Ben closes the app; his phone is registered for push")
    token = f"demo-{token_hex(12)}"
    await ben.asks("PUT", f"/v1/devices/{token_hex(8)}", {"platform": "android", "token": token})
    await ben.does("receipt:read", {"conversation_id": group, "seq": 4})
    await ben.leave()

    async def receives_that_he_left() -> None:
        gone = await ada.receives(
            "presence:changed", "that Ben left", lambda it: it["status"] == "offline", within_s=GRACE_AT_MOST_S
        )
        ada.shows("presence:changed", f"Ben is offline, last seen {gone['last_seen_at']}")

    async def writes_to_him() -> list[str]:
        missed = [
            await _says(ada, direct, "Ben, are you coming?", []),
            await _says(cleo, group, "Seats are booked: row 7.", [ada]),
        ]
        for message in await ben.finds_pushed(token, missed, within_s=GRACE_AT_MOST_S):
            ben.shows("push on the phone", _push_text(message, {direct: "Ada", group: "Friday evening"}))
        return missed

    _, missed = await asyncio.gather(receives_that_he_left(), writes_to_him())
    return missed


async def _ben_catches_up(cast: Cast, screen: Screen, direct: str, missed: list[str]) -> None:
    ada, ben = cast.ada, cast.ben
    screen.heading("Ben comes back and asks for what changed since he left")
    await ben.come()
    await ada.receives("presence:changed", "that Ben is back", lambda it: it["status"] == "online")
    ada.shows("presence:changed", "Ben is online")

    answer = await ben.does("sync", {"cursors": ben.cursors})
    states = answer["conversations"].values()
    messages = [message for state in states for message in state.get("messages", [])]
    for message in messages:
        ben.shows("ack of sync", f"{cast.name_of(message['sender_id'])}, #{message['seq']}: {message['body']}")
    if sorted(message["id"] for message in messages) != sorted(missed):
        raise StoryError(f"Ben missed {len(missed)} messages, and sync brought {len(messages)} others or too few.")

    await ben.does("receipt:read", {"conversation_id": direct, "seq": 2})
    await ada.receives(
        "receipt:updated", "that Ben has read", lambda it: it["user_id"] == ben.id and it["read_seq"] >= 2
    )
    ada.shows("receipt:updated", "Ben: read up to 2")


async def _says(sender: Actor, conversation_id: str, body: str, listeners: list[Actor], **fields: Any) -> str:
    """Send, wait for the ack and for each listener; the message's id."""
    payload = {"conversation_id": conversation_id, "client_message_id": token_hex(8), "body": body} | fields
    message = (await sender.does("message:send", payload))["message"]
    sender.shows("ack", f"stored as #{message['seq']}: {body}")
    for listener in listeners:
        event = await listener.receives("message:new", f"{sender.name}'s message", lambda it: it["id"] == message["id"])
        listener.shows("message:new", f"{sender.name}, #{event['seq']}: {event['body']}")
    return str(message["id"])


def _push_text(message: dict[str, Any], titles: dict[str, str]) -> str:
    data = message["data"]
    return f"{data['type']} #{data['seq']} of “{titles[data['conversation_id']]}”, badge {data['badge']}"
