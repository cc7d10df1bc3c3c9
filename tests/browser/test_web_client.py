"""The web client in a browser, against the whole running system: each file of its own tests, the largest first."""

import pytest
from synctalk_testkit.browser import E2E, needs_browser, run_in_browser
from synctalk_testkit.stack import RunningStack, running_stack

pytestmark = needs_browser

ELSEWHERE = {"session.expiry.spec.ts", "readme.pictures.spec.ts"}
FILES = sorted(E2E.glob("*.spec.ts"), key=lambda file: -file.stat().st_size)


@pytest.mark.parametrize("name", [file.name for file in FILES if file.name not in ELSEWHERE])
def test_web_client__in_a_browser__does_what_it_promises(stack: RunningStack, name: str) -> None:
    run_in_browser(stack, "e2e", "--", "--no-deps", name)


def test_web_client__past_the_end_of_its_token__stays_connected() -> None:
    with running_stack({"SYNCTALK_ACCESS_TOKEN_TTL_S": "30", "SYNCTALK_EXPIRY_WARNING_S": "20"}) as stack:
        run_in_browser(stack, "e2e:expiry")
