"""Waiting for a condition, never for a time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

POLL_S = 0.02


@overload
async def eventually(predicate: Callable[[], Awaitable[T]], timeout: float = 10.0, *, message: str = "") -> T: ...
@overload
async def eventually(predicate: Callable[[], T], timeout: float = 10.0, *, message: str = "") -> T: ...
async def eventually(predicate: Callable[[], T | Awaitable[T]], timeout: float = 10.0, *, message: str = "") -> T:
    """The predicate's first true answer. An assertion that fails inside it counts as "not yet"."""
    deadline = time.monotonic() + timeout
    while True:
        failure: AssertionError | None = None
        try:
            answer = predicate()
            value = await answer if inspect.isawaitable(answer) else answer
            if value:
                return value
        except AssertionError as error:
            failure = error
        if time.monotonic() > deadline:
            raise failure or AssertionError(message or f"{_name(predicate)} did not hold within {timeout} s")
        await asyncio.sleep(POLL_S)


def eventually_blocking(predicate: Callable[[], T], timeout: float = 10.0, *, message: str = "") -> T:
    """Do the same outside of a loop."""
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(message or f"{_name(predicate)} did not hold within {timeout} s")
        time.sleep(POLL_S)


def _name(predicate: Callable[..., object]) -> str:
    return getattr(predicate, "__qualname__", repr(predicate))
