"""`python -m synctalk_bench.count`: what a message costs in system calls, wake-ups and Python calls, by process.

Counts vary much less with the machine's load than CPU does; batches do grow on a slow one. What the processes do
without messages is measured first and subtracted. Python calls are counted where the system was started with
`SYNCTALK_CALL_COUNTS_DIR`, in a run of their own: counting them makes everything slower.
"""

import argparse
import asyncio
import os
import pstats
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table
from synctalk_local.environment import given_settings
from synctalk_local.stack import CHECKOUT, stack_from_environment
from synctalk_runtime.call_counts import TOGGLE

from synctalk_bench.load import scenarios, script, syscalls
from synctalk_bench.load.baseline import baseline, programs
from synctalk_bench.load.crew import Crew, LoadError, hired
from synctalk_bench.load.ours import Ours
from synctalk_bench.load.settings import Settings
from synctalk_bench.load.side import Side

LOADS = {"groups": scenarios.groups, "pairs": scenarios.pairs}
WRITTEN_WITHIN_S = 30.0
SHOWN = ("read", "recvfrom", "recvmsg", "write", "writev", "sendto", "sendmsg", "futex", "fdatasync")

Counts = Mapping[str, Mapping[str, float]]
"""By process, then by what is counted."""


@dataclass(frozen=True)
class Asked:
    loads: list[str]
    sides: list[str]
    functions: int
    settings: Settings


async def count(asked: Asked, console: Console) -> None:
    stack = stack_from_environment()
    async with AsyncExitStack() as ending:
        sides: list[Side] = []
        if "ours" in asked.sides:
            ours = Ours(stack)
            await ours.prepare(asked.settings, console.print)
            sides.append(ours)
        for name, program in programs(asked.sides, stack.data, console.print).items():
            folder = stack.data / "bench" / name
            sides.append(await ending.enter_async_context(baseline(name, program, folder, asked.settings)))
        crew = await ending.enter_async_context(hired(asked.settings.workers))
        for load in asked.loads:
            for side in sides:
                console.print(f"Counting {side.name}: {load} …")
                calls = await _system_calls(load, side, crew, asked.settings)
                console.print(_table(f"{load}, {side.name}: system calls a message", calls))
                if side.name == "ours" and (counts_dir := given_settings(CHECKOUT).get("SYNCTALK_CALL_COUNTS_DIR")):
                    functions = await _python_calls(load, side, crew, asked.settings, Path(counts_dir))
                    console.print(_calls_table(f"{load}: Python calls a message", functions, asked.functions))


async def _system_calls(load: str, side: Side, crew: Crew, settings: Settings) -> Counts:
    """Of a message: those under load less those of the same sockets without."""
    found: list[dict[str, Counter[str]]] = []

    async def beside() -> None:
        found.append(await syscalls.counted(side.processes(), settings.measure_s))

    silent = replace(settings, groups_rate_per_s=0, pairs_rate_per_s=0)
    await LOADS[load](side, crew, silent, beside)
    messages = (await LOADS[load](side, crew, settings, beside)).messages
    without, under = found
    return {
        process: {call: (number - without[process][call]) / messages for call, number in calls.items()}
        for process, calls in under.items()
    }


async def _python_calls(load: str, side: Side, crew: Crew, settings: Settings, folder: Path) -> Counts:
    """Of a message, by function."""
    found: dict[str, Counter[str]] = {}

    async def beside() -> None:
        for pid in side.processes().values():
            _toggle(pid)
        await asyncio.sleep(settings.measure_s)
        found.update(await _written(side.processes(), folder))

    messages = (await LOADS[load](side, crew, settings, beside)).messages
    return {
        process: {function: number / messages for function, number in calls.items()} for process, calls in found.items()
    }


def _toggle(pid: int) -> bool:
    """Whether the process knows the signal, which would end one that doesn't."""
    caught = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt"))
    if (
        not int(caught.split()[1], 16) >> (TOGGLE - 1) & 1
        or b"synctalk_" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    ):
        return False
    os.kill(pid, TOGGLE)
    return True


async def _written(processes: Mapping[str, int], folder: Path) -> dict[str, Counter[str]]:
    files = {name: folder / f"{name}.pstats" for name in processes}
    for path in files.values():
        path.unlink(missing_ok=True)
    counting = [name for name, pid in processes.items() if _toggle(pid)]
    end = time.monotonic() + WRITTEN_WITHIN_S
    while not all(files[name].exists() for name in counting):
        if time.monotonic() > end:
            raise LoadError(f"The counts were not written to {folder} within {WRITTEN_WITHIN_S:.0f} s.")
        await asyncio.sleep(0.1)
    return {name: _calls_in(files[name]) for name in counting}


def _calls_in(path: Path) -> Counter[str]:
    stats: Mapping[tuple[str, int, str], tuple[int, int, float, float, object]] = vars(pstats.Stats(str(path)))["stats"]
    found: Counter[str] = Counter()
    for (file, line, function), (_, calls, *_) in stats.items():
        where = "/".join(Path(file).parts[-2:])
        found[f"{where}:{line} {function}" if line else function] += calls
    return found


def _table(title: str, counts: Counts) -> Table:
    table = Table("process", title=title, title_justify="left")
    for heading in ("all", "wake-ups", *SHOWN):
        table.add_column(heading, justify="right")
    rows = {
        name: [calls.get(syscalls.ALL, 0), syscalls.wakeups(calls), *(calls.get(one, 0) for one in SHOWN)]
        for name, calls in counts.items()
    }
    for name, numbers in sorted(rows.items(), key=lambda row: -row[1][0]):
        table.add_row(name, *(f"{number:.2f}" for number in numbers))
    table.add_row("together", *(f"{sum(column):.2f}" for column in zip(*rows.values(), strict=True)))
    return table


def _calls_table(title: str, counts: Counts, functions: int) -> Table:
    table = Table("process", "function", title=title, title_justify="left")
    table.add_column("calls", justify="right")
    for process, calls in sorted(counts.items(), key=lambda item: -sum(item[1].values())):
        written = sum(number for function, number in calls.items() if ":" in function)
        table.add_row(process, "all; of these in Python", f"{sum(calls.values()):.0f}; {written:.0f}")
        for function, number in sorted(calls.items(), key=lambda item: -item[1])[:functions]:
            table.add_row("", function, f"{number:.2f}")
    return table


def asked_for() -> Asked:
    parser = argparse.ArgumentParser(prog="count", description=__doc__)
    parser.add_argument("--load", choices=LOADS, action="append", help="only this one; may be repeated")
    parser.add_argument("--side", choices=("ours", "node", "node-group"), action="append", help="may be repeated")
    parser.add_argument("--functions", type=int, default=0, help="show so many of the most called of each process")
    parser.add_argument("--measure-s", type=float, default=10.0, help="the window, seconds")
    given = parser.parse_args()
    settings = Settings(measure_s=given.measure_s)
    return Asked(given.load or list(LOADS), given.side or ["ours", "node"], given.functions, settings)


if __name__ == "__main__":
    sys.exit(script.run(partial(count, asked_for())))
