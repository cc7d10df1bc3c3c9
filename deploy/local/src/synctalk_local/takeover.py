"""The step before anything is started: a supervisord that knows these programs, free ports, and nobody unwatched."""

from collections.abc import Callable, Sequence

import psutil

from synctalk_local.part import Part
from synctalk_local.probe import port_is_taken
from synctalk_local.readiness import StartError
from synctalk_local.strays import end_strays
from synctalk_local.supervisor import Supervisor


def take_over(parts: Sequence[Part], supervisor: Supervisor, say: Callable[[str], None]) -> None:
    """Adopt the running supervisord, or start one and end what a killed one left behind. Raises StartError."""
    supervisor.write(parts)
    if supervisor.is_running():
        supervisor.adopt_config()
        _refuse_taken_ports(parts, supervisor)
        return
    for part in parts:
        if end_strays(part.directory):
            say(f"{part.name}: ended what an earlier run had left")
        part.cleanup()
    _refuse_taken_ports(parts, supervisor)
    supervisor.start()


def _refuse_taken_ports(parts: Sequence[Part], supervisor: Supervisor) -> None:
    running = {name for name, state in supervisor.states().items() if state.pid}
    for part in parts:
        if part.name not in running and port_is_taken(part.port):
            raise StartError(taken_sentence(part.name, part.port))


def taken_sentence(name: str, port: int) -> str:
    owner = _listener(port)
    by = f" by {owner}" if owner else ""
    return f"Port {port}, which {name} needs, is taken{by}: free it, or choose another stack by SYNCTALK_PORT."


def _listener(port: int) -> str | None:
    """Who listens there, where this user may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN
            if listens and getattr(connection.laddr, "port", None) == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return None
    return None
