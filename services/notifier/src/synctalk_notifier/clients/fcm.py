"""Firebase's client, made fit for an event loop: the one place that touches its inside.

Its public `send_each_async` does the sending. Three things are set on its service object before the first use: our
retries come from the table, so its own are off (it ignores `Retry-After` and has no jitter); the access token is
refreshed in a thread; and the address may be that of a stand-in.
"""

import asyncio
import itertools
from pathlib import Path

import firebase_admin
import httpx
from firebase_admin import _http_client, credentials, messaging
from firebase_admin._retry import HttpxRetry
from firebase_admin.exceptions import FirebaseError
from synctalk_contracts.models import PushData

from synctalk_notifier.clients.bearer import Bearer
from synctalk_notifier.clients.outcomes import End, Outcome, outcome_of
from synctalk_notifier.wording import Shown

_numbers = itertools.count(1)


class Fcm:
    def __init__(self, credentials_file: Path, url: str | None, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        certificate = credentials.Certificate(str(credentials_file))
        self._app = firebase_admin.initialize_app(
            certificate, {"httpTimeout": timeout_s}, name=f"notifier-{next(_numbers)}"
        )
        bearer = Bearer(certificate.get_credential(), timeout_s)
        self._http = _http_client.HttpxAsyncClient(retry_config=HttpxRetry(max_retries=0), timeout=timeout_s)
        self._http.async_client.auth = bearer
        service = messaging._get_messaging_service(self._app)
        service._async_client = self._http
        if url is not None:
            service._fcm_url = f"{url.rstrip('/')}/v1/projects/{self._app.project_id}/messages:send"

    async def send(self, token: str, data: PushData, shown: Shown | None) -> Outcome:
        """Send one push to one device; never raises for what FCM answers."""
        try:
            async with asyncio.timeout(self._timeout_s):  # httpx's own is for each step of a request
                answer = await messaging.send_each_async([_message(token, data, shown)], app=self._app)
        except TimeoutError:
            return Outcome(End.MAYBE, "TIMEOUT")
        except (FirebaseError, httpx.HTTPError):
            return Outcome(End.MAYBE, "UNKNOWN")
        except ValueError:
            return Outcome(End.REFUSED, "INVALID_MESSAGE")
        return outcome_of(answer.responses[0])

    async def close(self) -> None:
        """Close the client; in a thread, because the library closes its client by a loop of its own (`asyncio.run`)."""
        await self._http.aclose()
        await asyncio.to_thread(firebase_admin.delete_app, self._app)


def _message(token: str, data: PushData, shown: Shown | None) -> messaging.Message:
    """A newer push of a conversation or thread replaces the older one on the device; a retraction shows nothing."""
    silent = shown is None
    message = messaging.Message(
        data=data.model_dump(),
        android=messaging.AndroidConfig(collapse_key=_subject(data), priority="normal" if silent else "high"),
        apns=_retract_on_apns(data) if shown is None else _announce_on_apns(data, shown),
        webpush=messaging.WebpushConfig(
            headers={
                "Topic": _subject(data).replace("-", ""),  # 32 characters at most
                "Urgency": "low" if silent else "high",
            }
        ),
    )
    message.token = token  # not as an argument, which warns: devices give registration tokens, not installation ids
    return message


def _subject(data: PushData) -> str:
    return data.thread_id or data.conversation_id


def _announce_on_apns(data: PushData, shown: Shown) -> messaging.APNSConfig:
    """iOS wakes no app for data alone: an alert, which the app's extension may replace."""
    aps = messaging.Aps(
        alert=messaging.ApsAlert(title=shown.title, body=shown.body),
        badge=int(data.badge),
        sound="default",
        thread_id=_subject(data),
        mutable_content=True,
    )
    headers = {"apns-collapse-id": _subject(data), "apns-priority": "10", "apns-push-type": "alert"}
    return messaging.APNSConfig(headers=headers, payload=messaging.APNSPayload(aps))


def _retract_on_apns(data: PushData) -> messaging.APNSConfig:
    aps = messaging.Aps(badge=int(data.badge), content_available=True)
    headers = {"apns-collapse-id": _subject(data), "apns-priority": "5", "apns-push-type": "background"}
    return messaging.APNSConfig(headers=headers, payload=messaging.APNSPayload(aps))
