"""`/v1/events`: what was published, in one order, with nothing left out."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from synctalk_contracts.events.conversations import ConversationDeleted, ConversationUpdated
from synctalk_contracts.events.messages import MessageUpdated
from synctalk_contracts.events.receipts import ReceiptRead
from synctalk_contracts.events.reports import ReportCreated
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.events.users import (
    ErasureRequested,
    UserDeactivated,
    UserReactivated,
    UserRegistered,
    UserUpdated,
)
from synctalk_contracts.models import (
    EndReason,
    EraseMode,
    HostConversation,
    Message,
    Role,
    Scope,
    ServerUser,
    User,
)
from synctalk_notifier.actions.feed import Feed
from synctalk_runtime.ids import new_id, utc_now
from synctalk_testkit.eventually import eventually

from services.notifier.tests.harness import Rig

if TYPE_CHECKING:
    from synctalk_testkit.http import Response


class Backend:
    """A host app's backend that reads the feed."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.key = rig.auth.server_key(Scope.EVENTS)

    async def call(self, **params: Any) -> Response:
        return await self.rig.service.call("GET", "/v1/events", token=self.key, params=params)

    async def read(self, **params: Any) -> tuple[list[dict[str, Any]], str]:
        response = await self.call(**params)
        assert response.status == 200, response
        return response.body["items"], response.body["next"]

    async def now(self) -> str:
        return (await self.read())[1]

    async def wait_for(self, after: str, count: int, **params: Any) -> list[dict[str, Any]]:
        """Read from a place until there are so many."""

        async def there() -> list[dict[str, Any]] | None:
            items, _ = await self.read(after=after, limit=1000, **params)
            return items if len(items) >= count else None

        found: list[dict[str, Any]] | None = await eventually(there)
        assert found is not None
        return found


@pytest.fixture
def backend(rig: Rig) -> Backend:
    return Backend(rig)


def user_of(user_id: str, name: str = "Ada") -> User:
    return User(id=user_id, username=name.lower(), display_name=name, avatar_url=None)


def server_user(user_id: str, external_id: str | None) -> ServerUser:
    return ServerUser(
        **user_of(user_id).model_dump(),
        external_id=external_id,
        private_metadata={"plan": "secret"},
        deactivated_at=None,
        erased_at=None,
    )


async def test_feed__what_happens_in_a_conversation__is_there_in_order(rig: Rig, backend: Backend) -> None:
    ada, bob = rig.user(), rig.user()
    start = await backend.now()
    conversation = await rig.conversation(ada, bob)
    first = await conversation.write(ada)
    changed = conversation.member_changed(bob, None)
    await rig.publish(changed)
    second = await conversation.write(ada)

    items = await backend.wait_for(start, 4)

    assert [item["type"] for item in items] == [
        "conversation.created",
        "message.created",
        "member.changed",
        "message.created",
    ]
    assert items[0]["data"]["conversation"] | {"created_at": "", "updated_at": ""} == {
        "id": conversation.id,
        "external_id": None,
        "type": "group",
        "title": None,
        "metadata": {},
        "created_at": "",
        "updated_at": "",
    }
    assert items[1]["data"] == {"message": first.message.model_dump(mode="json")}
    assert items[2]["data"] == changed.model_dump(mode="json")
    assert items[3]["data"]["message"]["id"] == second.message.id
    assert all(set(item) == {"id", "type", "created_at", "data"} for item in items)


async def test_feed__read_in_pages__is_the_same_as_at_once_and_again(rig: Rig, backend: Backend) -> None:
    ada = rig.user()
    start = await backend.now()
    conversation = await rig.conversation(ada)
    await conversation.write(ada, times=12)
    whole = await backend.wait_for(start, 13)

    pages: list[dict[str, Any]] = []
    after = start
    while True:
        items, after = await backend.read(after=after, limit=5)
        if not items:
            break
        pages += items

    assert pages == whole
    assert (await backend.read(after=start, limit=1000))[0] == whole


async def test_feed__of_types__goes_past_what_was_filtered(rig: Rig, backend: Backend) -> None:
    ada = rig.user()
    start = await backend.now()
    conversation = await rig.conversation(ada)
    await conversation.write(ada, times=3)
    await rig.publish(conversation.member_changed(ada, Role.ADMIN))
    await backend.wait_for(start, 5)

    items, after = await backend.read(after=start, types="member.changed,conversation.created", limit=10)
    nothing, _ = await backend.read(after=after, limit=10)
    one, next_ = await backend.read(after=start, types="member.changed,conversation.created", limit=1)
    other, _ = await backend.read(after=next_, types="member.changed,conversation.created", limit=1)

    assert [item["type"] for item in items] == ["conversation.created", "member.changed"]
    assert nothing == []
    assert one + other == items


