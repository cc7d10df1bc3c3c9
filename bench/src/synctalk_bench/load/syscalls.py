"""System calls of processes with all that they forked, counted by perf or, where that may not count, by strace.

perf counts in the kernel and slows nobody; strace stops the process twice for each call, so that more messages share a
batch than would otherwise.
"""

import asyncio
import re
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import psutil

from synctalk_bench.load.crew import LoadError

WAITS = ("epoll_wait", "epoll_pwait", "poll", "ppoll")
"""Each return of one of these is a wake-up."""
NAMED = (*WAITS, "read", "recvfrom", "recvmsg", "write", "writev", "sendto", "sendmsg", "futex", "fdatasync")
ALL = "all"
_STRACE_ROW = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", re.MULTILINE)


async def counted(roots: Mapping[str, int], seconds: float) -> dict[str, Counter[str]]:
    """Calls by name within these seconds, of each tree; `ALL` is their sum."""
    count = by_perf if perf_may_count() else by_strace
    found = await asyncio.gather(*(count(_tree(pid), seconds) for pid in roots.values()))
    return dict(zip(roots, found, strict=True))


def wakeups(calls: Mapping[str, float]) -> float:
    return sum(calls.get(name, 0) for name in WAITS)


def _tree(pid: int) -> str:
    root = psutil.Process(pid)
    return ",".join(str(process.pid) for process in (root, *root.children(recursive=True)))


def perf_may_count() -> bool:
    command = ["perf", "stat", "-e", "raw_syscalls:sys_enter", "true"]
    return (
        shutil.which("perf") is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


async def by_perf(pids: str, seconds: float) -> Counter[str]:
    events = ",".join(["raw_syscalls:sys_enter", *(f"syscalls:sys_enter_{name}" for name in NAMED)])
    output = await _output_of("perf", "stat", "-x,", "-e", events, "-p", pids, "--", "sleep", str(seconds))
    found: Counter[str] = Counter()
    for line in output.splitlines():
        number, _, event, *_ = [*line.split(","), "", "", ""]
        if number.isdigit():
            found[event.rpartition("sys_enter")[2].removeprefix("_") or ALL] += int(number)
    return found


async def by_strace(pids: str, seconds: float) -> Counter[str]:
    if shutil.which("strace") is None:
        raise LoadError("Neither perf nor strace can count here.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "counts"
        command = ("strace", "-c", "-f", "-q", "-o", str(path), *(f"--attach={pid}" for pid in pids.split(",")))
        process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
        await asyncio.sleep(seconds)
        process.send_signal(signal.SIGINT)
        await process.wait()
        found = Counter({name: int(number) for number, name in _STRACE_ROW.findall(path.read_text())})
    found[ALL] = found.pop("total", 0)
    return found


async def _output_of(*command: str) -> str:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL, stderr=pipe)
    _, errors = await process.communicate()
    return errors.decode()
