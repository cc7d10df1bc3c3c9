"""The capacity model: what one thing costs each part, how often it happens, and what a part can be given.

All of it is linear. What is not (batches that grow with the load, caches that run cold, networks) is left out, and the
page that shows the result says so.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

EDGE, GATEWAY, API, PRESENCE, NOTIFIER = "edge", "gateway", "api", "presence", "notifier"
STORES, NOTIFIER_DATABASE, PRESENCE_DATABASE = "PostgreSQL: stores", "PostgreSQL: notifier", "PostgreSQL: presence"
REDIS, PRESENCE_REDIS, RABBITMQ = "Redis", "Redis: presence", "RabbitMQ"
PARTS = (
    EDGE,
    GATEWAY,
    API,
    PRESENCE,
    NOTIFIER,
    STORES,
    NOTIFIER_DATABASE,
    PRESENCE_DATABASE,
    REDIS,
    PRESENCE_REDIS,
    RABBITMQ,
)

MESSAGE, DELIVERY, RECEIPT, PUSH, MEMBER = "message", "delivery", "receipt", "push", "member asked for"
PRESENCE_CHANGE, CONNECTION = "change of presence", "connection"
THINGS = (MESSAGE, DELIVERY, RECEIPT, PUSH, MEMBER, PRESENCE_CHANGE, CONNECTION)

ENGINE_OF = {
    ("PostgreSQL", PUSH): NOTIFIER_DATABASE,
    ("PostgreSQL", MEMBER): NOTIFIER_DATABASE,
    ("PostgreSQL", PRESENCE_CHANGE): PRESENCE_DATABASE,
    ("Redis", PRESENCE_CHANGE): PRESENCE_REDIS,
    ("Redis", CONNECTION): PRESENCE_REDIS,
}
"""Which PostgreSQL or Redis pays for a thing; else the stores of conversations, and Redis for broadcasts and limits."""

Spent = Mapping[str, float]
"""µs of CPU by part."""


@dataclass(frozen=True)
class Costs:
    cpu_us: Mapping[str, Spent]
    """Of each thing, by part."""
    socket_kib: float

    @classmethod
    def read(cls, path: Path) -> "Costs":
        return cls.of(json.loads(path.read_text())["measured"])

    @classmethod
    def of(cls, measured: Mapping[str, Mapping[str, object]]) -> "Costs":
        """Make costs of what was measured: some of it is one thing, some a mixture."""
        found: dict[str, Spent] = {
            name: _in_parts(name, _numbers(measured[name]["cpu_us"]))
            for name in (RECEIPT, PUSH, MEMBER, PRESENCE_CHANGE, CONNECTION)
        }
        groups, room = (_Mixture.of(measured[name]) for name in ("groups", "room"))
        delivery = {part: room.a_delivery(groups, part) for part in (EDGE, GATEWAY)}
        message = {part: groups.a_message(part) - delivery.get(part, 0) * groups.deliveries for part in groups.cpu_us}
        found[DELIVERY] = delivery
        found[MESSAGE] = _in_parts(MESSAGE, {part: max(0.0, us) for part, us in message.items()})
        return cls(found, _number(measured["idle socket"]["kib"]))


@dataclass(frozen=True)
class _Mixture:
    """A load with so many deliveries to a message, as CPU of each delivery, that of the message included."""

    deliveries: float
    cpu_us: Spent

    @classmethod
    def of(cls, row: Mapping[str, object]) -> "_Mixture":
        return cls(_number(row["deliveries_a_message"]), _numbers(row["cpu_us_a_delivery"]))

    def a_message(self, part: str) -> float:
        return self.cpu_us[part] * self.deliveries

    def a_delivery(self, other: "_Mixture", part: str) -> float:
        """Return what a delivery more costs: two loads are two points of a line."""
        return (self.a_message(part) - other.a_message(part)) / (self.deliveries - other.deliveries)


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return float(value)


def _numbers(value: object) -> dict[str, float]:
    assert isinstance(value, Mapping)
    return {str(name): _number(number) for name, number in value.items()}


def _in_parts(thing: str, spent: Spent) -> Spent:
    """Say of the engines which one it is."""
    others = {"PostgreSQL": STORES}
    return {ENGINE_OF.get((part, thing), others.get(part, part)): us for part, us in spent.items()}


@dataclass(frozen=True)
class Use:
    """What users do. Each is an assumption: put in your own."""

    messages_a_day: float = 40
    """That a connected user sends."""
    peak: float = 3
    """The busiest hour, against the mean of the day."""
    members: float = 10
    """Of the conversation that a message goes to, in the mean over messages."""
    connected: float = 0.3
    """Share of those members who are connected, on one socket each."""
    receipts_a_delivery: float = 0.5
    """Clients report the last one they have seen, so that some deliveries share a receipt."""
    pushed: float = 0.3
    """Share of those not connected who get a push: they have a device, and have not muted the conversation."""
    presence_changes_a_day: float = 20
    connections_a_day: float = 10

    def a_second(self, users: float) -> dict[str, float]:
        """Return how often each thing happens in the busiest hour, of so many connected users."""
        of_day = users * self.peak / 86_400
        messages = of_day * self.messages_a_day
        others = self.members - 1
        deliveries = messages * others * self.connected
        return {
            MESSAGE: messages,
            DELIVERY: deliveries,
            RECEIPT: deliveries * self.receipts_a_delivery,
            PUSH: messages * others * (1 - self.connected) * self.pushed,
            MEMBER: messages * others * self.connected,
            PRESENCE_CHANGE: of_day * self.presence_changes_a_day,
            CONNECTION: of_day * self.connections_a_day,
        }


@dataclass(frozen=True)
class Node:
    """What one process or one node of an engine is given."""

    cores: float
    most: float = math.inf
    """How many can share the work."""
    memory_mib: float = math.inf
    """For sockets."""
    why: str = ""
    """What says that no more can."""


USED = 0.65
"""Of a core, at most: that is where the autoscalers add more."""

NODES = {
    EDGE: Node(1),
    GATEWAY: Node(1, memory_mib=0.75 * 1024),
    API: Node(1, 256, why="256 partitions, each with one owner; what only reads can go to more"),
    PRESENCE: Node(1),
    NOTIFIER: Node(1),
    STORES: Node(16, 256, why="256 partitions, each in one store"),
    NOTIFIER_DATABASE: Node(16, 1, why="the notifier's database is one primary"),
    PRESENCE_DATABASE: Node(16, 1, why="presence's database is one primary"),
    REDIS: Node(1),
    PRESENCE_REDIS: Node(1, 16, why="presence has 16 shards, each on one primary"),
    RABBITMQ: Node(16, 3, why="a cluster of three: each durable queue has one leader"),
}


@dataclass(frozen=True)
class Need:
    part: str
    cores: float
    """That are busy in the busiest hour."""
    nodes: int
    most: float
    why: str


def needs(costs: Costs, use: Use, users: float) -> dict[str, Need]:
    """Return what each part needs for so many connected users, in the busiest hour."""
    rates = use.a_second(users)
    return {part: _need(part, costs, rates, users) for part in PARTS}


def _need(part: str, costs: Costs, rates: Mapping[str, float], users: float) -> Need:
    node = NODES[part]
    cores = cores_of(part, costs, rates)
    sockets_mib = users * costs.socket_kib / 1024 if part == GATEWAY else 0
    nodes = max(1, math.ceil(cores / (node.cores * USED)), math.ceil(sockets_mib / node.memory_mib))
    return Need(part, cores, nodes, node.most, node.why)


def cores_of(part: str, costs: Costs, rates: Mapping[str, float]) -> float:
    return sum(rates[thing] * costs.cpu_us[thing].get(part, 0) for thing in THINGS) / 1e6


def cores_by_thing(costs: Costs, use: Use, users: float) -> dict[str, float]:
    rates = use.a_second(users)
    return {thing: rates[thing] * sum(costs.cpu_us[thing].values()) / 1e6 for thing in THINGS}


def limits(costs: Costs, use: Use) -> list[tuple[float, Need]]:
    """Return how many connected users each part that can't be given more of carries, the fewest first."""
    million = 1e6
    rates = use.a_second(million)
    found = []
    for part in PARTS:
        node = NODES[part]
        cores = cores_of(part, costs, rates)
        if node.most < math.inf and cores > 0:
            users = million * node.most * node.cores * USED / cores
            found.append((users, needs(costs, use, users)[part]))
    return sorted(found, key=lambda each: each[0])
