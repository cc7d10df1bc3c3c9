"""Users whom a host app's backend ends, brings back or erases; bots, guests and what host apps keep with users."""

from typing import Any

import pytest
from synctalk_api.actions import erasures
from synctalk_contracts import models, topology
from synctalk_contracts.envelope import Event
from synctalk_contracts.events.users import (
    ErasureCompleted,
    ErasureRequested,
    ProfileProvided,
    UserDeactivated,
    UserReactivated,
)
from synctalk_contracts.models import EraseMode
from synctalk_contracts.topology import partition_of
from synctalk_runtime.ids import new_id
from synctalk_runtime.outbox import rows
from synctalk_testkit.eventually import eventually
from synctalk_testkit.plugin import FreshDatabase
from synctalk_testkit.relay import relay_to

from services.api.tests.integration.conftest import Api, Start, User
from services.api.tests.integration.test_stores import move

BACK_WITHIN_S = 30
NAMES = ["main", "second", "third"] * 86
"""In which store a group of a test goes, by its partition."""


async def publish(api: Api, event: Event) -> None:
    """Publish as auth does."""
    ((name, envelope),) = zip(*rows([event]), strict=True)
    await api.bus.declare_fed_by({name})
    await api.bus.publish(topology.EVENTS_EXCHANGE, name, f"[{envelope}]".encode())


async def is_found(user: User, other: User) -> bool:
    found = (await user.get(f"/v1/users?search={other.profile.username}"))["items"]
    return [each["id"] for each in found] == [other.id]


async def test_deactivated__is_in_no_search_until_they_are_back(api: Api) -> None:
    ada, ben = await api.users(2)
    assert await is_found(ada, ben)

    await publish(api, UserDeactivated(user_id=ben.id))

    async def is_gone() -> bool:
        return not await is_found(ada, ben)

    await eventually(is_gone)
    assert (await ada.get(f"/v1/users/{ben.id}"))["id"] == ben.id
    await publish(api, UserReactivated(user_id=ben.id))
    await eventually(lambda: is_found(ada, ben))


async def test_erase_messages__every_one_is_deleted_also_where_they_have_left(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures, "MESSAGES_AT_ONCE", 2)
    monkeypatch.setattr(erasures, "CONVERSATIONS_AT_ONCE", 2)
    ada, ben = await api.users(2)
    conversations = [await ada.group(ben) for _ in range(5)]
    for conversation in conversations:
        for n in range(3):
            await ben.send(conversation["id"], f"secret {n}")
            await ada.send(conversation["id"], f"tea {n}")
    await ben.delete(f"/v1/conversations/{conversations[0]['id']}/members/{ben.id}")
    await api.subscribe(conversations[1]["id"])

    await publish(
        api, ErasureRequested(user_id=ben.id, mode=EraseMode.MESSAGES, user=models.User(**ben.profile.model_dump()))
    )

    async def is_erased() -> bool:
        for conversation in conversations:
            history = (await ada.get(f"/v1/conversations/{conversation['id']}/messages"))["items"]
            assert [m["body"] for m in history if m["sender_id"] == ada.id] == ["tea 0", "tea 1", "tea 2"]
            if any(m["body"] or not m["deleted_at"] for m in history if m["sender_id"] == ben.id):
                return False
        return True

    await eventually(is_erased)
    await eventually(lambda: is_completed(api, ben.id, EraseMode.MESSAGES))
    assert (await ada.get("/v1/search/messages?q=secret"))["items"] == []
    deleted = [e for e in api.redis.room_events(conversations[1]["id"]) if e.event == "message:deleted"]
    assert len(deleted) == 3
    assert await api.sql("select from erasures") == []


async def is_completed(api: Api, user_id: str, mode: EraseMode) -> bool:
    """Return whether it is said in the outbox, or has been: it leaves at once."""
    left = await api.sql("select from erasures where user_id = $1", user_id)
    waiting = await api.sql("select from outbox where type = $1", ErasureCompleted.type_name())
    return not left and not waiting


