"""The AsyncAPI document: whole, and every reference leads somewhere."""

from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from synctalk_contracts.acks import ACKS
from synctalk_contracts.asyncapi import document
from synctalk_contracts.registry import EVENTS
from synctalk_contracts.sockets import TO_CLIENT, TO_SERVER

DOCUMENT = document()
COMMITTED = Path(__file__).parents[3] / "docs" / "asyncapi.yaml"


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for value in node.values() for ref in _references(value)]
    return [ref for value in node for ref in _references(value)] if isinstance(node, list) else []


def _resolve(reference: str) -> Any:
    node: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_document__as_committed__is_up_to_date() -> None:
    assert yaml.safe_load(COMMITTED.read_text()) == DOCUMENT


def test_document__its_parts__are_those_of_asyncapi_3() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert DOCUMENT.keys() <= {
        "asyncapi",
        "id",
        "info",
        "servers",
        "defaultContentType",
        "channels",
        "operations",
        "components",
    }
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    for channel in DOCUMENT["channels"].values():
        assert channel.keys() <= {"address", "title", "summary", "description", "messages", "bindings"}
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in ("send", "receive")


def test_document__every_reference__leads_somewhere() -> None:
    references = _references(DOCUMENT)

    assert references
    assert all(_resolve(reference) is not None for reference in references)


def test_document__operations__name_messages_of_their_own_channel() -> None:
    for operation in DOCUMENT["operations"].values():
        channel = operation["channel"]["$ref"]
        assert operation["messages"]
        assert all(message["$ref"].startswith(f"{channel}/messages/") for message in operation["messages"])


def test_document__every_event__is_in_it_once() -> None:
    names = [message["name"] for message in DOCUMENT["components"]["messages"].values()]

    acks = {ack.__name__ for ack in ACKS.values()} | {"RefusedAck"}
    assert sorted(names) == sorted([*TO_SERVER, *TO_CLIENT, *EVENTS, *acks])


def test_document__event_of_a_client__has_its_acks_as_reply() -> None:
    assert ACKS.keys() == TO_SERVER.keys()
    for event, ack in ACKS.items():
        reply = DOCUMENT["operations"][event.replace(":", "_")]["reply"]
        named = [_resolve(_resolve(message["$ref"])["$ref"])["name"] for message in reply["messages"]]
        assert named == [ack.__name__, "RefusedAck"]


def test_document__its_schemas__are_valid() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
