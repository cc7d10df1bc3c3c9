"""This client passes the conformance suite."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from synctalk_conformance.cases import Case, read_cases
from synctalk_conformance.play import play
from synctalk_systemtest.stack import RunningStack, running_stack
from synctalk_testkit.clients import Users, users_at

pytestmark = pytest.mark.timeout(240)

COMMAND = (sys.executable, str(Path(__file__).parent / "conformance_agent.py"))
CASES = read_cases()
SHORT_TOKENS = [case for case in CASES if case.settings]


@pytest.fixture(scope="module")
def short_tokens() -> Iterator[RunningStack]:
    """A system with the settings that some cases need; they are the same in all of them."""
    settings = {name: value for case in SHORT_TOKENS for name, value in case.settings.items()}
    with running_stack(settings) as stack:
        yield stack


def _id(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", [case for case in CASES if not case.settings], ids=_id)
async def test_case__of_every_client__passes(case: Case, stack: RunningStack, users: Users) -> None:
    await play(case, stack, users, COMMAND)


@pytest.mark.parametrize("case", SHORT_TOKENS, ids=_id)
async def test_case__with_short_tokens__passes(case: Case, short_tokens: RunningStack) -> None:
    async with users_at(short_tokens.url) as users:
        await play(case, short_tokens, users, COMMAND)
