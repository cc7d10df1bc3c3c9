"""What is counted of a process is what it did."""

import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from synctalk_bench.load import syscalls

CHILD = """
import os, select, sys
out, poll = os.open("/dev/null", os.O_WRONLY), select.epoll()
poll.register(sys.stdin)
print(flush=True)
while not poll.poll(0.001):
    os.write(out, b"x")
"""


@pytest.fixture
def writer() -> Iterator[int]:
    """The pid of a process that writes each time it wakes up."""
    with subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        yield child.pid
        child.communicate()


@pytest.mark.skipif(not syscalls.perf_may_count(), reason="perf may not count here")
async def test_by_perf__a_process_that_writes__has_its_calls(writer: int) -> None:
    calls = await syscalls.by_perf(str(writer), 0.3)
    assert calls["write"] > 0
    assert abs(syscalls.wakeups(calls) - calls["write"]) <= 1
    # The counters stop one after the other: between two of them there may be a call.
    assert calls[syscalls.ALL] >= syscalls.wakeups(calls) + calls["write"] - 1


@pytest.mark.skipif(not shutil.which("strace"), reason="there is no strace here")
async def test_by_strace__a_process_that_writes__has_its_calls(writer: int) -> None:
    calls = await syscalls.by_strace(str(writer), 0.3)
    assert calls["write"] > 0
    assert abs(syscalls.wakeups(calls) - calls["write"]) <= 1
    assert calls[syscalls.ALL] >= syscalls.wakeups(calls) + calls["write"]


async def test_counted__by_name__leaves_none_out(writer: int) -> None:
    assert (await syscalls.counted({"one": writer, "two": writer}, 0.2)).keys() == {"one", "two"}
