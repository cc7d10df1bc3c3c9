"""The web client in a browser, where tokens end while one looks on."""

from synctalk_systemtest.browser import needs_browser, run_in_browser
from synctalk_systemtest.stack import running_stack

pytestmark = needs_browser


def test_web_client__past_the_end_of_its_token__stays_connected() -> None:
    with running_stack({"SYNCTALK_ACCESS_TOKEN_TTL_S": "30", "SYNCTALK_EXPIRY_WARNING_S": "20"}) as stack:
        run_in_browser(stack, "e2e:expiry")
