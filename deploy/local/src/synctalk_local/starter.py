"""Starts parts under supervisord: those that do not run, and those that are no longer what was started."""

from collections.abc import Callable, Sequence

from synctalk_local.fingerprints import Memory, fingerprint
from synctalk_local.part import Part, write_files
from synctalk_local.readiness import wait_ready
from synctalk_local.stack import Stack
from synctalk_local.supervisor import Supervisor


class Starter:
    def __init__(self, stack: Stack, supervisor: Supervisor, memory: Memory, say: Callable[[str], None]) -> None:
        self._stack = stack
        self._supervisor = supervisor
        self._memory = memory
        self._say = say

    def start(self, parts: Sequence[Part]) -> None:
        """Start or restart those that need it, beside each other, and wait until all are ready. Raises StartError."""
        due = [part for part in parts if not self._stands(part)]
        self._stop_running(due)
        for part in due:
            write_files(part)
            part.prepare()
            self._supervisor.start_program(part.name)
            self._memory.keep(part.name, fingerprint(part, self._stack.checkout))
        due_names = {part.name for part in due}

        def tell(part: Part, seconds: float) -> None:
            if part.name in due_names:
                self._say(f"{part.name}: ready ({seconds:.1f} s)")

        wait_ready(parts, self._supervisor, self._stack.logs, tell)

    def _stands(self, part: Part) -> bool:
        """Whether it runs, and is what it would be started as now."""
        wanted = fingerprint(part, self._stack.checkout)
        return bool(self._supervisor.states()[part.name].pid) and self._memory.has(part.name, wanted)

    def _stop_running(self, parts: Sequence[Part]) -> None:
        states = self._supervisor.states()
        running = [part.name for part in parts if states[part.name].pid]
        for name in running:
            self._say(f"{name}: changed, starting anew")
        self._supervisor.stop_programs(running)
