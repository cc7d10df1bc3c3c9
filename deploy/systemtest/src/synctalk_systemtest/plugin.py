"""The pytest plugin: the whole system as fixtures.

`stack` the running system · `shared_stack` the same, for fixtures that outlive a test · `short_tokens` one with tokens
of some seconds · `users` the users of `stack`.
"""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:  # most runs need neither, and they are slow to import
    from synctalk_testkit.clients import Users

    from synctalk_systemtest.stack import RunningStack


HOST_ORIGIN = "https://app.example.org"
"""Where a host app's pages are: the one other origin that may call the system."""


SHORT_TOKENS = {"SYNCTALK_ACCESS_TOKEN_TTL_S": "20", "SYNCTALK_EXPIRY_WARNING_S": "15"}


@pytest.fixture(scope="session")
def shared_stack() -> "Iterator[RunningStack]":
    """The whole system, which serves all of this worker's tests."""
    from synctalk_systemtest.stack import running_stack

    with running_stack({"SYNCTALK_ALLOWED_ORIGINS": HOST_ORIGIN}) as running:
        yield running


@pytest.fixture
def stack(shared_stack: "RunningStack") -> "Iterator[RunningStack]":
    """The whole system; after a test that harmed it, the next one waits until it has recovered."""
    yield shared_stack
    shared_stack.recover()


@pytest.fixture(scope="session")
def short_tokens() -> "Iterator[RunningStack]":
    """A system in which tokens end while one looks on, for all of this worker's tests that need it."""
    from synctalk_systemtest.stack import running_stack

    with running_stack(SHORT_TOKENS) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def users(stack: "RunningStack") -> "AsyncIterator[Users]":
    """Makes users of the running system; what they opened is closed after the test."""
    from synctalk_testkit.clients import users_at

    async with users_at(stack.url) as made:
        yield made
