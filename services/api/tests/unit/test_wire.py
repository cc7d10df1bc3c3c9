"""What is encoded by hand for speed is what the contracts say."""

import orjson
from synctalk_api.actions.commands import Command, CommandResult, Outcome
from synctalk_api.clients.fanout import Broadcast
from synctalk_api.rules import Mentions
from synctalk_api.store import outbox
from synctalk_api.store.messages import MessageRow
from synctalk_api.store.sending import Draft
from synctalk_contracts import topology
from synctalk_contracts.commands import Reply, ReplyBatch, SendMessage
from synctalk_contracts.envelope import Envelope
from synctalk_contracts.events.messages import MessageCreated
from synctalk_contracts.fanout import RoomBatch
from synctalk_contracts.ids import format_time
from synctalk_contracts.models import Message
from synctalk_contracts.registry import parse
from synctalk_contracts.sockets import MessageNewToClient
from synctalk_runtime.errors import NotFoundError
from synctalk_runtime.ids import new_id, utc_now

BODY = 'quotes " and \\ and \n and ☕ and </script>'


def a_row() -> MessageRow:
    return MessageRow(
        conversation_id=new_id(),
        seq=3,
        id=new_id(),
        change_seq=5,
        sender_id=new_id(),
        client_message_id="name",
        body=BODY,
        reply_to=new_id(),
        mentions=[new_id()],
        created_at=utc_now(),
        edited_at=utc_now(),
        deleted_at=None,
        pinned_at=utc_now(),
        pinned_by=new_id(),
        metadata={"order": [BODY, 1.5, None]},
        mention_all=True,
        forwarded_from={"conversation_id": None, "message_id": None, "sender_id": None},
        system={"type": "renamed", "title": BODY},
        reactions={"👍": [new_id()]},
        reaction_counts={"👍": 1},
        previews=[{"url": "https://example.org", "title": BODY, "description": "", "image_url": None}],
    )


def test_message__as_json__is_the_contracts() -> None:
    row = a_row()

    assert Message.model_validate_json(row.to_json()) == row.to_model()
    assert orjson.loads(row.to_json()) == orjson.loads(row.to_model().model_dump_json())


def test_draft__with_its_numbers__is_the_contracts_message() -> None:
    command = SendMessage(
        conversation_id=new_id(),
        user_id=new_id(),
        client_message_id="name",
        body=BODY,
        reply_to=new_id(),
        metadata={"order": 1},
    )
    now, mentioned = utc_now(), new_id()
    draft = Draft.of(command, b"", Mentions([mentioned], all=True), format_time(now), "00-ab-cd-01")

    message = Message.model_validate_json(draft.to_json(7, 9))

    assert message == Message(
        id=draft.id,
        conversation_id=command.conversation_id,
        seq=7,
        change_seq=9,
        sender_id=command.user_id,
        client_message_id="name",
        body=BODY,
        reply_to=command.reply_to,
        reactions={},
        reaction_counts={},
        mentions=[mentioned],
        created_at=now,
        edited_at=None,
        deleted_at=None,
        metadata={"order": 1},
        mention_all=True,
    )
    envelope = Envelope.from_bytes(draft.envelope + draft.to_json(7, 9).decode() + "}}")
    assert envelope.traceparent == "00-ab-cd-01"
    assert parse(envelope) == MessageCreated(message=message)


def test_outbox_row__is_an_envelope_of_its_event() -> None:
    row = a_row()

    name, envelope = outbox.row(
        MessageCreated, {"message": orjson.Fragment(row.to_json())}, format_time(row.created_at), None
    )

    assert name == "message.created.v1"
    assert parse(Envelope.from_bytes(envelope)) == MessageCreated(message=row.to_model())


def test_broadcast__is_the_contracts_batches_in_order() -> None:
    row = a_row()
    broadcast, later = Broadcast(), Broadcast()
    broadcast.to_room("c", MessageNewToClient, row.sender_id, orjson.Fragment(row.to_json()), change_seq=1, origin="s")
    later.to_room("c", MessageNewToClient, row.sender_id, orjson.Fragment(row.to_json()), change_seq=2)
    broadcast.extend(later)

    ((channel, data),) = broadcast.replies_and_rooms()

    assert channel == topology.conversation_channel("c")
    row_id = new_id()
    batch = RoomBatch.from_bytes(data.replace(b'"c"', f'"{row_id}"'.encode(), 1))
    assert [(event.change_seq, event.origin) for event in batch.events] == [(1, "s"), (2, None)]
    assert batch.events[0].payload == row.to_wire()


def test_reply__done_and_refused__are_the_contracts() -> None:
    row = a_row()
    payload = SendMessage(conversation_id=row.conversation_id, user_id=row.sender_id, client_message_id="a", body="b")
    broadcast = Broadcast()
    outcomes: list[Outcome] = [CommandResult(row.to_json()), CommandResult(), NotFoundError()]
    for n, outcome in enumerate(outcomes):
        broadcast.reply("gateway-1", Command(payload, request_id=n).reply(outcome))

    ((channel, data),) = broadcast.replies_and_rooms()

    assert channel == topology.replies_channel("gateway-1")
    error = NotFoundError().body()["error"]
    assert ReplyBatch.from_bytes(data).replies == [
        Reply(id=0, result={"message": row.to_wire()}),
        Reply(id=1, result={}),
        Reply(id=2, error=error),
    ]
