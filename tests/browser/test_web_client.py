"""The web client in a browser, against the whole running system."""

from synctalk_testkit.browser import needs_browser, run_in_browser
from synctalk_testkit.stack import RunningStack, running_stack

pytestmark = needs_browser


def test_web_client__in_a_browser__does_what_it_promises(stack: RunningStack) -> None:
    run_in_browser(stack, "e2e")


def test_web_client__past_the_end_of_its_token__stays_connected() -> None:
    with running_stack({"SYNCTALK_ACCESS_TOKEN_TTL_S": "30", "SYNCTALK_EXPIRY_WARNING_S": "20"}) as stack:
        run_in_browser(stack, "e2e:expiry")
