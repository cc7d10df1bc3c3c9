"""Verification of webhooks, signed as Standard Webhooks says."""

from collections.abc import Mapping

from standardwebhooks import Webhook, WebhookVerificationError

from synctalk.errors import SyncTalkError
from synctalk.models import HostEvent


class WebhookError(SyncTalkError):
    """The request was not signed with the secret, is older than five minutes, or is no event: answer it with 400."""


def verified(secret: str, headers: Mapping[str, str], body: bytes) -> HostEvent:
    """Return the event of a request, by the endpoint's secret (`whsec_…`) and the body as it came, byte for byte.

    Raises WebhookError.
    """
    endpoint = Webhook(secret)
    try:
        endpoint.verify(body, dict(headers), json_parse=False)
        return HostEvent.model_validate_json(body)
    except (WebhookVerificationError, ValueError) as error:  # a signature or a body that cannot be read is a ValueError
        raise WebhookError("The request is not a signed event.") from error
