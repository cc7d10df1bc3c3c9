"""What is encoded without pydantic is what the contract class writes, and as the committed schema says."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from synctalk_contracts import commands as contract
from synctalk_contracts.base import Contract
from synctalk_contracts.commands import Reply, ReplyBatch
from synctalk_contracts.encoding import commands, fanout, to_client
from synctalk_contracts.fanout import ContactsEvent, PresenceEvent, ProfileEvent, RoomBatch, UserEvent
from synctalk_contracts.sockets import TO_CLIENT, TO_SERVER, ReadyToClient

SCHEMAS = Path(__file__).parents[1] / "schemas"
ValuesOf = Callable[[dict[str, Any]], st.SearchStrategy[Any]]
quick = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])

USER_ID = "01997e00-0000-7000-8000-000000000001"
DEADLINE = datetime(2026, 1, 31, 12, tzinfo=UTC)

RENDERED = {"message", "user", "presence", "conversation"}


def committed(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text())
    return schema


def encoded_by_function(name: str, model: Contract) -> bytes:
    """Call the event's function with the fields of the model, or with the whole where it takes one rendered value."""
    function = getattr(to_client, name.replace(":", "_"))
    if isinstance(model, ReadyToClient):
        return function(model)  # type: ignore[no-any-return]
    dumped = model.model_dump(mode="json")
    if RENDERED & function.__annotations__.keys():
        return function(dumped)  # type: ignore[no-any-return]
    return function(**dumped)  # type: ignore[no-any-return]


RELAYED = ("receipt:updated", "message:ephemeral", "thread:changed", "thread:updated")
"""Composed by api alone."""


@pytest.mark.parametrize("name", [name for name in TO_CLIENT if name not in RELAYED])
def test_to_client__by_its_function__is_the_contracts_and_as_its_schema_says(name: str, values_of: ValuesOf) -> None:
    schema = committed(f"to_client/{name.replace(':', '.')}.v1")
    validator = Draft202012Validator(schema)

    @quick
    @given(values_of(schema))
    def check(value: Any) -> None:
        model = TO_CLIENT[name].model_validate_json(json.dumps(value))
        event, payload = json.loads(encoded_by_function(name, model))
        assert event == name
        assert payload == json.loads(model.to_bytes())
        validator.validate(payload)

    check()


def test_to_client__fragment__is_spliced_in_as_it_is() -> None:
    assert to_client.message_new(orjson.Fragment(b'{"id":1}')) == b'["message:new",{"id":1}]'


def test_to_client__an_event_of_no_contract__is_refused() -> None:
    with pytest.raises(KeyError):
        to_client.encode("message:sung", {})


@pytest.mark.parametrize("name", [*RELAYED, "message:sung"])
def test_relay__of_a_known_or_a_newer_event__passes_the_payload_on(name: str) -> None:
    assert json.loads(to_client.relay(name, {"id": 1})) == [name, {"id": 1}]


def drawn(name: str, model: type[Contract], values_of: ValuesOf, check: Callable[[Any], None]) -> None:
    """Run the check with models drawn from their committed schema."""

    @quick
    @given(values_of(committed(name)))
    def run(value: Any) -> None:
        check(model.model_validate_json(json.dumps(value)))

    run()


def test_room_batch__is_the_contracts(values_of: ValuesOf) -> None:
    validator = Draft202012Validator(committed("fanout/room_batch.v1"))

    def check(batch: RoomBatch) -> None:
        dumped = batch.model_dump(mode="json")
        events = [
            fanout.room_event(
                event["event"],
                event["user_id"],
                event["payload"],
                change_seq=event["change_seq"],
                after=event["after"],
                origin=event["origin"],
                views=event["views"],
                hidden_from=event["hidden_from"],
            )
            for event in dumped["events"]
        ]
        data = fanout.room_batch(batch.conversation_id, events)
        validator.validate(json.loads(data))
        assert RoomBatch.from_bytes(data) == batch
        assert fanout.read_conversation(data) == json.loads(data)

    drawn("fanout/room_batch.v1", RoomBatch, values_of, check)


