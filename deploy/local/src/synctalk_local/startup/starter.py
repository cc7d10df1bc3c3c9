"""Starts processes under the supervisor: those that do not run, and those that are no longer what was started."""

from collections.abc import Callable, Sequence

from synctalk_backing.process import ProcessSpec, write_files

from synctalk_local.stack import Stack
from synctalk_local.startup.fingerprints import Memory, fingerprint
from synctalk_local.startup.readiness import wait_ready
from synctalk_local.supervision.client import Supervisor


class Starter:
    def __init__(self, stack: Stack, supervisor: Supervisor, memory: Memory, say: Callable[[str], None]) -> None:
        self._stack = stack
        self._supervisor = supervisor
        self._memory = memory
        self._say = say

    def start(self, specs: Sequence[ProcessSpec]) -> None:
        """Start or restart those that need it, beside each other, and wait until all are ready. Raises StartError."""
        due = [spec for spec in specs if not self._stands(spec)]
        self._stop_running(due)
        for spec in due:
            write_files(spec)
            spec.prepare()
            self._supervisor.start_program(spec.name)
            self._memory.keep(spec.name, fingerprint(spec, self._stack.checkout))
        due_names = {spec.name for spec in due}

        def report(spec: ProcessSpec, seconds: float) -> None:
            if spec.name in due_names:
                self._say(f"{spec.name}: ready ({seconds:.1f} s)")

        wait_ready(specs, self._supervisor, self._stack.logs, report)

    def _stands(self, spec: ProcessSpec) -> bool:
        """Return whether it runs, and is what it would be started as now."""
        wanted = fingerprint(spec, self._stack.checkout)
        return bool(self._supervisor.states()[spec.name].pid) and self._memory.has(spec.name, wanted)

    def _stop_running(self, specs: Sequence[ProcessSpec]) -> None:
        states = self._supervisor.states()
        running = [spec.name for spec in specs if states[spec.name].pid]
        for name in running:
            self._say(f"{name}: changed, restarting")
        self._supervisor.stop_programs(running)
