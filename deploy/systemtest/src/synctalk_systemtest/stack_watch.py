"""Remove a test stack once its owner is gone: `python -m synctalk_systemtest.stack_watch DATA EDGE_PORT OWNER_PID`."""

import sys
import time
from pathlib import Path

import psutil
from synctalk_local.commands.down import clean
from synctalk_local.ports import ports_for
from synctalk_local.stack import CHECKOUT, Stack

LOOK_AGAIN_S = 1.0


def main() -> None:
    data, edge, owner = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    while psutil.pid_exists(owner):
        time.sleep(LOOK_AGAIN_S)
    clean(Stack(CHECKOUT, data, ports_for(edge)), lambda _: None)
    data.parent.rmdir()


if __name__ == "__main__":
    main()
