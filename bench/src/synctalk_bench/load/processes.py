"""CPU and memory of processes with all that they forked, read from /proc.

The sum over a tree of a process's own CPU and that of its reaped children never falls: a database backend that ends
in between hands its time to the postmaster, so nothing is missed and nothing is counted twice.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Memory:
    rss_bytes: int
    pss_bytes: int
    """Shared pages divided by those who share them: these may be added up."""


def cpu_seconds(roots: Mapping[str, int]) -> dict[str, float]:
    """CPU of each tree since it began, user and system."""
    return {name: sum(map(_own_and_reaped, tree)) for name, tree in _trees(roots).items()}


def memory(roots: Mapping[str, int]) -> dict[str, Memory]:
    return {name: _memory(tree) for name, tree in _trees(roots).items()}


def _memory(tree: list[psutil.Process]) -> Memory:
    rss = pss = 0
    for process in tree:
        try:
            info = process.memory_full_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        rss += info.rss
        pss += info.pss
    return Memory(rss, pss)


def _own_and_reaped(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def _trees(roots: Mapping[str, int]) -> dict[str, list[psutil.Process]]:
    children: dict[int, list[psutil.Process]] = defaultdict(list)
    for process in psutil.process_iter(["ppid"]):
        children[process.info["ppid"]].append(process)
    return {name: list(_tree(pid, children)) for name, pid in roots.items()}


def _tree(pid: int, children: Mapping[int, list[psutil.Process]]) -> Iterator[psutil.Process]:
    try:
        yield psutil.Process(pid)
    except psutil.NoSuchProcess:
        return
    for child in children.get(pid, []):
        yield from _tree(child.pid, children)
