"""The process that keeps a run's backing set: starts it, says where it is, and ends it with the run.

`python -m synctalk_testkit.keeper FOLDER OWNER_PID WORKERS`. It ends on SIGTERM, and when the owner is
gone, even if that was killed: no server outlives the tests.
"""

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
from synctalk_backing import binaries

from synctalk_testkit import local
from synctalk_testkit.backing import Backing

LOOK_AGAIN_S = 0.5


def main() -> None:
    folder, owner, workers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    signal.signal(signal.SIGINT, lambda *_: done.set())
    try:
        with _way()(folder, workers) as backing:
            _publish(folder, backing)
            while not done.wait(LOOK_AGAIN_S) and psutil.pid_exists(owner):
                pass
    finally:
        if done.is_set() or (folder / "backing.json").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _way() -> Callable[[Path, int], AbstractContextManager[Backing]]:
    """Containers where an engine on this machine answers (one elsewhere publishes elsewhere), else processes.

    Processes as well where a RabbitMQ is given, which no image has.
    """
    if binaries.RABBITMQ_GIVEN in os.environ:
        return local.started
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not host.startswith("unix://") or not Path(host.removeprefix("unix://")).exists():
        return local.started
    from synctalk_testkit import containers  # slow to import, and of no use without an engine

    return containers.started if containers.engine_answers() else local.started


def _publish(folder: Path, backing: Backing) -> None:
    fresh = folder / "backing.json.new"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(backing.to_json())
    fresh.replace(folder / "backing.json")


if __name__ == "__main__":
    main()
