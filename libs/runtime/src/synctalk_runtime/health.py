"""Alive and ready. Alive: the loop turns. Ready: not draining, and what no route can do without answers.

A part that only some routes need does not gate: it is the same for all processes, so without it all of them would be
taken out of service at once. It is named as degraded, and each route that needs it answers 503 for itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], Awaitable[None]]
CHECK_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class Report:
    ready: bool
    checks: dict[str, str]
    """`ok` or the type of the error, by the part's name."""
    degraded: list[str]
    """Checks that fail and do not gate."""


class Health:
    """The checks of one process, and its draining switch."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._gating: set[str] = set()
        self.draining = False

    def add(self, name: str, check: Check, *, gates: bool = True) -> None:
        """`check` raises when the part does not answer. Unless it `gates`, the process is ready without it."""
        self._checks[name] = check
        if gates:
            self._gating.add(name)

    async def report(self) -> Report:
        names = list(self._checks)
        outcomes = await asyncio.gather(*(self._run(self._checks[name]) for name in names))
        checks = dict(zip(names, outcomes, strict=True))
        failed = [name for name, outcome in checks.items() if outcome != "ok"]
        degraded = [name for name in failed if name not in self._gating]
        if self.draining:
            checks["draining"] = "yes"
        return Report(not self.draining and failed == degraded, checks, degraded)

    @staticmethod
    async def _run(check: Check) -> str:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                await check()
        except Exception as error:  # whatever it is, the probe reports it
            return type(error).__name__
        return "ok"


def routes(health: Health) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        report = await health.report()
        return JSONResponse(asdict(report), status_code=200 if report.ready else 503)

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
