import os
import subprocess
import sys

from synctalk_bench.load import processes

BURN = "import time\nend = time.process_time() + 0.1\nwhile time.process_time() < end: pass\n"


PARENT = """
import subprocess, sys
print("alone", flush=True)
input()
code = "import sys; print(flush=True); sys.stdin.read()"
child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print("together", flush=True)
sys.stdin.read()
child.communicate()
"""


def test_cpu_seconds__a_child_that_has_ended__stays_counted() -> None:
    before = processes.cpu_seconds({"me": os.getpid()})["me"]
    subprocess.run([sys.executable, "-c", BURN], check=True)
    assert processes.cpu_seconds({"me": os.getpid()})["me"] - before >= 0.1


def test_cpu_seconds__a_process_that_is_not_there__is_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert processes.cpu_seconds({"gone": child.pid}) == {"gone": 0.0}


def test_memory__of_a_tree__holds_the_children() -> None:
    # A tree of its own: that of the tests holds servers, which grow and shrink meanwhile.
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdin and parent.stdout
        assert parent.stdout.readline() == "alone\n"
        alone = processes.memory({"tree": parent.pid})["tree"]
        parent.stdin.write("\n")
        parent.stdin.flush()
        assert parent.stdout.readline() == "together\n"
        together = processes.memory({"tree": parent.pid})["tree"]
        parent.communicate()
    assert together.rss_bytes > alone.rss_bytes
    assert 0 < alone.pss_bytes <= alone.rss_bytes
