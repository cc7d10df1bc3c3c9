"""Alive and ready. Alive: the loop turns. Ready: not draining, and every named check passes within a second."""

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], Awaitable[None]]
CHECK_TIMEOUT_S = 1.0


class Health:
    """The checks of one process, and its draining switch."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self.draining = False

    def add(self, name: str, check: Check) -> None:
        """`check` raises when the part does not answer."""
        self._checks[name] = check

    async def report(self) -> tuple[bool, dict[str, str]]:
        names = list(self._checks)
        outcomes = await asyncio.gather(*(self._run(self._checks[name]) for name in names))
        report = dict(zip(names, outcomes, strict=True))
        if self.draining:
            report["draining"] = "yes"
        return all(outcome == "ok" for outcome in report.values()), report

    @staticmethod
    async def _run(check: Check) -> str:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                await check()
        except Exception as error:  # the probe's door: whatever it is, it is told
            return type(error).__name__
        return "ok"


def routes(health: Health) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        ready, report = await health.report()
        return JSONResponse({"ready": ready, "checks": report}, status_code=200 if ready else 503)

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
