"""Conversations in two stores: seen as from one, each by itself when the other is away, and moved under load."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from synctalk_api import rules
from synctalk_api.actions import moving as moving_action
from synctalk_api.actions import partitions as partitions_action
from synctalk_api.actions.moving import Mover
from synctalk_api.store import moving, partitions
from synctalk_contracts.topology import PARTITIONS, partition_of
from synctalk_runtime.errors import AppError, ConflictError, UnavailableError
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually
from synctalk_testkit.plugin import FreshDatabase
from synctalk_testkit.relay import relay_to

from services.api.tests.integration.conftest import Api, Json, Start, User
from services.api.tests.integration.test_files import Files

ALL = range(PARTITIONS)

POSTED_WITHIN_S = 60
"""Its partition moves three times beside the others, on a machine that may have other work."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving_action, "PAUSE_S", 0.02)
    monkeypatch.setattr(partitions_action, "INTERVAL_S", 0.05)


@pytest.fixture
async def api(start_api: Start, fresh_database: FreshDatabase) -> AsyncIterator[Api]:
    async with start_api(api_stores={"second": await fresh_database("api")}, outbox_interval_s=0.05) as running:
        yield running


@asynccontextmanager
async def mover(api: Api) -> AsyncIterator[Mover]:
    async with Mover.opened(api.settings) as opened:
        yield opened


async def move(api: Api, wanted: Iterable[int], store: str) -> int:
    async with mover(api) as opened:
        return await opened.move(list(wanted), store)


async def begin_in(api: Api, wanted: Sequence[int], store: str) -> None:
    """Let partitions that have no conversations yet lie in a store; moved, they would go there one after the other."""
    async with api.services.stores.main.postgres.transaction() as conn:
        found = await partitions.lock(conn, 0)
        places = [*found.stores] or ["main"] * PARTITIONS
        for partition in wanted:
            places[partition] = store
        await partitions.place(conn, places, wanted[0])
        await conn.execute("update partitions set moved_to = $2 where partition = any($1::int[])", wanted, store)
    some = [new_id() for _ in range(50)]
    stores = api.services.stores
    await eventually(lambda: all(stores.of(each).name == places[partition_of(each)] for each in some))


def odd(conversations: Iterable[Json]) -> set[int]:
    """Return the partitions of every second conversation."""
    return {partition_of(conversation["id"]) for conversation in list(conversations)[::2]}


async def talk(api: Api) -> tuple[User, list[User], list[Json]]:
    """Let some users talk in direct conversations and groups; return one of them, the others, the conversations."""
    ada, *others = await api.users(5)
    conversations = [await ada.direct(other) for other in others]
    conversations += [await other.group(ada, *others[:2], title=f"With {n}") for n, other in enumerate(others[2:])]
    conversations += [await ada.group(*others, title=f"Group {n}") for n in range(4)]
    for n, conversation in enumerate(conversations):
        path = f"/v1/conversations/{conversation['id']}"
        sent = [await ada.send(conversation["id"], f"tea {n} {m}") for m in range(3)]
        said = f"tea for @{ada.profile.username} at https://tea.example/{n}"
        by_other = await others[2].call(
            "POST", f"{path}/messages", {"client_message_id": secrets.token_hex(8), "body": said}
        )
        await ada.put(f"{path}/messages/{sent[0]['id']}/reactions/👍")
        await ada.put(f"{path}/messages/{sent[0]['id']}/pin")
        await ada.delete(f"{path}/messages/{sent[1]['id']}")
        await ada.patch(f"{path}/messages/{sent[2]['id']}", {"body": f"coffee {n}"})
        await others[2].call(
            "POST",
            f"{path}/messages",
            {"client_message_id": secrets.token_hex(8), "body": "tea inside", "thread_id": sent[2]["id"]},
        )
        if n % 3:
            await ada.post(f"{path}/messages/{sent[2]['id']}/read", {"seq": 100})
        if by_other.status == 201 and n % 2:
            await ada.post(f"{path}/read", {"seq": by_other.body["seq"]})
    return ada, others, conversations


