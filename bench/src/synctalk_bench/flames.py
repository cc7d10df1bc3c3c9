"""`python -m synctalk_bench.flames FOLDER`: a flame graph of api, gateway and notifier while users talk in pairs.

It needs `py-spy` on the path.
"""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from rich.console import Console
from synctalk_local.stack import stack_from_environment

from synctalk_bench.load import scenarios
from synctalk_bench.load.crew import LoadError, hired
from synctalk_bench.load.ours import Ours
from synctalk_bench.load.settings import Settings

SERVICES = ("api-1", "gateway-1", "notifier-1")
SAMPLES_PER_S = "250"
TIMEOUT_S = 60.0


async def record(folder: Path, settings: Settings, console: Console) -> None:
    ours = Ours(stack_from_environment())
    await ours.prepare(settings, console.print)

    async def beside() -> None:
        async with asyncio.timeout(settings.measure_s + TIMEOUT_S), asyncio.TaskGroup() as group:
            for name, pid in ours.processes().items():
                if name in SERVICES:
                    group.create_task(_record(name, pid, folder, settings.measure_s))

    async with hired(settings.workers) as crew:
        talk = await scenarios.pairs(ours, crew, settings, beside)
    console.print(f"{folder}: {talk.messages / settings.measure_s:.0f} messages a second.")


async def _record(name: str, pid: int, folder: Path, seconds: float) -> None:
    """Without line numbers, and without stopping the process: it would be another load."""
    command = ("py-spy", "record", "--nonblocking", "--function", "--rate", SAMPLES_PER_S, "--format", "flamegraph")
    where = ("--pid", str(pid), "--duration", f"{seconds:.0f}", "--output", str(folder / f"{name}.svg"))
    process = await asyncio.create_subprocess_exec(*command, *where, stdout=asyncio.subprocess.DEVNULL)
    try:
        if await process.wait() != 0:
            raise LoadError(f"py-spy could not record {name}.")
    finally:
        if process.returncode is None:
            os.kill(process.pid, signal.SIGKILL)


def main() -> int:
    parser = argparse.ArgumentParser(prog="flames", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--measure-s", type=float, default=15.0, help="the window, seconds")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    console = Console()
    try:
        asyncio.run(record(given.folder, Settings(measure_s=given.measure_s), console))
    except LoadError as error:
        console.print(f"[red]{error}[/red]")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
