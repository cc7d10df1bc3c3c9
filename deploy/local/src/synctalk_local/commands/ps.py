"""`ps`: one line a process, `NAME PID PORT STATE`.

Requirement: "`make ps` prints one line a process … STATE is `running`, `starting`, `stopped` or `failed`".
"""

from collections.abc import Mapping

from synctalk_backing.probe import port_is_taken

from synctalk_local.stack import Stack
from synctalk_local.supervision.client import ProcessState, Supervisor

HEAD = ("NAME", "PID", "PORT", "STATE")
STOPPED = frozenset({"stopped", "stopping"})


def ps(stack: Stack) -> str:
    states = Supervisor(stack.data, stack.logs).states()
    return table([row(name, stack.port_of(name), states) for name in stack.names])


def row(name: str, port: int, states: Mapping[str, ProcessState]) -> tuple[str, str, str, str]:
    state = states.get(name)
    return (name, str(state.pid) if state and state.pid else "-", str(port), word(state, port))


def word(state: ProcessState | None, port: int) -> str:
    """`running`: there is a process and it listens; `starting`: it does not yet."""
    if state is None or state.state in STOPPED:
        return "stopped"
    if state.pid:
        return "running" if port_is_taken(port) else "starting"
    return "failed" if state.state == "failed" else "starting"


def table(rows: list[tuple[str, str, str, str]]) -> str:
    """Columns apart by spaces, headed by their words."""
    lines = [HEAD, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
