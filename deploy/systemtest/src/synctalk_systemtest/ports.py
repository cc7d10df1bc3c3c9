"""Free ports for whole stacks."""

from synctalk_local.ports import ports_for
from synctalk_testkit.ports import free_port, reserve


def free_edge_port() -> int:
    """Return an edge port of which all the stack's other ports are free too; all are reserved for this process."""
    while True:
        port = free_port()
        if reserve(ports_for(port).all()[1:]):
            return port