async def everything(api: Api, user: User, others: list[User], conversations: list[Json]) -> dict[str, Any]:
    """Return all that the user, and the other services, can read."""
    ids = [conversation["id"] for conversation in conversations]
    seen: dict[str, Any] = {
        "list": await user.list("/v1/conversations", 3),
        "search": [hit["message"]["id"] for hit in await user.list("/v1/search/messages?q=tea", 5)],
        "links": [hit["message"]["id"] for hit in await user.list("/v1/search/messages?has=link", 5)],
        "mentions": await user.list("/v1/mentions", 5),
        "threads": await user.list("/v1/threads", 2),
        "unread threads": await user.list("/v1/threads?unread=true", 2),
        "sync": await user.post("/v1/sync", {"cursors": dict.fromkeys(ids, 0)}),
        "states": (await api.internal("GET", f"/internal/users/{user.id}/conversations")).body["items"],
        "ids": (await api.internal("GET", f"/internal/users/{user.id}/conversation-ids?limit=4")).body,
        "heads": (await api.internal("POST", "/internal/heads", {"ids": ids})).body,
        "contacts": sorted(
            (
                await api.internal(
                    "POST", "/internal/contacts", {"user_id": user.id, "others": [other.id for other in others]}
                )
            ).body["ids"]
        ),
        "pushes": (await api.internal("POST", "/internal/pushes", {"items": questions(user, conversations)})).body,
        "memberships": await memberships(api),
    }
    for conversation_id in ids:
        path = f"/v1/conversations/{conversation_id}"
        names = (
            "",
            "/messages",
            "/members",
            "/receipts?seq=1",
            "/messages?after_seq=1",
            "/pins",
            "/messages?around_seq=2",
        )
        for name in names:
            seen[path + name] = await user.get(path + name)
        for message in seen[path + "/messages"]["items"]:
            if message["sender_id"] == user.id:
                name = f"{path}/messages/{message['id']}/revisions"
                seen[name] = await user.get(name)
    return seen


def questions(user: User, conversations: list[Json]) -> list[Json]:
    return [
        {"user_id": user.id, "conversation_id": conversation["id"], "seq": 4, "quiet_conversation_ids": []}
        for conversation in conversations
    ]


async def memberships(api: Api) -> list[Json]:
    found: list[Json] = []
    after = ""
    while True:
        page = (await api.internal("GET", f"/internal/memberships?limit=7{after}")).body
        found += page["items"]
        if page["next"] is None:
            return found
        after = f"&after={page['next']}"


async def test_everything__from_two_stores__reads_as_from_one(api: Api) -> None:
    ada, others, conversations = await talk(api)
    before = await everything(api, ada, others, conversations)

    assert await move(api, odd(conversations), "second") == len(odd(conversations))

    assert await everything(api, ada, others, conversations) == before
    assert await counts(api) == (len(conversations) - moved_count(conversations), moved_count(conversations))


def moved_count(conversations: list[Json]) -> int:
    return sum(partition_of(conversation["id"]) in odd(conversations) for conversation in conversations)


async def counts(api: Api) -> tuple[int, int]:
    """Return how many conversations each store has."""
    numbers = []
    for store in api.services.stores.all:
        async with store.postgres.connection() as conn:
            numbers.append(await conn.fetchval("select count(*) from conversations"))
            orphans = await conn.fetchval(
                "select count(*) from messages m where not exists (select from conversations c "
                "where c.id = m.conversation_id)"
            )
            assert orphans == 0
    return numbers[0], numbers[1]


async def test_conversation__in_the_second_store__is_written_to_as_in_the_first(api: Api) -> None:
    await begin_in(api, ALL, "second")

    ada, others, conversations = await talk(api)
    listed = await ada.list("/v1/conversations", 50)

    assert {conversation["id"] for conversation in listed} == {conversation["id"] for conversation in conversations}
    assert await counts(api) == (0, len(conversations))
    group = conversations[-1]["id"]
    added = await api.user("Joan")
    await ada.post(f"/v1/conversations/{group}/members", {"user_ids": [added.id]})
    assert (await added.get(f"/v1/conversations/{group}"))["members_count"] == len(others) + 2


