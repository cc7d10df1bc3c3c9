"""`make demo`: users talk, in the terminal, against the running system. Every line is what a real client received.

Exits with 1 and a sentence when something expected did not come in time.
"""

import asyncio
import sys

import aiohttp
from synctalk_local.stack import stack_from_environment
from synctalk_testkit.clients import users_at

from synctalk_bench.stage.actor import StoryError
from synctalk_bench.stage.screen import Screen
from synctalk_bench.stage.story import play

AT_MOST_S = 90.0


async def demo(address: str, screen: Screen) -> None:
    await _must_run(address)
    async with asyncio.timeout(AT_MOST_S), users_at(address) as users:
        await play(users, screen)


async def _must_run(address: str) -> None:
    """The edge answers, and a service behind it."""
    not_running = StoryError(f"Nothing answers at {address}: start the system with `make up`.")
    try:
        async with aiohttp.ClientSession() as http, http.get(f"{address}/.well-known/jwks.json") as answer:
            if answer.status != 200:
                raise not_running
    except aiohttp.ClientConnectionError:
        raise not_running from None


def main() -> int:
    screen = Screen()
    try:
        asyncio.run(demo(stack_from_environment().address, screen))
    except StoryError as error:
        screen.failure(str(error))
        return 1
    except TimeoutError:
        screen.failure(f"The story did not come to its end within {AT_MOST_S:.0f} s.")
        return 1
    except KeyboardInterrupt:
        return 130
    screen.end(f"All of it came, in {screen.elapsed_s():.1f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
