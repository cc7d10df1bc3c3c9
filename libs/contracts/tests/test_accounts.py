"""Who may do what at RabbitMQ and Redis: each event has one publisher, each queue one consumer."""

import re

import pytest
from synctalk_contracts import topology
from synctalk_contracts.accounts import ACCESS, rabbitmq_definitions, rabbitmq_permissions, redis_rules, redis_user
from synctalk_contracts.registry import EVENTS
from synctalk_contracts.topology import ChannelKind


def test_events__have_one_publisher_each() -> None:
    published = sorted(name for access in ACCESS.values() for name in access.publishes)

    assert published == sorted(EVENTS)


def test_durable_queues__have_one_consumer_each() -> None:
    consumed = [queue.name for access in ACCESS.values() for queue in access.consumes]

    assert sorted(consumed) == sorted(queue.name for queue in topology.DURABLE_QUEUES)


@pytest.mark.parametrize("kind", ChannelKind)
def test_channels__are_published_on_and_subscribed_to(kind: ChannelKind) -> None:
    assert any(kind in access.publishes_on for access in ACCESS.values())
    assert [name for name, access in ACCESS.items() if kind in access.subscribes_to] == ["gateway"]


def _may(pattern: str, name: str) -> bool:
    return re.search(pattern, name) is not None


def test_rabbitmq__only_gateways_send_commands_and_only_api_takes_them() -> None:
    of = {name: rabbitmq_permissions(access) for name, access in ACCESS.items()}
    queue = topology.command_queue("api-1-0a1b2c3d")

    assert [name for name in of if _may(of[name].write, topology.COMMANDS_EXCHANGE)] == ["gateway"]
    assert [name for name in of if _may(of[name].read, queue)] == ["api"]
    assert not any(_may(one.write, "amq.default") for one in of.values())


def test_rabbitmq__names_match_as_a_whole() -> None:
    of = rabbitmq_permissions(ACCESS["notifier"])

    assert _may(of.read, "notifier.events")
    for name in ("notifier.events.x", "xnotifier.events", "notifierxevents", "api.users", "auth.users"):
        assert not _may(of.read, name)


def test_definitions__have_each_account_once() -> None:
    passwords = {name: f"password of {name}" for name in (*ACCESS, "synctalk")}
    definitions = rabbitmq_definitions(passwords)

    assert [user["name"] for user in definitions["users"]] == ["synctalk", *(f"synctalk_{name}" for name in ACCESS)]
    assert [user["name"] for user in definitions["users"] if user["tags"]] == ["synctalk"]
    assert len(definitions["permissions"]) == len(ACCESS) + 1
    assert len(definitions["topic_permissions"]) == len(ACCESS)


def test_redis__sharded_channels_are_as_the_others() -> None:
    for access in ACCESS.values():
        rules = redis_rules(access)
        assert ("+publish" in rules) == ("+spublish" in rules)
        assert ("+subscribe" in rules) == ("+ssubscribe" in rules)


def test_redis__two_passwords_of_one__are_both_in_its_line() -> None:
    assert " on >old >new " in redis_user("api", ["old", "new"])
