"""A run, for users: tables in the terminal."""

from collections.abc import Callable, Mapping

from rich.console import Console
from rich.table import Table

from synctalk_bench.load import bar
from synctalk_bench.load.results import Idle, Run, Spread, Talk

MIB = 1024 * 1024
TITLES = {
    "groups": "Users in groups of ten",
    "pairs": "Users two by two",
    "room": "One room",
    "highest": "The highest rate in groups of ten",
}


def show(run: Run, console: Console) -> None:
    machine = run.machine
    console.print(
        f"\n{run.started_at}, {machine.cores} cores, {machine.memory_bytes / 2**30:.0f} GiB, {machine.python}"
    )
    for scenario in TITLES:
        talks = {talk.side: talk for talk in run.talks if talk.scenario == scenario}
        if talks:
            console.print(_talk_table(scenario, talks))
            console.print(_process_table(talks))
    if run.idle:
        console.print(_idle_table({one.side: one for one in run.idle}))
    for line in bar.lines(run):
        word = "[green]met   [/green]" if line.is_met else "[red]missed[/red]"
        console.print(f"{word}  {line.text}", highlight=False, soft_wrap=True)


def _talk_table(scenario: str, talks: Mapping[str, Talk]) -> Table:
    any_talk = next(iter(talks.values()))
    table = _table(f"{TITLES[scenario]}: {any_talk.sockets:,} sockets", list(talks))
    rows: list[tuple[str, Callable[[Talk], str]]] = [
        ("messages/s", lambda talk: f"{talk.messages_per_s:,.0f}"),
        ("deliveries/s", lambda talk: f"{talk.deliveries / talk.window_s:,.0f}"),
        ("ack p50 / p90 / p99, ms", lambda talk: _spread(talk.ack_ms)),
        ("delivery p50 / p90 / p99, ms", lambda talk: _spread(talk.delivery_ms)),
        ("CPU, seconds", lambda talk: f"{sum(talk.cpu_s.values()):.2f}"),
        ("CPU per delivery, µs", lambda talk: f"{talk.cpu_us_per_delivery:.1f}"),
        ("the same without the edge, µs", lambda talk: f"{talk.own_cpu_us_per_delivery:.1f}"),
        ("CPU before the load, % of a core", lambda talk: f"{talk.busy_before * 100:.0f}"),
        ("memory (PSS), MiB", lambda talk: f"{sum(one.pss_bytes for one in talk.memory.values()) / MIB:.0f}"),
        ("the load's own: CPU, seconds", lambda talk: f"{talk.load_cpu_s:.2f}"),
        (
            "the load's own: late p50 / p90 / p99, ms",
            lambda talk: _spread(talk.late_ms),
        ),
        ("sent again / asked to sync", lambda talk: f"{talk.retries} / {talk.syncs}"),
        ("faults", lambda talk: ", ".join(f"{n} {kind}" for kind, n in talk.faults.items()) or "none"),
    ]
    for title, value in rows:
        table.add_row(title, *map(value, talks.values()))
    return table


def _spread(spread: Spread) -> str:
    return f"{spread.p50:.1f} / {spread.p90:.1f} / {spread.p99:.1f}"


def _process_table(talks: Mapping[str, Talk]) -> Table:
    table = Table("side", "process", title="By process", title_justify="left")
    for heading in ("CPU s", "CPU %", "µs per delivery", "RSS MiB", "PSS MiB"):
        table.add_column(heading, justify="right")
    for side, talk in talks.items():
        for name, seconds in sorted(talk.cpu_s.items(), key=lambda item: -item[1]):
            memory = talk.memory[name]
            table.add_row(
                side,
                name,
                f"{seconds:.2f}",
                f"{seconds / talk.window_s * 100:.0f}",
                f"{seconds / max(1, talk.deliveries) * 1e6:.1f}",
                f"{memory.rss_bytes / MIB:.0f}",
                f"{memory.pss_bytes / MIB:.0f}",
            )
    return table


def _idle_table(idle: Mapping[str, Idle]) -> Table:
    count = next(iter(idle.values())).sockets
    table = _table(f"{count:,} idle sockets", list(idle))
    table.add_row("memory before, MiB", *(f"{one.before_bytes / MIB:.1f}" for one in idle.values()))
    table.add_row("memory with them, MiB", *(f"{one.after_bytes / MIB:.1f}" for one in idle.values()))
    table.add_row("a socket, KiB", *(f"{one.bytes_per_socket / 1024:.1f}" for one in idle.values()))
    table.add_row(
        "CPU of 1,000 sockets, seconds a minute", *(f"{one.cpu_s_per_1000_a_minute:.2f}" for one in idle.values())
    )
    return table


def _table(title: str, sides: list[str]) -> Table:
    table = Table("", title=title, title_justify="left")
    for side in sides:
        table.add_column(side, justify="right")
    return table
