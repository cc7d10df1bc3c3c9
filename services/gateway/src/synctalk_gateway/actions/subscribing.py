"""Waiting until Redis has confirmed what was subscribed to."""

import asyncio

from synctalk_runtime.errors import UnavailableError

SUBSCRIBE_TIMEOUT_S = 3.0


async def all_subscribed(subscriptions: "list[asyncio.Future[None]]") -> None:
    """Return once all are confirmed. Raises UnavailableError when Redis does not confirm them in time."""
    waiting = [subscription for subscription in subscriptions if not subscription.done()]
    if waiting:
        _, late = await asyncio.wait(waiting, timeout=SUBSCRIBE_TIMEOUT_S)
        if late:
            raise UnavailableError
