"""The AsyncAPI 3.0 document, made from the models: the Socket.IO vocabulary and the events on the bus."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from synctalk_contracts import topology
from synctalk_contracts.acks import ACKS, RefusedAck
from synctalk_contracts.registry import EVENTS
from synctalk_contracts.sockets import TO_CLIENT, TO_SERVER

Json = dict[str, Any]


def document() -> Json:
    """The whole document as JSON-ready values. Each event of a client is an operation, with its acks as reply."""
    replies: list[type[BaseModel]] = [*ACKS.values(), RefusedAck]
    acks = {reply.__name__: reply for reply in replies}
    shapes: list[type[BaseModel]] = [*TO_SERVER.values(), *TO_CLIENT.values(), *EVENTS.values(), *acks.values()]
    _, definitions = models_json_schema(
        [(s, "validation") for s in shapes], ref_template="#/components/schemas/{model}"
    )
    names = _definition_names(shapes)
    messages = {
        _key(event): {"name": event, "contentType": "application/json", "payload": _ref(names[cls])}
        for event, cls in [*TO_SERVER.items(), *TO_CLIENT.items(), *EVENTS.items(), *acks.items()]
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "SyncTalk",
            "version": "1.0.0",
            "description": "Socket.IO events between clients and the gateway, and the events that the services "
            "send each other over RabbitMQ. The reply to a client's event is its Socket.IO acknowledgement.",
        },
        "channels": {
            "sockets": {
                "address": "/socket.io/",
                "title": "Socket.IO v4, namespace /",
                "messages": _messages([*TO_SERVER, *TO_CLIENT]),
            },
            "acks": {
                "address": None,
                "title": "Acknowledgements, by the packet's id in Socket.IO",
                "messages": _messages(acks),
            },
            "events": {
                "address": topology.EVENTS_EXCHANGE,
                "title": "Topic exchange; the routing key is the event's type",
                "messages": _messages(EVENTS),
            },
        },
        "operations": {
            **{_key(event): _acked(event) for event in TO_SERVER},
            "toClient": _operation("send", "sockets", list(TO_CLIENT)),
            "onTheBus": _operation("send", "events", list(EVENTS)),
        },
        "components": {"messages": messages, "schemas": definitions.get("$defs", {})},
    }


def _definition_names(shapes: list[type[BaseModel]]) -> dict[type[BaseModel], str]:
    refs, _ = models_json_schema([(s, "validation") for s in shapes], ref_template="{model}")
    return {
        model: ref["$ref"]
        for (model, _), ref in refs.items()
        if isinstance(model, type) and issubclass(model, BaseModel)
    }


def _key(event: str) -> str:
    return event.replace(":", "_").replace(".", "_")


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _messages(names: Iterable[str]) -> Json:
    return {_key(name): {"$ref": f"#/components/messages/{_key(name)}"} for name in names}


def _acked(event: str) -> Json:
    acks = [_key(ACKS[event].__name__), _key(RefusedAck.__name__)]
    return _operation("receive", "sockets", [event]) | {
        "reply": {
            "channel": {"$ref": "#/channels/acks"},
            "messages": [{"$ref": f"#/channels/acks/messages/{ack}"} for ack in acks],
        }
    }


def _operation(action: str, channel: str, events: list[str]) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{_key(event)}"} for event in events],
    }