def test_presence_event__is_the_contracts(values_of: ValuesOf) -> None:
    def check(event: PresenceEvent) -> None:
        rest = event.model_dump(mode="json", include={"shown_changed", "last_seen_visible", "last_seen_at"})
        data = fanout.presence_event(event.shown.to_bytes(), event.own.to_bytes(), **rest)
        assert data == event.to_bytes()
        assert fanout.read_presence(data) == json.loads(data)

    drawn("fanout/presence_event.v1", PresenceEvent, values_of, check)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("fanout/user_event.v1", UserEvent),
        ("fanout/profile_event.v1", ProfileEvent),
        ("fanout/contacts_event.v1", ContactsEvent),
    ],
)
def test_user_channel__is_read_as_written(name: str, model: type[Contract], values_of: ValuesOf) -> None:
    drawn(name, model, values_of, lambda event: _equal(fanout.read_user(event.to_bytes()), event))


def _equal(read: Any, event: Contract) -> None:
    assert read == event.model_dump(mode="json")


def test_reply_batch__done_and_refused__are_the_contracts() -> None:
    error = {"code": "not_found", "message": "Not found."}
    data = fanout.reply_batch([fanout.done(1), fanout.done(2, b'{"id":"m"}'), fanout.refused(3, error)])

    Draft202012Validator(committed("commands/reply_batch.v1")).validate(json.loads(data))
    assert ReplyBatch.from_bytes(data).replies == [
        Reply(id=1, result={}),
        Reply(id=2, result={"message": {"id": "m"}}),
        Reply(id=3, error=error),
    ]
    assert fanout.read_replies(data) == json.loads(data)["replies"]


COMMANDS: dict[str, type[contract.Command]] = {
    "message:send": contract.SendMessage,
    "message:edit": contract.EditMessage,
    "message:delete": contract.DeleteMessage,
    "message:stream:start": contract.StartStream,
    "message:stream:append": contract.AppendToStream,
    "message:stream:end": contract.EndStream,
    "reaction:add": contract.AddReaction,
    "reaction:remove": contract.RemoveReaction,
    "receipt:delivered": contract.MarkDelivered,
    "receipt:read": contract.MarkRead,
    "thread:read": contract.MarkThreadRead,
}


def test_commands__all__are_those_of_some_event() -> None:
    assert set(COMMANDS.values()) == set(contract.Command.__subclasses__())


@pytest.mark.parametrize("event", COMMANDS)
def test_command__of_any_event_its_contract_takes__is_the_commands_contracts(event: str, values_of: ValuesOf) -> None:
    kind = COMMANDS[event]
    encoder = commands.Encoder(kind)
    validator = Draft202012Validator(committed("commands/command_batch.v1"))

    @quick
    @given(values_of(committed(f"to_server/{event.replace(':', '.')}.v1")), st.none() | st.just("00-trace-span-01"))
    def check(value: Any, traceparent: str | None) -> None:
        try:
            payload = TO_SERVER[event].model_validate(value)
        except ValidationError:
            reject()  # the class has rules beyond the schema
        encoded = encoder.of(USER_ID, vars(payload))
        command = kind(user_id=USER_ID, **payload.model_dump())
        requests = [
            contract.CommandRequest(id=n, connection_id="c", traceparent=traceparent, command=command) for n in (1, 2)
        ]
        whole = contract.CommandBatch(reply_to="gateway-1", requests=requests, deadline=DEADLINE)
        data = commands.batch("gateway-1", [commands.request(n, "c", traceparent, encoded) for n in (1, 2)], DEADLINE)
        validator.validate(json.loads(data))
        assert encoded.conversation_id == command.conversation_id
        assert json.loads(data) == json.loads(whole.to_bytes())
        assert contract.CommandBatch.from_bytes(data) == contract.CommandBatch.from_bytes(whole.to_bytes())

    check()


@pytest.mark.parametrize("data", [b"", b"[]", b"1", b"{}", b"\xff"], ids=repr)
@pytest.mark.parametrize(
    "read", [fanout.read_conversation, fanout.read_user, fanout.read_presence, fanout.read_replies]
)
def test_readers__another_shape__is_unreadable(read: Callable[[bytes], Any], data: bytes) -> None:
    with pytest.raises(fanout.UnreadableError):
        read(data)
