"""`down`: stop everything and leave nothing running. The data stays; `clean` removes it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import psutil
from synctalk_backing.postgres import home_for, run_account
from synctalk_backing.rabbitmq import stop_epmd

from synctalk_local.stack import Stack, locked
from synctalk_local.supervision.client import Supervisor
from synctalk_local.supervision.orphans import kill_orphans, wait_until_gone
from synctalk_local.topology import BACKING

STOP_TIMEOUT_S = 60


def down(stack: Stack, say: Callable[[str], None]) -> None:
    if not stack.data.exists():
        say("Nothing is running.")
        return
    with locked(stack):
        supervisor = Supervisor(stack.data, stack.logs)
        ran = supervisor.is_running()
        if ran:
            say("Stopping …")
            _stop(supervisor)
        folders = [*(stack.data / name for name in stack.names), _postgres_home(stack)]
        left = [orphan for folder in folders for orphan in kill_orphans(folder)]
        wait_until_gone(left)
        stop_epmd(stack.ports.epmd)
    say("Stopped." if ran or left else "Nothing is running.")


def clean(stack: Stack, say: Callable[[str], None]) -> None:
    """Stop everything and remove its data."""
    down(stack, lambda _: None)
    shutil.rmtree(_postgres_home(stack), ignore_errors=True)
    shutil.rmtree(stack.data, ignore_errors=True)
    say(f"Removed {stack.data}.")


def _stop(supervisor: Supervisor) -> None:
    """Stop the edge and the services first, then the servers that they depend on."""
    pid = supervisor.pid()
    states = supervisor.states()
    services = [name for name, state in states.items() if state.pid and name not in BACKING]
    supervisor.stop_programs(services)
    supervisor.shut_down()
    if pid is not None and psutil.pid_exists(pid):
        psutil.wait_procs([psutil.Process(pid)], timeout=STOP_TIMEOUT_S)


def _postgres_home(stack: Stack) -> Path:
    return home_for(stack.data / "postgres", run_account())