async def test_erase_author__shows_the_name_that_auth_gives(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    await ben.send(conversation["id"], "still here")
    shown = models.User(id=ben.id, username=f"deleted-{ben.id[-10:]}", display_name="Deleted user", avatar_url=None)

    await publish(api, ErasureRequested(user_id=ben.id, mode=EraseMode.AUTHOR, user=shown))

    async def is_shown() -> bool:
        seen = await ada.get(f"/v1/conversations/{conversation['id']}")
        return bool(seen["peer"] == shown.model_dump() and seen["last_message"]["body"] == "still here")

    await eventually(is_shown)


async def test_bot_with_metadata__is_shown_as_one_everywhere(api: Api) -> None:
    ada = await api.user()
    bot = models.User(
        id=new_id(),
        username=f"bot-{new_id()[-8:]}",
        display_name="Helper",
        avatar_url=None,
        is_bot=True,
        metadata={"team": "support"},
    )
    assert (await api.internal("PUT", f"/internal/users/{bot.id}", bot.model_dump())).status == 204
    wanted: dict[str, Any] = bot.model_dump()

    group = await ada.post("/v1/conversations", {"type": "group", "title": "G", "member_ids": [bot.id]})
    direct = await ada.post("/v1/conversations", {"type": "direct", "member_ids": [bot.id]})
    members = (await ada.get(f"/v1/conversations/{group['id']}/members"))["items"]

    assert await ada.get(f"/v1/users/{bot.id}") == wanted
    assert direct["peer"] == wanted
    assert [member["user"] for member in members if member["user"]["id"] == bot.id] == [wanted]
    given = ProfileProvided(user_id=bot.id, display_name=None, avatar_url=None, metadata={"team": "sales"})
    await publish(api, given)

    async def is_taken_over() -> bool:
        return bool((await ada.get(f"/v1/users/{bot.id}"))["metadata"] == {"team": "sales"})

    await eventually(is_taken_over)


async def test_erasure__one_store_away__goes_on_in_the_others_and_is_finished_when_it_is_back(
    start_api: Start, fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures, "IDLE_S", 0.2)
    monkeypatch.setattr(erasures, "FAILED_S", 0.2)
    async with (
        relay_to(await fresh_database("api")) as relay,
        start_api(
            api_stores={"second": relay.url, "third": await fresh_database("api")},
            database_acquire_timeout_s=0.5,
            database_command_timeout_s=2.0,
        ) as api,
    ):
        ada, *erased = await api.users(3)
        begun: dict[str, str] = {}
        while len(begun) < 3:  # a new group's partition is one of 256
            group = await ada.group(*erased)
            begun.setdefault(NAMES[partition_of(group["id"])], group["id"])
        for store in ("second", "third"):
            await move(api, [partition_of(begun[store])], store)
        await eventually(lambda: api.services.stores.of(begun["third"]).name == "third")
        for user in erased:
            for conversation_id in begun.values():
                await user.send(conversation_id, "secret")

        relay.cut()
        for user in erased:
            profile = models.User(**user.profile.model_dump())
            await publish(api, ErasureRequested(user_id=user.id, mode=EraseMode.MESSAGES, user=profile))

        async def are_erased(*stores: str) -> bool:
            histories = [(await ada.get(f"/v1/conversations/{begun[name]}/messages"))["items"] for name in stores]
            return not any(message["body"] for history in histories for message in history)

        await eventually(lambda: are_erased("main", "third"), BACK_WITHIN_S)
        assert {row["user_id"] for row in await api.sql("select user_id::text from erasures")} == {
            user.id for user in erased
        }
        relay.mend()
        await eventually(lambda: are_erased("second"), BACK_WITHIN_S)
        for user in erased:
            await eventually(lambda: is_completed(api, user.id, EraseMode.MESSAGES), BACK_WITHIN_S)  # noqa: B023
        assert await api.sql("select from erasure_parts") == []
