"""`server_key` a key of the host app with all scopes · `backend` what calls with it."""

import pytest
from synctalk_local.commands.key import key
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import Users

from tests.e2e.backend import Backend


@pytest.fixture(scope="session")
def server_key(shared_stack: RunningStack) -> str:
    return key(shared_stack.stack, None)


@pytest.fixture
def backend(users: Users, server_key: str) -> Backend:
    return Backend(users, server_key)