async def test_feed__published_twice__is_there_once(rig: Rig, backend: Backend) -> None:
    ada, event_id = rig.user(), new_id()
    start = await backend.now()
    conversation, created = rig.created(ada)
    for _ in range(3):
        await rig.publish(created, event_id=event_id)
    await conversation.write(ada)

    items = await backend.wait_for(start, 2)

    assert [item["id"] for item in items][:1] == [event_id]
    assert [item["type"] for item in items] == ["conversation.created", "message.created"]


async def test_feed__waiting__answers_when_there_is_something(rig: Rig, backend: Backend) -> None:
    ada = rig.user()
    start = await backend.now()
    waiting = asyncio.create_task(backend.read(after=start, wait=30))
    empty, after = await backend.read(after=start, wait=0.1)
    assert (empty, after) == ([], start)

    await rig.conversation(ada)

    items, _ = await waiting
    assert [item["type"] for item in items] == ["conversation.created"]


async def test_feed__a_message_is_deleted__older_events_of_it_say_so_and_keep_their_place(
    rig: Rig, backend: Backend
) -> None:
    ada = rig.user()
    start = await backend.now()
    conversation = await rig.conversation(ada)
    created = await conversation.write(ada)
    edited = created.message.model_copy(update={"body": "edited", "edited_at": utc_now(), "change_seq": 3})
    await rig.publish(MessageUpdated(message=edited))
    before = await backend.wait_for(start, 3)
    await conversation.delete(created)

    after = await backend.wait_for(start, 4)

    assert [item["id"] for item in after[:3]] == [item["id"] for item in before]
    deleted = after[3]["data"]["message"]
    assert (after[3]["type"], deleted["body"]) == ("message.deleted", "")
    assert [item["data"]["message"] for item in after[1:]] == [deleted] * 3


async def test_feed__read_marks__are_one_event_a_second_with_the_latest(rig: Rig, backend: Backend) -> None:
    ada, conversation_id = rig.user(), new_id()
    start = await backend.now()
    for seq in range(1, 8):
        await rig.publish(ReceiptRead(conversation_id=conversation_id, user_id=ada.id, read_seq=seq))

    items = await backend.wait_for(start, 1)

    assert [(item["type"], item["data"]) for item in items] == [
        ("receipt.read", {"conversation_id": conversation_id, "user_id": ada.id, "seq": 7})
    ]


async def test_feed__users_and_sessions__have_external_ids_and_nothing_private(rig: Rig, backend: Backend) -> None:
    user_id, session_id = new_id(), new_id()
    start = await backend.now()
    rig.auth.known[user_id] = server_user(user_id, "host-7")
    await rig.publish(UserRegistered(user=user_of(user_id), external_id="host-7"))
    await rig.publish(UserUpdated(user=user_of(user_id, "Ada B")))
    await rig.publish(UserDeactivated(user_id=user_id, external_id="host-7"))
    await rig.publish(UserReactivated(user_id=user_id, external_id="host-7"))
    await backend.wait_for(start, 4)
    await rig.publish(
        SessionRevoked(session_id=session_id, user_id=user_id, reason=EndReason.REVOKED, deny_until=utc_now())
    )

    items = await backend.wait_for(start, 5)

    assert [item["type"] for item in items] == [
        "user.created",
        "user.updated",
        "user.deactivated",
        "user.updated",
        "session.ended",
    ]
    assert [item["data"]["user"]["external_id"] for item in items[:4]] == ["host-7"] * 4
    assert items[1]["data"]["user"]["display_name"] == "Ada B"
    assert items[4]["data"] == {"user_id": user_id, "session_id": session_id, "reason": "revoked"}
    assert "secret" not in str(items)


async def test_feed__an_author_is_erased__older_events_do_not_name_them(rig: Rig, backend: Backend) -> None:
    user_id = new_id()
    start = await backend.now()
    await rig.publish(UserRegistered(user=user_of(user_id, "Grace"), external_id="host-8"))
    await backend.wait_for(start, 1)
    erased = User(id=user_id, username="deleted-1", display_name="Deleted user", avatar_url=None)
    await rig.publish(ErasureRequested(user_id=user_id, mode=EraseMode.AUTHOR, user=erased))

    async def is_erased() -> bool:
        items, _ = await backend.read(after=start)
        return "Grace" not in str(items) and "host-8" not in str(items)

    await eventually(is_erased)


async def test_feed__a_conversation_changes__has_its_details(rig: Rig, backend: Backend) -> None:
    conversation_id, now = new_id(), utc_now()
    start = await backend.now()
    about = HostConversation(
        id=conversation_id,
        external_id="ticket-1",
        type="group",
        title="Ticket 1",
        metadata={"priority": "high"},
        created_at=now,
        updated_at=now,
    )
    await rig.publish(
        ConversationUpdated(conversation_id=conversation_id, title="Ticket 1", change_seq=2, conversation=about)
    )

    [item] = await backend.wait_for(start, 1)

    assert (item["type"], item["data"]) == ("conversation.updated", {"conversation": about.model_dump(mode="json")})


