"""What the scripts have in common: how they end, and their tables of CPU."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from synctalk_bench.load.crew import LoadError

WIDTH_WITHOUT_TERMINAL = 160


def run(work: Callable[[Console], Coroutine[Any, Any, None]]) -> int:
    """Run the work of a script, which prints to a console; return the status with which it ends."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
    try:
        asyncio.run(work(console))
    except LoadError as error:
        console.print(f"[red]{error}[/red]")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def cpu_table(title: str, kinds: str, found: Mapping[str, Mapping[str, float]]) -> Table:
    """Return a table of CPU by kind and process, without processes that have less than a microsecond of any kind."""
    table = Table(title=title)
    first = next(iter(found.values()))
    names = [name for name in first if max(each[name] for each in found.values()) >= 1]
    for column in (kinds, *names, "all"):
        table.add_column(column, justify="right")
    for kind, cost in found.items():
        table.add_row(kind, *(f"{cost[name]:.0f}" for name in names), f"{sum(cost.values()):.0f}")
    return table
