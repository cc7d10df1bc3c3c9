"""A pipelined connection to each primary of a Redis Cluster, for what is asked all the time.

What one turn of the loop asks leaves in one write for each node. A slot that has moved, or is about to, is followed;
everything else is as with one Redis: nothing that may have been done is repeated, whoever asked decides.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.redis_connection import Argument, RedisAddress, RedisRefusedError
from synctalk_runtime.redis_pipeline import TIMEOUT_S, RedisPipeline
from synctalk_runtime.slot_map import SlotMap, slot_of

MAX_REDIRECTS = 5
TRY_AGAIN_S = 0.05
REDIRECTS = frozenset({"MOVED", "ASK", "TRYAGAIN"})
"""Replies after which nothing was done, and another try finds its way."""

Command = tuple[Argument, ...]


class ClusterPipeline(RedisPipeline):
    """As RedisPipeline. A command is for the slot of its key: of the first argument, and a script's first key."""

    in_cluster = True
    PUBLISH = "SPUBLISH"

    def __init__(self, url: SecretStr, ca_file: Path | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._slots = SlotMap(RedisAddress.of_cluster(url, ca_file), self._forget_nodes)
        self._nodes: dict[RedisAddress, RedisPipeline] = {}

    async def call(self, *arguments: Argument) -> Any:
        (outcome,) = await self.call_all([arguments])
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    async def call_all(self, commands: Sequence[Command]) -> list[Any]:
        if not self._slots.is_known:
            await self._slots.read()
        asked = [self._ask(self._owner(command), command) for command in commands]
        outcomes: list[Any] = await asyncio.gather(*asked, return_exceptions=True)
        failed = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, UnavailableError)]
        if failed:
            follow = [self._follow(commands[n], outcomes[n]) for n in failed]
            for n, outcome in zip(failed, await asyncio.gather(*follow, return_exceptions=True), strict=True):
                outcomes[n] = outcome
        return outcomes

    def server_of(self, key: str) -> str:
        owner = self._slots.owner(slot_of(key))
        return "" if owner is None else owner.server

    def drop(self) -> None:
        for node in self._nodes.values():
            node.drop()

    async def close(self) -> None:
        await self._slots.close()
        await super().close()

    def _owner(self, command: Command) -> RedisAddress | None:
        if len(command) == 1:  # PING: as good there as anywhere
            ready = (address for address, node in self._nodes.items() if node.ready is not None)
            return next(ready, None) or next(iter(self._slots.primaries), None)
        return self._slots.owner(slot_of(str(command[3 if command[0] in ("EVALSHA", "EVAL") else 1])))

    def _ask(self, owner: RedisAddress | None, command: Command) -> "asyncio.Future[Any]":
        node = None if owner is None else self._node(owner)
        connection = None if node is None else node.ready
        if connection is not None:
            return connection.ask(*command)
        return asyncio.ensure_future(_refuse() if node is None else node.call(*command))

    def _node(self, address: RedisAddress) -> RedisPipeline:
        node = self._nodes.get(address)
        if node is None:
            node = self._nodes[address] = RedisPipeline(address, timeout_s=self._timeout_s)
        return node

    async def _follow(self, command: Command, error: UnavailableError) -> Any:
        """Ask where the reply points to; raise what is no such reply."""
        for _ in range(MAX_REDIRECTS):
            owner = self._owner(command)
            if not isinstance(error, RedisRefusedError) or error.reply_code not in REDIRECTS or owner is None:
                if not isinstance(error, RedisRefusedError) or error.reply_code == "CLUSTERDOWN":
                    self._slots.read_soon()
                raise error
            try:
                if error.reply_code == "TRYAGAIN":
                    await asyncio.sleep(TRY_AGAIN_S)
                elif error.reply_code == "ASK":
                    return await self._ask_importing(self._slots.note_moved(error.reply, owner), command)
                else:
                    owner = self._slots.note_moved(error.reply, owner)
                return await self._ask(owner, command)
            except UnavailableError as again:
                error = again
        raise error

    async def _ask_importing(self, address: RedisAddress | None, command: Command) -> Any:
        """Ask the node to which the slot is on its way."""
        if address is None:
            raise UnavailableError
        _, outcome = await self._node(address).call_all([("ASKING",), command])
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def _forget_nodes(self) -> None:
        """Close the connections to nodes that are no primaries any more."""
        primaries = self._slots.primaries
        for address in [address for address in self._nodes if address not in primaries]:
            self._nodes.pop(address).drop()


async def _refuse() -> Any:
    raise UnavailableError