async def test_feed__auth_is_away__waits_for_it_in_order(rig: Rig, backend: Backend) -> None:
    ada, user_id = rig.user(), new_id()
    rig.auth.known[user_id] = server_user(user_id, "host-9")
    start = await backend.now()
    rig.auth.is_available = False
    try:
        await rig.publish(UserUpdated(user=user_of(user_id)))
        await rig.publish(UserRegistered(user=user_of(new_id())))
        await rig.conversation(ada)
        assert [item["type"] for item in await backend.wait_for(start, 1)] == ["conversation.created"]
        assert len((await backend.read(after=start))[0]) == 1
    finally:
        rig.auth.is_available = True

    items = await backend.wait_for(start, 3)

    assert [item["type"] for item in items] == ["conversation.created", "user.updated", "user.created"]


async def test_feed__older_than_kept__is_gone(rig: Rig, backend: Backend) -> None:
    ada = rig.user()
    start = await backend.now()
    conversation = await rig.conversation(ada)
    await conversation.write(ada)
    await backend.wait_for(start, 2)
    _, later = await backend.read(after=start, limit=1)
    assert not await Feed(rig.postgres, timedelta(0)).forget_old()

    response = await backend.call(after=start)
    assert (response.status, response.code) == (410, "gone")
    assert (await backend.call(after=later)).status == 410
    assert (await backend.read(after="0"))[0] == []
    await conversation.write(ada)
    assert len(await backend.wait_for("0", 1)) == 1


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"after": "1"}, 400, "bad_cursor"),
        ({"after": "x" * 5000}, 422, "invalid"),
        ({"after": ""}, 422, "invalid"),
        ({"limit": 0}, 422, "invalid"),
        ({"limit": 1001}, 422, "invalid"),
        ({"wait": -1}, 422, "invalid"),
        ({"wait": 61}, 422, "invalid"),
        ({"types": "message.created,unknown"}, 422, "invalid"),
        ({"types": "webhook.test"}, 422, "invalid"),
    ],
)
async def test_feed__bad_parameters__are_refused(
    backend: Backend, params: dict[str, Any], status: int, code: str
) -> None:
    response = await backend.call(**params)
    assert (response.status, response.code) == (status, code)


async def test_feed__without_the_scope__is_refused(rig: Rig) -> None:
    user = await rig.user().call("GET", "/v1/events")
    key = await rig.service.call("GET", "/v1/events", token=rig.auth.server_key(Scope.USERS))

    assert (user.status, user.code) == (403, "forbidden")
    assert (key.status, key.body["error"]["details"]) == (403, {"scope": "events"})
    assert (await rig.service.call("GET", "/v1/events")).status == 401


async def test_feed__a_push_that_failed__is_an_event(rig: Rig, backend: Backend) -> None:
    ada, bob = rig.user(), rig.user()
    await bob.add_device(f"unregistered-{bob.id}")
    start = await backend.now()
    conversation = await rig.conversation(ada, bob)
    message = (await conversation.write(ada)).message

    [event] = await backend.wait_for(start, 1, types="push.failed")

    assert event["data"] == {
        "user_id": bob.id,
        "device_id": "phone",
        "conversation_id": conversation.id,
        "message_id": message.id,
        "reason": "gone",
    }


async def test_feed__a_group_is_deleted__nothing_that_was_said_is_left(rig: Rig, backend: Backend) -> None:
    ada, now = rig.user(), utc_now()
    start = await backend.now()
    conversation = await rig.conversation(ada)
    await conversation.write(ada, times=2, body="a secret")
    await rig.publish(
        ReportCreated(conversation_id=conversation.id, message_id=new_id(), reporter_id=ada.id, reason="rude")
    )
    before = await backend.wait_for(start, 4)
    about = HostConversation(
        id=conversation.id, external_id=None, type="group", title="A", metadata={}, created_at=now, updated_at=now
    )
    await rig.publish(ConversationDeleted(conversation=about, change_seq=9))

    items = await backend.wait_for(start, 5)

    assert [item["id"] for item in items[:4]] == [item["id"] for item in before]
    assert [item["type"] for item in items[3:]] == ["report.created", "conversation.deleted"]
    assert items[4]["data"] == {"conversation": about.model_dump(mode="json")}
    messages = [Message.model_validate(item["data"]["message"]) for item in items[1:3]]
    assert [(message.body, message.deleted_at is not None) for message in messages] == [("", True)] * 2
    assert "a secret" not in str(items)
