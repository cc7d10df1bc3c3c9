"""Nothing that is declared is what RabbitMQ 4 has removed, denies, or does otherwise than 3 did by default.

The images are RabbitMQ 4, so where containers run all tests do; elsewhere they may run on 3, and this holds it there.
"""

import ast
import json
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
from synctalk_contracts import topology
from synctalk_runtime import queues

CHECKOUT = Path(__file__).resolve().parents[4]
SOURCES = [path for place in ("libs", "services") for path in (CHECKOUT / place).glob("*/src/**/*.py")]
QUORUM_ARGUMENTS = {
    "x-queue-type",
    "x-delivery-limit",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-dead-letter-strategy",
    "x-overflow",
    "x-max-length",
    "x-message-ttl",
    "x-single-active-consumer",
}
CLASSIC_ARGUMENTS = {"x-message-ttl", "x-max-length", "x-overflow"}
"""Of those that 4 knows, what is used: none for mirrors, for lazy queues or for where the leader is."""


async def declarations() -> list[dict[str, Any]]:
    """Return how each queue is declared: the durable ones with their dead letters, and a process's own."""
    channel = AsyncMock()
    for queue in topology.DURABLE_QUEUES:
        await queues.declare_durable(channel, queue)
    await queues.own_events("session.revoked.v1").declare(channel)
    await queues.CommandQueue(lambda: "api-1", ttl_ms=5_000, max_length=1_000).consumed().declare(channel)
    return [{"arguments": {}} | call.kwargs for call in channel.declare_queue.call_args_list]


async def test_queues__are_durable_quorum_queues_or_a_connections_own() -> None:
    """A transient queue that others may use, which 4 deprecates, is none of them; mirrored ones are gone."""
    declared = await declarations()

    assert len(declared) == 2 * len(topology.DURABLE_QUEUES) + 2
    for each in declared:
        is_quorum = each["arguments"].get("x-queue-type") == "quorum"
        assert is_quorum == bool(each.get("durable"))
        assert is_quorum != bool(each.get("exclusive"))
        assert each["arguments"].keys() <= (QUORUM_ARGUMENTS if is_quorum else CLASSIC_ARGUMENTS)


async def test_quorum_queues__say_their_delivery_limit() -> None:
    """4 sets one of 20 where nothing is said; 3 had none."""
    quorum = [each["arguments"] for each in await declarations() if each.get("durable")]

    assert {arguments["x-delivery-limit"] for arguments in quorum} == {20, 1_000_000}
    assert all(
        arguments["x-overflow"] == "reject-publish"
        for arguments in quorum
        if arguments.get("x-dead-letter-strategy") == "at-least-once"
    )


def calls(name: str) -> list[tuple[Path, ast.Call]]:
    return [
        (path, node)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name
    ]


def test_queues__are_declared_in_no_other_place() -> None:
    assert {path.name for path, _ in calls("declare_queue")} == {"bus.py", "queues.py"}


def test_prefetch__is_never_a_channels() -> None:
    found = calls("set_qos")

    assert found
    for path, call in found:
        assert [keyword.arg for keyword in call.keywords] == ["prefetch_count"], path
        assert not call.args, path
    assert calls("basic_qos") == []


@pytest.mark.parametrize("path", ["deploy/accounts/rabbitmq.json"])
def test_definitions__have_no_policies(path: str) -> None:
    """Those of mirrored queues are ignored by 4, and no other is needed."""
    assert "policies" not in json.loads((CHECKOUT / path).read_text())


def test_frames__are_as_large_as_the_broker_offers() -> None:
    """4 refuses clients that ask for less than 8,192 bytes before they are known; nothing here asks for any size."""
    configured = [CHECKOUT / "docker-compose.yml", *(CHECKOUT / "deploy").glob("**/*.yaml")]
    texts = {path: path.read_text() for path in [*SOURCES, *configured]}

    assert any("rabbitmq:4" in text for text in texts.values())
    for path, text in texts.items():
        assert "frame_max=" not in text, path
        assert "frame_max =" not in text or "tune.frame_max" in text, path
