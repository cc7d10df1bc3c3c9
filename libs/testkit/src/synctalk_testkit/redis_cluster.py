"""A Redis Cluster of a test's own: three primaries with a replica each, to be killed, restarted and resharded.

async with redis_cluster() as cluster:
    node = await cluster.owner_of("conversation:a")
    node.kill()                              # its replica takes over
    await cluster.move_slot(slot, to=other)  # while everybody talks
    move = await cluster.begin_move(slot, to=other)  # to stay between two nodes for as long as a test needs
"""

import asyncio
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis.asyncio
from redis.crc import key_slot
from redis.exceptions import RedisError
from synctalk_backing.probe import redis_serves
from synctalk_backing.programs import backing_programs
from synctalk_backing.redis import redis_url

from synctalk_testkit.authority import Authority
from synctalk_testkit.eventually import eventually
from synctalk_testkit.ports import free_ports

PRIMARIES = 3
SLOTS = 16_384
NODE_TIMEOUT_MS = 2_000
"""After which a node that does not answer counts as failed, and its replica asks to take over."""
PASSWORD = "violet-anvil"
ADDRESS = "127.0.0.1"
STARTED_S = 30.0

Client = Any
"""redis-py is typed by half only."""


class Node:
    """One server of the cluster."""

    def __init__(
        self, folder: Path, port: int, bus_port: int, options: Sequence[str], authority: Authority | None, host: str
    ) -> None:
        self.port = port
        self._host = host
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._authority = authority
        given = {
            "bind": ADDRESS,
            "port": "0" if authority else str(port),
            "requirepass": PASSWORD,
            "masterauth": PASSWORD,
            "dir": str(folder),
            "cluster-enabled": "yes",
            "cluster-port": str(bus_port),
            "cluster-node-timeout": str(NODE_TIMEOUT_MS),
            "cluster-require-full-coverage": "no",
            "repl-diskless-sync-delay": "0",
            "maxmemory": "64mb",
            "maxmemory-policy": "noeviction",
            "logfile": "redis.log",
            "appendonly": "no",
        }
        if host != ADDRESS:
            given |= {"cluster-announce-hostname": host, "cluster-preferred-endpoint-type": "hostname"}
        if authority is not None:
            files = authority.sign(host)
            given |= {
                "tls-port": str(port),
                "tls-cert-file": str(files.certificate),
                "tls-key-file": str(files.key),
                "tls-ca-cert-file": str(authority.ca_file),
                "tls-auth-clients": "no",
                "tls-replication": "yes",
                "tls-cluster": "yes",
            }
        self._arguments = [part for name, value in given.items() for part in (f"--{name}", value)] + [*options]

    def start(self) -> None:
        program = str(backing_programs().redis)
        command = [program, *self._arguments, "--save", ""]
        self._process = subprocess.Popen(command, cwd=self._folder, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop its clock: it keeps its connections and answers nothing, until it is thawed or killed."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    async def command(self, *arguments: str | int) -> Any:
        """Run one command as the administrator, whatever slot it is about."""
        tls = {"ssl": True, "ssl_ca_certs": str(self._authority.ca_file)} if self._authority else {}
        async with redis.asyncio.Redis(host=self._host, port=self.port, password=PASSWORD, **tls) as client:  # type: ignore[arg-type]
            return await client.execute_command(*arguments)  # type: ignore[no-untyped-call]

    async def id(self) -> str:
        """Return the name by which the nodes know each other."""
        name: bytes = await self.command("CLUSTER", "MYID")
        return name.decode()

    async def is_up(self) -> bool:
        if self._authority is None:
            return redis_serves(self.port)
        try:
            return bool(await self.command("PING"))
        except (RedisError, OSError):
            return False


@dataclass(frozen=True)
class SlotMove:
    """A slot that is served by one node and on its way to another."""

    slot: int
    source: Node
    target: Node

    async def take(self, *keys: str) -> None:
        """Move these keys, which are then at the target alone. It may have old ones of an orphaned slot."""
        to = self.target.port
        await self.source.command("MIGRATE", ADDRESS, to, "", 0, 5000, "REPLACE", "AUTH", PASSWORD, "KEYS", *keys)

    async def take_all(self) -> None:
        while keys := await self.source.command("CLUSTER", "GETKEYSINSLOT", self.slot, 100):
            await self.take(*(key.decode() for key in keys))

    async def complete(self) -> None:
        """Move what is left, and then the slot."""
        await self.take_all()
        for node in (self.target, self.source):
            await self.complete_at(node)

    async def complete_at(self, node: Node) -> None:
        """Have one node know that the slot is the target's; others learn it from the target."""
        await node.command("CLUSTER", "SETSLOT", self.slot, "NODE", await self.target.id())


class RedisCluster:
    """The nodes. Those at first primaries come first; which they are later the cluster knows."""

    def __init__(self, nodes: Sequence[Node], host: str, *, tls: bool) -> None:
        self.nodes = nodes
        urls = [redis_url(node.port, PASSWORD).replace(ADDRESS, host) for node in nodes[:PRIMARIES]]
        if tls:
            urls = [url.replace("redis://", "rediss://") for url in urls]
        self.url = ",".join(urls)
        """Of some of its nodes, as a service is given it."""

    async def start(self) -> None:
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            await eventually(node.is_up, STARTED_S)
        await self._join()

    async def _join(self) -> None:
        primaries, replicas = self.nodes[:PRIMARIES], self.nodes[PRIMARIES:]
        share = SLOTS // PRIMARIES + 1
        for n, node in enumerate(primaries):
            await node.command("CLUSTER", "ADDSLOTSRANGE", n * share, min((n + 1) * share, SLOTS) - 1)
            await node.command("CLUSTER", "SET-CONFIG-EPOCH", n + 1)
        first = self.nodes[0]
        for node in self.nodes[1:]:
            bus_port = (await node.command("CONFIG", "GET", "cluster-port"))[b"cluster-port"]
            await first.command("CLUSTER", "MEET", ADDRESS, node.port, int(bus_port))
        for primary, replica in zip(primaries, replicas, strict=True):
            await self._replicate(replica, primary)
        await eventually(self.is_whole, STARTED_S)

    async def _replicate(self, replica: Node, primary: Node) -> None:
        primary_id = await primary.id()

        async def follows() -> bool:
            try:
                return bool(await replica.command("CLUSTER", "REPLICATE", primary_id))
            except RedisError:
                return False  # has not met it yet

        await eventually(follows, STARTED_S)

    async def is_whole(self) -> bool:
        """Return whether every node knows of three primaries and three replicas in contact with them."""
        for node in self.nodes:
            try:
                info = await node.command("CLUSTER", "INFO")
                slots = await node.command("CLUSTER", "SLOTS")
                role = await node.command("ROLE")
            except (RedisError, OSError):
                return False
            served = sum(end - start + 1 for start, end, *_ in slots)
            if served != SLOTS or b"cluster_state:ok" not in info or any(len(each) < 4 for each in slots):
                return False
            if role[0] == b"slave" and role[3] != b"connected":
                return False
        return True

    async def primaries(self, but: Node | None = None) -> list[Node]:
        """Return those that answer and say that they are; one that is frozen would never do."""
        found = []
        for node in self.nodes:
            if node is but:
                continue
            try:
                if (await node.command("ROLE"))[0] == b"master":
                    found.append(node)
            except (RedisError, OSError):
                continue
        return found

    async def owner_of(self, key: str) -> Node:
        """Return the primary that serves the slot of the key or channel."""
        return await self.owner_of_slot(key_slot(key.encode()))

    async def owner_of_slot(self, slot: int) -> Node:
        for node in await self.primaries():
            for start, end, (_, port, *_), *_ in await node.command("CLUSTER", "SLOTS"):
                if start <= slot <= end and port == node.port:
                    return node
        raise AssertionError("nobody serves the slot")

    async def begin_move(self, slot: int, to: Node) -> "SlotMove":
        """Have a slot on its way to another node, with all of its keys where they are."""
        source = await self.owner_of_slot(slot)
        move = SlotMove(slot, source, to)
        await to.command("CLUSTER", "SETSLOT", slot, "IMPORTING", await source.id())
        await source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", await to.id())
        return move

    async def move_slot(self, slot: int, to: Node) -> None:
        """Reshard one slot, with its keys, as `redis-cli --cluster reshard` does."""
        await (await self.begin_move(slot, to)).complete()

    async def orphan_slot(self, slot: int) -> Node:
        """Have its owner serve a slot no more, and nobody else; return the owner."""
        owner = await self.owner_of_slot(slot)
        await owner.command("CLUSTER", "DELSLOTS", slot)
        return owner

    async def adopt_slot(self, slot: int, node: Node) -> None:
        """Have another primary serve a slot that is nobody's. Its last owner would leave others in doubt about it."""
        await node.command("CLUSTER", "SETSLOT", slot, "NODE", await node.id())
        await node.command("CLUSTER", "BUMPEPOCH")

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()


@asynccontextmanager
async def redis_cluster(
    *options: str, authority: Authority | None = None, host: str = ADDRESS
) -> AsyncIterator[RedisCluster]:
    """A whole cluster, with these options of its servers' command lines besides; by TLS with an authority.

    Its nodes are known by the host's name, if one is given.
    """
    with tempfile.TemporaryDirectory() as folder:
        nodes = []
        ports = free_ports(4 * PRIMARIES)
        for port, bus_port in zip(ports[::2], ports[1::2], strict=True):
            (Path(folder) / str(port)).mkdir()
            nodes.append(Node(Path(folder) / str(port), port, bus_port, options, authority, host))
        cluster = RedisCluster(nodes, host, tls=authority is not None)
        try:
            await cluster.start()
            yield cluster
        finally:
            await asyncio.to_thread(cluster.stop)
