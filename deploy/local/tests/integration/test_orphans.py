"""Real processes that nobody watches any more."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
from synctalk_local.supervision import orphans
from synctalk_local.supervision.orphans import end_orphans, orphans_in

PARENT = """
import subprocess, sys
sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
child = subprocess.Popen(sleeper, cwd=sys.argv[1], start_new_session=True)
print(child.pid, flush=True)
input()
"""


def test_end__of_one_that_its_parent_does_not_reap__does_not_wait_for_that(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert orphans_in(tmp_path) == [child]

        began = time.monotonic()
        ended = end_orphans(tmp_path, reaped=False)

        assert ended == 1
        assert child.status() == psutil.STATUS_ZOMBIE
        assert time.monotonic() - began < orphans.WAIT_S
        parent.kill()
    assert orphans_in(tmp_path) == []
