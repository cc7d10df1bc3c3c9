"""The web client in a browser, against the whole running system."""

from synctalk_local.commands.key import key
from synctalk_systemtest.browser import needs_browser, run_in_browser
from synctalk_systemtest.stack import RunningStack

pytestmark = needs_browser


def test_web_client__in_a_browser__does_what_it_promises(stack: RunningStack) -> None:
    run_in_browser(stack, "e2e", SYNCTALK_KEY=key(stack.stack, None))
