"""One rule for names, kept by a test because a rule without one drifts."""

import re
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pkgutil import walk_packages
from typing import get_args

import pytest
import synctalk_contracts
from synctalk_contracts import registry, topology
from synctalk_contracts.commands import AnyCommand, Command
from synctalk_contracts.envelope import Event
from synctalk_contracts.errors import STATUS, ErrorCode
from synctalk_contracts.sockets import TO_CLIENT, TO_SERVER, ToClient, ToServer

IRREGULAR_PARTICIPLES = {"read", "sent", "left", "put"}

INTERFACE_TO_SERVER = {
    "message:send",
    "message:edit",
    "message:delete",
    "message:stream:start",
    "message:stream:append",
    "message:stream:end",
    "reaction:add",
    "reaction:remove",
    "receipt:delivered",
    "receipt:read",
    "receipts",
    "thread:read",
    "typing:start",
    "typing:stop",
    "presence:subscribe",
    "presence:unsubscribe",
    "presence:set",
    "activity",
    "sync",
    "auth:refresh",
}
INTERFACE_TO_CLIENT = {
    "ready",
    "message:new",
    "message:updated",
    "message:deleted",
    "message:ephemeral",
    "message:delta",
    "receipt:updated",
    "change:hidden",
    "thread:changed",
    "thread:updated",
    "typing",
    "user:updated",
    "presence:changed",
    "conversation:new",
    "conversation:updated",
    "conversation:removed",
    "member:changed",
    "sync:required",
    "session:expiring",
    "session:ended",
    "server:draining",
}


def _is_participle(word: str) -> bool:
    return word.endswith("ed") or word in IRREGULAR_PARTICIPLES


@pytest.mark.parametrize("event", registry.EVENTS.values(), ids=registry.EVENTS.keys())
def test_event__its_name__is_a_noun_and_a_past_participle(event: type[Event]) -> None:
    matched = re.fullmatch(r"([a-z]+)\.([a-z]+)\.v([1-9]\d*)", event.type_name())

    assert matched is not None
    noun, participle, version = matched.groups()
    assert _is_participle(participle)
    assert event.__name__ == f"{noun.capitalize()}{participle.capitalize()}{'' if version == '1' else f'V{version}'}"


def test_event__every_class__is_registered_once() -> None:
    assert set(registry.EVENTS.values()) == set(Event.__subclasses__())
    assert len(registry.EVENTS) == len(Event.__subclasses__())


def _command_type(command: type[Command]) -> str:
    return str(command.model_fields["type"].default)


@pytest.mark.parametrize("command", Command.__subclasses__(), ids=_command_type)
def test_command__its_name__is_an_order(command: type[Command]) -> None:
    name = _command_type(command)

    matched = re.fullmatch(r"([a-z]+)\.([a-z]+)\.v[1-9]\d*", name)
    assert matched is not None
    assert not matched.group(2).endswith("ed")
    assert registry.schemas()[f"commands/{name}"] is command


def test_command__every_class__can_be_in_a_batch() -> None:
    union, _ = get_args(AnyCommand)
    assert set(get_args(union)) == set(Command.__subclasses__())


def test_sockets__names__are_those_of_the_interface() -> None:
    assert TO_SERVER.keys() == INTERFACE_TO_SERVER
    assert TO_CLIENT.keys() == INTERFACE_TO_CLIENT


def test_sockets__every_class__has_a_name_of_its_own() -> None:
    assert len(TO_SERVER) == len(ToServer.__subclasses__())
    assert len(TO_CLIENT) == len(ToClient.__subclasses__())


def test_contracts__of_all_modules__have_names_of_their_own() -> None:
    modules = [import_module(found.name) for found in walk_packages(synctalk_contracts.__path__, "synctalk_contracts.")]
    defined = [
        name
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    ]
    assert [name for name, count in Counter(defined).items() if count > 1] == []


def test_sockets__every_class__has_its_direction_in_its_name() -> None:
    for base in (ToServer, ToClient):
        for each in base.__subclasses__():
            assert each.__name__.endswith(base.__name__)


def test_sockets__asyncapi_keys__do_not_meet() -> None:
    names = [*TO_SERVER, *TO_CLIENT, *registry.EVENTS]
    assert len({re.sub(r"[:.]", "_", name) for name in names}) == len(names)


def test_errors__every_code__has_a_status() -> None:
    assert STATUS.keys() == set(ErrorCode)


def test_registry__every_shape__has_a_versioned_name() -> None:
    for name in registry.schemas():
        assert re.fullmatch(r"[a-z_]+/[A-Za-z_.]+\.v[1-9]\d*", name), name


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        (topology.ChannelKind.CONVERSATION, topology.conversation_channel),
        (topology.ChannelKind.USER, topology.user_channel),
        (topology.ChannelKind.PRESENCE, topology.presence_channel),
        (topology.ChannelKind.REPLIES, topology.replies_channel),
        (topology.ChannelKind.HEARTBEAT, topology.heartbeat_channel),
    ],
)
def test_channel__parsed__is_what_it_was_made_of(kind: topology.ChannelKind, make: Callable[[str], str]) -> None:
    assert topology.parse_channel(make("a:b")) == (kind, "a:b")


@pytest.mark.parametrize("name", ["", "conversation", "moon:1"])
def test_channel__another_name__is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="channel"):
        topology.parse_channel(name)
