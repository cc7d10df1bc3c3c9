"""The target of a flood, the address it comes from, how long it lasts, and its outcome."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Self
from urllib.parse import urlsplit

WORKERS = 16
PAUSE_AFTER_REFUSAL_S = 0.01
"""An attacker whose connection is refused at once would else only measure its own loop."""


@dataclass(frozen=True)
class Target:
    url: str
    address: str
    """The source address of every connection."""
    seconds: float
    token: str = ""
    """Of an account that the attacker has registered."""
    conversation_id: str = ""
    user_ids: tuple[str, ...] = ()
    """Of users who share no conversation with the attacker."""

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or "127.0.0.1"

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 80

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        fields = json.loads(text)
        return cls(**{**fields, "user_ids": tuple(fields["user_ids"])})


Outcome = Counter[str]
"""How often what happened: `sent`, HTTP statuses, `closed`, `refused`."""

Attempt = Callable[[Target, Outcome, float], Awaitable[None]]
"""One connection's worth of attack, until it is thrown out or the monotonic time is reached."""


async def flood(target: Target, attempt: Attempt, workers: int = WORKERS) -> Outcome:
    """Repeat the attempt on this many connections at once until the target's time is over."""
    outcome: Outcome = Counter()
    until = time.monotonic() + target.seconds

    async def work() -> None:
        while time.monotonic() < until:
            outcome["attempts"] += 1
            try:
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + target.seconds):
                    await attempt(target, outcome, until)
            except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError):
                outcome["closed"] += 1
                await asyncio.sleep(PAUSE_AFTER_REFUSAL_S)

    await asyncio.gather(*(work() for _ in range(workers)))
    return outcome
