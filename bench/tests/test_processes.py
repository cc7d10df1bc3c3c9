import os
import subprocess
import sys

from load import processes

BURN = "import time\nend = time.process_time() + 0.1\nwhile time.process_time() < end: pass\n"


def test_cpu_seconds__a_child_that_has_ended__stays_counted() -> None:
    before = processes.cpu_seconds({"me": os.getpid()})["me"]
    subprocess.run([sys.executable, "-c", BURN], check=True)
    assert processes.cpu_seconds({"me": os.getpid()})["me"] - before >= 0.1


def test_cpu_seconds__a_process_that_is_not_there__is_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert processes.cpu_seconds({"gone": child.pid}) == {"gone": 0.0}


def test_memory__of_a_tree__holds_the_children() -> None:
    alone = processes.memory({"me": os.getpid()})["me"]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        together = processes.memory({"me": os.getpid()})["me"]
        child.communicate(b"\n")
    assert together.rss_bytes > alone.rss_bytes
    assert 0 < alone.pss_bytes <= alone.rss_bytes
