"""The command queues: what gateways order, batch by batch, answered by the writer after its commit."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import orjson
import structlog
from prometheus_client import Counter
from pydantic import ValidationError
from synctalk_contracts.commands import CommandBatch, CommandRequest

from synctalk_api.actions.orders import Order
from synctalk_api.actions.writer import Writer

log = structlog.get_logger()

UNREADABLE = Counter("api_commands_unreadable_total", "Commands that could not be read; their clients try again.")


def handler(writer: Writer) -> Callable[[list[bytes]], Awaitable[None]]:
    """Returns when the writer has taken the orders: a lost one costs a retry, so the queue waits for no commit."""

    async def handle(bodies: list[bytes]) -> None:
        orders = [order for body in bodies for order in orders_of(body)]
        if orders:
            await writer.write_all(orders)

    return handle


def orders_of(body: bytes) -> Iterator[Order]:
    try:
        batch = CommandBatch.from_bytes(body)
    except ValidationError:
        yield from _readable_orders(body)
        return
    for request in batch.requests:
        yield _order(request, batch.reply_to)


def _order(request: CommandRequest, reply_to: str) -> Order:
    return Order(request.command, request.connection_id, request.traceparent, reply_to, request.id)


def _readable_orders(body: bytes) -> Iterator[Order]:
    """One command that cannot be read takes none of the others with it."""
    try:
        batch: dict[str, Any] = orjson.loads(body)
        requests, reply_to = list(batch["requests"]), str(batch["reply_to"])
    except (ValueError, KeyError, TypeError):
        UNREADABLE.inc()
        log.error("commands.unreadable", bytes=len(body))
        return
    for request in requests:
        try:
            yield _order(CommandRequest.model_validate(request, extra="ignore"), reply_to)
        except ValidationError as error:
            UNREADABLE.inc()
            log.error("commands.unreadable_order", problems=error.error_count())
