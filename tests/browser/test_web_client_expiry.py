"""The web client in a browser, where tokens and streams end while one looks on; by itself, and in a page of another
origin."""

import json

from synctalk_local.commands.key import key
from synctalk_systemtest.browser import needs_browser, run_in_browser
from synctalk_systemtest.stack import running_stack
from synctalk_testkit.ports import free_port

pytestmark = needs_browser

ISSUER = {
    "issuer": "https://app.example",
    "audience": "chat",
    "algorithms": ["HS256"],
    "shared_secret": "0123456789abcdef0123456789abcdef",
    "create_users": True,
}


def test_web_client__past_the_end_of_its_token__stays_connected() -> None:
    settings = {
        "SYNCTALK_ACCESS_TOKEN_TTL_S": "30",
        "SYNCTALK_EXPIRY_WARNING_S": "20",
        "SYNCTALK_STREAM_SILENCE_S": "6",
        "SYNCTALK_ALLOWED_ORIGINS": f"http://localhost:{free_port()}",
        "SYNCTALK_TRUSTED_ISSUERS": json.dumps([ISSUER]),
    }
    with running_stack(settings) as stack:
        run_in_browser(stack, "e2e:expiry", SYNCTALK_KEY=key(stack.stack, None))
