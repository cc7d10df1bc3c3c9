"""Work that every process of auth repeats, each round counted by how it ended."""

from collections.abc import Awaitable, Callable

from prometheus_client import Counter
from synctalk_runtime.background import Backoff, Loop
from synctalk_runtime.errors import UnavailableError

ROUNDS = Counter("auth_periodic_rounds_total", "Rounds of periodic work, by how they ended.", ["work", "end"])

FIRST_RETRY_S = 0.2
MAX_RETRY_S = 5.0


def periodic(name: str, interval_s: float, work: Callable[[], Awaitable[None]]) -> Loop:
    """Return the loop that runs `work` at once and then every `interval_s`; after a failure sooner, with backoff."""

    async def run_round() -> None:
        try:
            await work()
        except Exception as error:
            ROUNDS.labels(name, "unavailable" if isinstance(error, UnavailableError) else "failed").inc()
            raise
        ROUNDS.labels(name, "done").inc()

    backoff = Backoff(min(FIRST_RETRY_S, interval_s), min(MAX_RETRY_S, interval_s))
    return Loop(name, run_round, interval_s, backoff=backoff)
