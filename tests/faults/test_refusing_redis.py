"""A Redis that refuses while users write: every call is answered, and all is well as soon as Redis is."""

import pytest
from synctalk_systemtest import redis_faults
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import Users
from synctalk_testkit.eventually import eventually
from synctalk_testkit.floods.offered import offer, senders_at

SENDERS = 20
PER_S = 40
"""Of all together: two a second of each, which is below a user's limit."""
SECONDS = 4
WELL_WITHIN_S = 10
SLOWEST_ANSWER_S = 6
"""A command waits 5 s for its answer."""


@pytest.mark.parametrize("name", ["refusing_writes", "refusing_publishes", "demoted", "full", "locked_out"])
async def test_redis__refuses_while_users_write__every_call_is_answered(
    stack: RunningStack, users: Users, name: str
) -> None:
    async with senders_at(stack.url, users, SENDERS) as senders:
        async with redis_faults.FAULTS[name](stack):
            meanwhile = await offer(senders, PER_S, SECONDS)

        async def is_well() -> bool:
            now = await offer(senders, PER_S, 1)
            return now.unanswered == 0 and not now.refused_s

        await eventually(is_well, WELL_WITHIN_S)

    assert meanwhile.unanswered == 0
    assert meanwhile.without_retry_after == 0
    assert max(meanwhile.accepted_s + meanwhile.refused_s) < SLOWEST_ANSWER_S