async def test_move__while_users_talk__loses_and_doubles_nothing(api: Api) -> None:
    ada, ben = await api.users(2)
    conversations = [await ada.direct(ben), *[await ada.group(ben) for _ in range(5)]]
    wanted = sorted({partition_of(conversation["id"]) for conversation in conversations})
    sent: dict[str, list[str]] = {conversation["id"]: [] for conversation in conversations}
    over = asyncio.Event()

    async def talk_in(conversation_id: str) -> None:
        while not over.is_set():
            body = {"client_message_id": secrets.token_hex(8), "body": "hello"}
            path = f"/v1/conversations/{conversation_id}/messages"
            await eventually(partial(is_posted, ada, path, body), POSTED_WITHIN_S)
            sent[conversation_id].append(body["client_message_id"])
            await ben.post(f"/v1/conversations/{conversation_id}/read", {"seq": 1})

    async def read() -> None:
        while not over.is_set():
            assert len(await ada.list("/v1/conversations", 50)) == len(conversations)
            states = (await ada.call("POST", "/v1/sync", {"cursors": dict.fromkeys(sent, 0)})).body
            assert not any(state.get("removed") for state in states["conversations"].values())

    async with asyncio.TaskGroup() as group:
        for conversation_id in sent:
            group.create_task(talk_quietly(talk_in(conversation_id)))
        group.create_task(read())
        for store in ("second", "main", "second"):
            assert await move(api, wanted, store) == len(wanted)
        over.set()

    for conversation_id, names in sent.items():
        history = await ada.list(f"/v1/conversations/{conversation_id}/messages", 100)
        assert [message["client_message_id"] for message in sorted(history, key=lambda m: m["seq"])] == names
        assert sorted(message["seq"] for message in history) == list(range(1, len(names) + 1))
    assert (await counts(api))[0] == 0


async def is_posted(user: User, path: str, body: Json) -> bool:
    answer = await user.call("POST", path, body)
    assert answer.status in (200, 201, 503), answer
    return answer.status != 503


async def talk_quietly(talking: Any) -> None:
    """Receipts are not tried again: a client marks the next message."""
    try:
        await talking
    except AssertionError as error:
        if "503" not in str(error):
            raise


