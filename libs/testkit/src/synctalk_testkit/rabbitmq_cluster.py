"""A RabbitMQ cluster of three nodes on this machine, each of which a test may kill and start again."""

import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from synctalk_backing import rabbitmq
from synctalk_backing.process import ProcessSpec
from synctalk_backing.programs import backing_programs
from synctalk_backing.rabbitmq import Cluster, RabbitPorts, rabbitmq_spec, rabbitmq_url

from synctalk_testkit.eventually import eventually, eventually_blocking
from synctalk_testkit.local import running
from synctalk_testkit.ports import free_ports

NAMES = ("rabbit-1", "rabbit-2", "rabbit-3")
READY_TIMEOUT_S = 90


class RabbitMQCluster:
    """The nodes, by name; `rabbitmq_cluster` makes one."""

    def __init__(self, specs: dict[str, ProcessSpec], ports: dict[str, RabbitPorts], password: str) -> None:
        self._specs = specs
        self._ports = ports
        self._password = password
        self._running: dict[str, ExitStack] = {}

    @property
    def url(self) -> str:
        """All nodes' addresses, as a service's setting has them."""
        return ",".join(self.url_of(name) for name in self._specs)

    def url_of(self, name: str) -> str:
        return rabbitmq_url(self._ports[name].amqp, self._password)

    def start(self, *names: str) -> None:
        """Start these and return when all of them serve."""
        for name in names:
            stack = self._running[name] = ExitStack()
            stack.enter_context(running(self._specs[name], self._specs[name].directory.parent))
        for name in names:
            eventually_blocking(self._specs[name].is_ready, READY_TIMEOUT_S, message=self.log(name))

    def kill(self, *names: str) -> None:
        """End these as by `kill -9`."""
        for name in names:
            self._running.pop(name).close()

    def log(self, name: str) -> str:
        path = self._specs[name].directory.parent / f"{name}.log"
        return path.read_text(errors="replace")[-4000:]

    async def leaders(self) -> Counter[str]:
        """Return how many quorum queues each node leads, by its name."""
        return Counter(
            _plain(queue.get("leader", "")) for queue in await self._ask("/api/queues") if queue["type"] == "quorum"
        )

    async def members(self) -> dict[str, set[str]]:
        """Return the nodes that have each quorum queue's messages and serve now."""
        queues = await self._ask("/api/queues")
        return {one["name"]: {_plain(name) for name in one.get("online", [])} for one in queues if "members" in one}

    async def waiting(self) -> dict[str, int]:
        """Return how many messages each queue holds."""
        return {queue["name"]: queue.get("messages", 0) for queue in await self._ask("/api/queues")}

    async def connections(self) -> Counter[str]:
        """Return how many clients each node has, by its name."""
        return Counter(_plain(one["node"]) for one in await self._ask("/api/connections") if "node" in one)

    async def whole(self) -> None:
        """Wait until every quorum queue is on all nodes."""

        async def all_online() -> bool:
            return all(nodes == set(self._specs) for nodes in (await self.members()).values())

        await eventually(all_online, READY_TIMEOUT_S, message="a queue is not on all nodes")

    async def _ask(self, path: str) -> Any:
        async with self._management(next(iter(self._running))) as http, http.get(path) as answer:
            answer.raise_for_status()
            return await answer.json()

    def _management(self, name: str) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            f"http://127.0.0.1:{self._ports[name].management}",
            headers={"Authorization": aiohttp.encode_basic_auth(rabbitmq.USER, self._password)},
            timeout=aiohttp.ClientTimeout(total=15),
        )


def _plain(node: str) -> str:
    return node.partition("@")[0]


@contextmanager
def rabbitmq_cluster(folder: Path) -> Iterator[RabbitMQCluster]:
    """Three nodes that have joined each other; gone on the way out."""
    script = backing_programs().rabbitmq
    password, cluster = secrets.token_urlsafe(12), Cluster(NAMES, secrets.token_hex(16))
    (epmd,) = free_ports(1)
    ports = {name: _ports(epmd) for name in NAMES}
    specs = {
        name: rabbitmq_spec(folder / name, ports[name], password, script, name=name, cluster=cluster) for name in NAMES
    }
    made = RabbitMQCluster(specs, ports, password)
    with ExitStack() as stack:
        stack.callback(lambda: made.kill(*made._running))
        made.start(*NAMES)  # each joins before it serves
        yield made


def _ports(epmd: int) -> RabbitPorts:
    amqp, distribution, management = free_ports(3)
    return RabbitPorts(amqp, epmd, distribution, management)
