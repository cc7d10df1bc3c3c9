"""Inspect uploaded files in processes of their own, a few at once, each bounded in time and memory."""

import asyncio
import math
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path

import structlog
from pydantic import ValidationError

from synctalk_api.inspection.report import Report
from synctalk_api.settings import Settings

log = structlog.get_logger()

UNREADABLE = "the file can't be read"


@dataclass(frozen=True, slots=True)
class Inspector:
    gate: asyncio.Semaphore
    """How many may be inspected at once."""
    pixels_max: int
    memory_bytes: int
    seconds: float

    @classmethod
    def of(cls, settings: Settings) -> "Inspector":
        gate = asyncio.Semaphore(settings.file_inspections)
        return cls(gate, settings.file_pixels_max, settings.file_inspection_bytes, settings.file_inspection_s)

    async def inspect(self, source: Path) -> Report:
        """Return what the file is; what ends the process is refused like any other file that can't be read."""
        bounds = (str(self.pixels_max), str(self.memory_bytes), str(math.ceil(self.seconds)))
        command = (sys.executable, "-I", "-m", "synctalk_api.inspection", str(source), *bounds)
        # Nothing of this process's environment: no secret is where a file is read.
        process = await asyncio.create_subprocess_exec(*command, stdin=None, stdout=PIPE, stderr=PIPE, env={})
        try:
            said, complaint = await process.communicate()
        finally:
            await _end(process)
        try:
            return Report.from_bytes(said)
        except ValidationError:
            lines = complaint.decode("utf-8", "replace").splitlines()
            log.warning("inspector.failed", code=process.returncode, error=lines[-1][:200] if lines else "")
            return Report(refused=UNREADABLE)


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
