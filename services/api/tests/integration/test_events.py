"""The events that api publishes through its outbox: each fact after its commit, in sequence, by its contract."""

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest_asyncio
from synctalk_contracts import topology
from synctalk_contracts.envelope import Event
from synctalk_contracts.events.conversations import (
    ConversationCreated,
    ConversationDeleted,
    ConversationUpdated,
    MemberChanged,
)
from synctalk_contracts.events.messages import MessageCompleted, MessageCreated, MessageDeleted, MessageUpdated
from synctalk_contracts.events.receipts import ReceiptRead
from synctalk_contracts.events.users import UserUpdated
from synctalk_contracts.models import Message
from synctalk_runtime.bus import Bus
from synctalk_testkit.eventually import eventually
from synctalk_testkit.service import is_connected

from services.api.tests.integration.conftest import Api
from services.api.tests.integration.test_server_conversations import PATH, Host, new_name

KINDS: list[type[Event]] = [
    ConversationCreated,
    ConversationDeleted,
    ConversationUpdated,
    MemberChanged,
    MessageCreated,
    MessageUpdated,
    MessageDeleted,
    MessageCompleted,
    ReceiptRead,
    UserUpdated,
]


@pytest_asyncio.fixture(loop_scope="session")
async def received(api: Api) -> AsyncIterator[list[Event]]:
    """Return every event from now on, as the durable queue of another service gets them."""
    events: list[Event] = []

    async def note(batch: list[Event]) -> None:
        events.extend(batch)

    bus = Bus(api.settings.rabbitmq_url, "listener")
    queue = topology.DurableQueue("listener.events", tuple(kind.type_name() for kind in KINDS))
    bus.subscribe(queue, note)
    await bus.start()
    await eventually(lambda: is_connected(bus))
    yield events
    await bus.stop()


async def test_events__of_a_conversations_life__are_published(api: Api, received: list[Event]) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group(ben, title="First")
    message = await ada.send(group["id"], "one")
    path = f"/v1/conversations/{group['id']}"
    await ben.post(f"{path}/read", {"seq": 1})
    await ben.post(f"{path}/read", {"seq": 1})
    edited = await ada.patch(f"{path}/messages/{message['id']}", {"body": "two"})
    await ada.delete(f"{path}/messages/{message['id']}")
    await ada.patch(path, {"title": "Second"})
    await ada.post(f"{path}/members", {"user_ids": [cleo.id]})
    await cleo.delete(f"{path}/members/{cleo.id}")
    await ben.patch("/v1/users/me", {"display_name": "Benjamin"})

    def of(kind: type[Event]) -> list[Event]:
        return [e for e in received if type(e) is kind and group["id"] in e.model_dump_json()]

    await eventually(lambda: len(of(MemberChanged)) == 2)
    await eventually(
        lambda: [e for e in received if isinstance(e, UserUpdated) and e.user.id == ben.id and e.changed_at]
    )
    (created,) = of(ConversationCreated)
    assert isinstance(created, ConversationCreated)
    assert {member.user_id: member.role for member in created.members} == {ada.id: "owner", ben.id: "member"}
    assert of(MessageCreated) == [MessageCreated(message=Message.model_validate(message))]
    assert of(MessageUpdated) == [MessageUpdated(message=Message.model_validate(edited))]
    (deleted,) = of(MessageDeleted)
    assert isinstance(deleted, MessageDeleted)
    assert deleted.message.body == ""
    assert of(ReceiptRead) == [ReceiptRead(conversation_id=group["id"], user_id=ben.id, read_seq=1)]
    (updated,) = of(ConversationUpdated)
    assert isinstance(updated, ConversationUpdated)
    assert (updated.conversation_id, updated.title, updated.change_seq) == (group["id"], "Second", 5)
    shown = await ada.get(f"/v1/conversations/{group['id']}")
    for event, title in ((created, group["title"]), (updated, "Second")):
        assert event.conversation is not None
        assert event.conversation.model_dump(mode="json") | {"updated_at": ""} == {
            "id": group["id"],
            "external_id": None,
            "type": "group",
            "title": title,
            "metadata": {},
            "created_at": shown["created_at"],
            "updated_at": "",
        }
    changes = [(e.user_id, e.role, e.change_seq) for e in of(MemberChanged) if isinstance(e, MemberChanged)]
    assert changes == [(cleo.id, "member", 6), (cleo.id, None, 7)]


async def test_events_of_a_named_conversation__have_its_name(api: Api, received: list[Event]) -> None:
    host, (ada, ben, cyd) = Host.of(api), await api.users(3)
    name = new_name()
    made = await host.made(name, ada, ben, title="Old")
    await host.put(name, type="group", title="New")
    await ada.put(f"/v1/conversations/{made['id']}/archive")
    await ada.delete(f"/v1/conversations/{made['id']}/archive")
    await host.call("DELETE", PATH + quote(name, safe=""))
    begun = await ada.direct(cyd)
    await host.put(other := new_name(), type="direct", member_ids=[ada.id, cyd.id])

    def names(conversation_id: str) -> list[str | None]:
        kinds = ConversationCreated | ConversationUpdated | ConversationDeleted
        about = [e.conversation for e in received if isinstance(e, kinds) and e.conversation is not None]
        return [each.external_id for each in about if each.id == conversation_id]

    await eventually(lambda: names(made["id"]) == [name] * 5)
    await eventually(lambda: names(begun["id"]) == [None, other])


async def test_silent_message__says_so_in_its_event_alone(api: Api, received: list[Event]) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    group = await ada.group(ben)
    path = f"{PATH}{group['id']}/messages"
    sent = {"sender": ada.id, "client_message_id": "one", "body": "hello"}
    loud = (await host.call("POST", path, sent)).body
    quiet = (await host.call("POST", path, {**sent, "client_message_id": "two", "silent": True})).body

    created = [MessageCreated(message=Message.model_validate(each)) for each in (loud, quiet)]
    created[1] = created[1].model_copy(update={"silent": True})
    await eventually(lambda: created == [e for e in received if isinstance(e, MessageCreated)][-2:])
    assert loud.keys() == quiet.keys()
    assert (await ben.get(f"/v1/conversations/{group['id']}"))["unread_count"] == 2


async def test_events__of_a_streamed_message__are_its_start_and_its_end(api: Api, received: list[Event]) -> None:
    ada, ben = await api.users(2)
    path = f"/v1/conversations/{(await ada.direct(ben))['id']}/messages"
    message = await ada.post(f"{path}/stream", {"client_message_id": "one"})
    await ada.patch(f"{path}/{message['id']}/stream", {"at": 0, "text": "Hello"})
    ended = await ada.post(f"{path}/{message['id']}/stream/end", {})

    def of_message() -> list[tuple[type[Event], Message]]:
        kinds = (MessageCreated, MessageUpdated, MessageCompleted)
        return [(type(e), e.message) for e in received if isinstance(e, kinds) and e.message.id == message["id"]]

    await eventually(lambda: len(of_message()) == 3)
    whole = Message(**ended)
    assert of_message() == [
        (MessageCreated, Message(**message)),
        (MessageUpdated, whole),
        (MessageCompleted, whole),
    ]
