"""The JavaScript client passes the conformance suite."""

import asyncio
from pathlib import Path

import pytest
from synctalk_conformance.cases import Case, read_cases
from synctalk_conformance.play import play
from synctalk_systemtest import programs
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import Users, users_at

pytestmark = pytest.mark.timeout(240)

AGENT = Path(__file__).parent / "conformance_agent.mjs"
CASES = read_cases()
SHORT_TOKENS = [case for case in CASES if case.short_tokens]


def _id(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", SHORT_TOKENS, ids=_id)
async def test_case__with_short_tokens__passes(case: Case, short_tokens: RunningStack) -> None:
    async with users_at(short_tokens.url) as users:
        await play(case, short_tokens, users, await asyncio.to_thread(programs.of_file, AGENT))


@pytest.mark.parametrize("case", [case for case in CASES if not case.short_tokens], ids=_id)
async def test_case__of_every_client__passes(case: Case, stack: RunningStack, users: Users) -> None:
    await play(case, stack, users, await asyncio.to_thread(programs.of_file, AGENT))
