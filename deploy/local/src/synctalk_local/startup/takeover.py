"""The step before anything is started: a supervisor that knows these programs, free ports, and no orphans.

Requirement: `make up` brings the system up from any state, also after the supervisor itself was killed.
"""

from collections.abc import Callable, Sequence

import psutil
from synctalk_backing.probe import port_is_taken
from synctalk_backing.process import ProcessSpec

from synctalk_local.startup.readiness import StartError
from synctalk_local.supervision.client import Supervisor
from synctalk_local.supervision.orphans import kill_orphans, wait_until_gone


def take_over(specs: Sequence[ProcessSpec], supervisor: Supervisor, say: Callable[[str], None]) -> None:
    """Adopt the running supervisor, or start one and end what a killed one left behind. Raises StartError."""
    supervisor.write(specs)
    if supervisor.is_running():
        supervisor.reload()
        _refuse_taken_ports(specs, supervisor)
        return
    orphans = {spec.name: kill_orphans(spec.directory) for spec in specs}
    wait_until_gone([orphan for killed in orphans.values() for orphan in killed])
    for spec in specs:
        if orphans[spec.name]:
            say(f"{spec.name}: stopped what an earlier run had left behind")
        spec.cleanup()
    _refuse_taken_ports(specs, supervisor)
    supervisor.start()


def _refuse_taken_ports(specs: Sequence[ProcessSpec], supervisor: Supervisor) -> None:
    running = {name for name, state in supervisor.states().items() if state.pid}
    for spec in specs:
        if spec.name not in running and port_is_taken(spec.port):
            raise StartError(taken_sentence(spec.name, spec.port))


def taken_sentence(name: str, port: int) -> str:
    owner = _listener(port)
    by = f" by {owner}" if owner else ""
    return f"Port {port}, which {name} needs, is taken{by}: stop that program, or set SYNCTALK_PORT to use other ports."


def _listener(port: int) -> str | None:
    """Return the process that listens there, None where this user may not know."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN
            if listens and getattr(connection.laddr, "port", None) == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return None
    return None