@pytest.mark.parametrize("broken", ["copy", "lock", "arrived", "leave", "place"])
async def test_move__interrupted__is_finished_by_the_same_command(
    api: Api, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    ada, others, conversations = await talk(api)
    before = await everything(api, ada, others, conversations)
    module: Any = partitions if broken == "place" else moving
    with monkeypatch.context() as patched:

        async def die(*_: Any) -> None:
            raise RuntimeError("killed here")

        patched.setattr(module, broken, die)
        with pytest.raises(RuntimeError, match="killed here"):
            await move(api, [partition_of(conversations[0]["id"])], "second")
        if broken != "place":
            await eventually(lambda: is_sent(ada, conversations[0]["id"]))

    assert await move(api, odd(conversations), "second") >= 1
    if broken == "place":
        assert await everything(api, ada, others, conversations) == before
    else:
        history = await ada.list(f"/v1/conversations/{conversations[0]['id']}/messages", 100)
        assert [message["body"] for message in history if message["body"] == "after"] == ["after"]
    assert sum(await counts(api)) == len(conversations)


async def is_sent(user: User, conversation_id: str) -> bool:
    body = {"client_message_id": "after-the-move", "body": "after"}
    return (await user.call("POST", f"/v1/conversations/{conversation_id}/messages", body)).status in (200, 201)


async def test_move__another_is_running__is_refused(api: Api) -> None:
    async with api.services.stores.main.postgres.connection() as conn:
        assert await partitions.try_lock_moves(conn)
        with pytest.raises(ConflictError):
            await move(api, [1], "second")
        await partitions.unlock_moves(conn)
    with pytest.raises(ConflictError):
        await move(api, [1], "third")


async def test_store__away__takes_only_its_own_conversations_with_it(
    start_api: Start, fresh_database: FreshDatabase
) -> None:
    async with (
        relay_to(await fresh_database("api")) as relay,
        start_api(
            api_stores={"second": relay.url}, database_acquire_timeout_s=1.0, database_command_timeout_s=2.0
        ) as api,
    ):
        ada, ben = await api.users(2)
        conversations = [await ada.group(ben) for _ in range(6)]
        away = {partition_of(conversations[0]["id"])}
        gone = [each["id"] for each in conversations if partition_of(each["id"]) in away]
        here = [each["id"] for each in conversations if partition_of(each["id"]) not in away]
        await move(api, away, "second")
        await eventually(lambda: api.services.stores.of(gone[0]) is not api.services.stores.main)

        relay.cut()
        for conversation_id in here:
            await ada.send(conversation_id)
            assert len((await ben.get(f"/v1/conversations/{conversation_id}/messages"))["items"]) == 1
        refused = await ada.call("GET", f"/v1/conversations/{gone[0]}/messages")
        written = await ada.call(
            "POST", f"/v1/conversations/{gone[0]}/messages", {"client_message_id": "one", "body": "hello"}
        )
        listed = await ada.list("/v1/conversations", 50)
        synced = (await ada.post("/v1/sync", {"cursors": dict.fromkeys([*here, *gone], 0)}))["conversations"]
        states = (await api.internal("GET", f"/internal/users/{ada.id}/conversations")).body
        ids = await api.internal("GET", f"/internal/users/{ada.id}/conversation-ids")
        asked = [{"user_id": ben.id, "conversation_id": each, "seq": 1} for each in (gone[0], here[0])]
        places = [{"conversation_id": each, "thread_id": new_id()} for each in (gone[0], here[0])]
        whole = [
            (await api.internal("POST", path, {"items": items})).status
            for path, items in (("/internal/pushes", asked), ("/internal/threads/followers", places))
        ]
        pushes = (await api.internal("POST", "/internal/pushes", {"items": asked, "partial": True})).body
        followers = (await api.internal("POST", "/internal/threads/followers", {"items": places, "partial": True})).body

        assert whole == [503, 503]
        assert (pushes["away"], pushes["items"][1]["member"], pushes["items"][1]["badge"]) == ([0], True, len(here))
        assert followers == {"items": [[], []], "away": [0]}
        assert (refused.status, written.status, ids.status) == (503, 503, 503)
        assert {conversation["id"] for conversation in listed} == set(here) == set(synced)
        assert states["more"] is True
        assert await api.service.is_ready()

        relay.mend()
        await eventually(lambda: is_sent(ada, gone[0]))
        assert len(await ada.list("/v1/conversations", 50)) == len(conversations)


async def test_store__that_hangs__is_waited_for_by_one_read_and_not_by_each(
    start_api: Start, fresh_database: FreshDatabase
) -> None:
    hang_s = 1.0
    async with (
        relay_to(await fresh_database("api")) as relay,
        start_api(
            api_stores={"second": relay.url}, database_acquire_timeout_s=hang_s, database_command_timeout_s=hang_s
        ) as api,
    ):
        ada, ben = await api.users(2)
        conversations = [await ada.group(ben) for _ in range(4)]
        away = {partition_of(conversations[0]["id"])}
        here = {each["id"] for each in conversations if partition_of(each["id"]) not in away}
        await move(api, away, "second")
        await eventually(lambda: api.services.stores.of(conversations[0]["id"]) is not api.services.stores.main)
        assert len(await ada.list("/v1/conversations", 50)) == len(conversations)

        async def listed() -> tuple[set[str], float]:
            began = time.monotonic()
            items = await ada.list("/v1/conversations", 50)
            return {each["id"] for each in items}, time.monotonic() - began

        relay.freeze()
        first = await listed()
        later = [await listed() for _ in range(10)]
        together = await asyncio.gather(*(listed() for _ in range(5)))
        relay.mend()

        assert {frozenset(ids) for ids, _ in (first, *later, *together)} == {frozenset(here)}
        assert sum(took for _, took in later) < 3 * hang_s
        await eventually(lambda: all_listed(ada, len(conversations)))


async def all_listed(user: User, number: int) -> bool:
    return len(await user.list("/v1/conversations", 50)) == number


async def test_profile__changed__is_shown_in_conversations_of_every_store(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    await move(api, [partition_of(conversation["id"])], "second")

    await ben.patch("/v1/users/me", {"display_name": "Benjamin"})

    async def is_shown() -> bool:
        seen = await ada.get(f"/v1/conversations/{conversation['id']}")
        return bool(seen["peer"]["display_name"] == "Benjamin")

    await eventually(is_shown)


async def test_find_users__main_store_away__knows_those_of_the_others(
    start_api: Start, fresh_database: FreshDatabase
) -> None:
    async with (
        relay_to(await fresh_database("api")) as relay,
        start_api(
            database_url=relay.url,
            api_stores={"second": await fresh_database("api")},
            database_acquire_timeout_s=0.3,
            database_command_timeout_s=0.5,
        ) as api,
    ):
        ada, ben = await api.users(2)
        conversation = await ada.direct(ben)
        await move(api, [partition_of(conversation["id"])], "second")
        await eventually(lambda: api.services.stores.of(conversation["id"]) is not api.services.stores.main)

        relay.cut()
        await ada.send(conversation["id"], "still here")
        assert len((await ben.get(f"/v1/conversations/{conversation['id']}/messages"))["items"]) == 1
        assert await api.services.users.known([ben.id]) == {ben.id: ben.profile}
        relay.mend()


async def test_direct__begun_by_both_while_its_partition_moves__is_one(api: Api) -> None:
    for _ in range(3):
        ada, ben = await api.users(2)
        begun: list[str] = []

        async def begin(one: User, other: User, into: list[str]) -> None:
            while True:
                answer = await one.call("POST", "/v1/conversations", {"type": "direct", "member_ids": [other.id]})
                if answer.status in (200, 201):
                    into.append(answer.body["id"])
                    return
                assert answer.status == 503, answer
                await asyncio.sleep(0.02)

        async with asyncio.TaskGroup() as group:
            group.create_task(begin(ada, ben, begun))
            group.create_task(begin(ben, ada, begun))
            group.create_task(move_quietly(api, ada, ben))

        assert len(set(begun)) == 1
        assert [each["id"] for each in await ada.list("/v1/conversations", 50)] == begun[:1]


async def move_quietly(api: Api, ada: User, ben: User) -> None:

    partition = partition_of(rules.direct_id(rules.direct_key(ada.id, ben.id)))
    try:
        await move(api, [partition], "second")
    except (UnavailableError, AppError) as error:
        pytest.fail(f"the move failed: {error!r}")


async def test_move__of_a_group__takes_its_bans_and_invites_along(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    group = await ada.group()
    path = f"/v1/conversations/{group['id']}"
    await ada.call("PUT", f"{path}/bans/{eve.id}", {"reason": "spam"})
    invite = await ada.post(f"{path}/invites", {"max_uses": 1})
    channel = await ada.post(
        "/v1/conversations",
        {"type": "group", "title": f"x{group['id'][-12:]}", "member_ids": [], "visibility": "public"},
    )

    await move(api, {partition_of(group["id"]), partition_of(channel["id"])}, "second")

    assert [item["reason"] for item in await ada.list(f"{path}/bans", 10)] == ["spam"]
    assert [item["code"] for item in await ada.list(f"{path}/invites", 10)] == [invite["code"]]
    assert (await eve.call("POST", f"/v1/invites/{invite['code']}/accept")).status == 403
    assert (await ben.call("POST", f"/v1/invites/{invite['code']}/accept")).status == 200
    assert (await ben.call("POST", f"/v1/conversations/{channel['id']}/join")).status == 200
    listed = await ben.get("/v1/channels", params={"search": channel["title"]})
    assert [item["joined"] for item in listed["items"]] == [True]
    for table in ("bans", "invites", "members"):
        assert await api.sql(f"select from {table} where conversation_id = $1", group["id"]) == []


async def test_move__of_messages_with_files__keeps_these_and_what_is_deleted_later_goes(
    api: Api, files_folder: Path
) -> None:
    ada, ben = await api.users(2)
    group, files = await ada.group(ben), Files(ada, files_folder)
    before, after = [await files.sent(text, "text/plain") for text in (b"before", b"after")]
    sent = [await ada.send(group["id"], "", file_ids=[before["id"]])]
    await move(api, {partition_of(group["id"])}, "second")
    sent.append(await ada.send(group["id"], "", file_ids=[after["id"]]))

    assert (await ben.get(f"/v1/conversations/{group['id']}/messages"))["items"] == sent
    for file, text in ((before, b"before"), (after, b"after")):
        assert (await Files(ben, files_folder).read(f"/v1/files/{file['id']}/content"))[1] == text
    for message in sent:
        await ada.delete(f"/v1/conversations/{group['id']}/messages/{message['id']}")

    async def are_gone() -> bool:
        return not await api.sql("select from files")

    assert (await Files(ben, files_folder).read(f"/v1/files/{before['id']}/content"))[0] == 404
    await eventually(are_gone, timeout=15)
