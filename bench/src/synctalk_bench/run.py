"""`make bench`: load the running system through its edge, and the baselines beside it, with the same clients.

Exits with 1 when one of our messages was lost, doubled, out of order, or not acked; ratios are printed, not enforced.
"""

import asyncio
import os
import platform
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import orjson
import psutil
from rich.console import Console
from synctalk_local.node import NodeError
from synctalk_local.stack import stack_from_environment

from synctalk_bench.load import report, scenarios
from synctalk_bench.load.baseline import baseline, programs
from synctalk_bench.load.crew import Crew, LoadError, hired
from synctalk_bench.load.ours import Ours
from synctalk_bench.load.results import Idle, Machine, Run, Talk
from synctalk_bench.load.settings import Settings, settings_from
from synctalk_bench.load.side import Side

RESULTS = Path(__file__).resolve().parents[2] / "results"
WIDTH_WITHOUT_TERMINAL = 110
TALKS: dict[str, Callable[[Side, Crew, Settings], Awaitable[Talk | None]]] = {
    "groups": scenarios.groups,
    "pairs": scenarios.pairs,
    "room": scenarios.room,
    "highest": scenarios.highest,
}


async def run(settings: Settings, console: Console) -> Run:
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    stack = stack_from_environment()
    idle: list[Idle] = []
    talks: list[Talk] = []
    async with AsyncExitStack() as ending:
        sides: list[Side] = []
        if "ours" in settings.sides:
            ours = Ours(stack)
            await ours.prepare(settings, console.print)
            sides.append(ours)
        for name, program in programs(settings.sides, stack.data, console.print).items():
            console.print(f"Starting {name} …")
            folder = stack.data / "bench" / name
            sides.append(await ending.enter_async_context(baseline(name, program, folder, settings)))
        crew = await ending.enter_async_context(hired(settings.workers))
        for scenario in settings.scenarios:
            for side in sides:
                console.print(f"Loading {side.name}: {scenario} …")
                if scenario == "idle":
                    idle.append(await scenarios.idle(side, crew, settings))
                elif talk := await TALKS[scenario](side, crew, settings):
                    talks.append(talk)
    return Run(started_at, machine(), idle, talks)


def machine() -> Machine:
    return Machine(
        cores=os.cpu_count() or 0,
        memory_bytes=psutil.virtual_memory().total,
        python=f"Python {platform.python_version()}",
        system=f"{platform.system()} {platform.release()}",
    )


def write(found: Run) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{found.started_at.replace(':', '')[:17]}.json"
    path.write_bytes(orjson.dumps(asdict(found), option=orjson.OPT_INDENT_2))
    return path


def main() -> int:
    console = Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
    try:
        found = asyncio.run(run(settings_from(), console))
    except (LoadError, NodeError) as error:
        console.print(f"[red]{error}[/red]")
        return 1
    except KeyboardInterrupt:
        return 130
    report.show(found, console)
    console.print(f"Written to {os.path.relpath(write(found))}")
    return 1 if found.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
