"""The operator's hook, which is asked before a message is stored: it lets it through, replaces its text, or refuses it.

It is signed as webhooks are. Whatever does not answer in time and in form has not answered.
"""

from typing import Annotated, Any, Literal

import aiohttp
import structlog
from prometheus_client import Counter
from pydantic import Field, SecretStr, ValidationError
from standardwebhooks import Webhook
from synctalk_contracts.base import Contract
from synctalk_contracts.ids import Id
from synctalk_contracts.metadata import Metadata
from synctalk_contracts.text import MAX_BODY_CHARS, Text
from synctalk_runtime.ids import new_id, utc_now

log = structlog.get_logger()

ANSWERS = Counter(
    "api_message_hook_answers_total", "Answers of the message hook; `none`: not in time or form.", ["answer"]
)
MAX_ANSWER_BYTES = 65_536


class HookAnswer(Contract):
    action: Literal["allow", "replace", "refuse"]
    body: Annotated[Text, Field(min_length=1, max_length=MAX_BODY_CHARS)] | None = None
    metadata: Metadata | None = None
    reason: Annotated[str, Field(max_length=500)] | None = None


class HookedMessage(Contract):
    conversation_id: Id
    sender_id: Id
    body: str
    metadata: dict[str, Any]
    client_message_id: str | None
    """None: of an edit."""


class HookQuestion(Contract):
    type: Literal["create", "edit"]
    message: HookedMessage


class MessageHook:
    """Asks the hook, once for each message."""

    def __init__(self, url: str, secret: SecretStr, timeout_s: float) -> None:
        self._url = url
        self._signer = Webhook(secret.get_secret_value())
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._http: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._http = aiohttp.ClientSession(
            timeout=self._timeout, connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def ask(self, question: HookQuestion) -> HookAnswer | None:
        """Return the hook's answer; None: there is none that counts."""
        answer = await self._ask(question)
        ANSWERS.labels(answer.action if answer is not None else "none").inc()
        return answer

    async def _ask(self, question: HookQuestion) -> HookAnswer | None:
        assert self._http is not None, "open() first"
        body = question.to_bytes()
        try:
            async with self._http.post(
                self._url, data=body, headers=self._headers(body), allow_redirects=False
            ) as response:
                if response.status != 200:
                    log.warning("message_hook.failed", status=response.status)
                    return None
                read = await response.content.read(MAX_ANSWER_BYTES)
                return HookAnswer.from_bytes(read)
        except (aiohttp.ClientError, OSError, TimeoutError, ValidationError) as error:
            log.warning("message_hook.failed", error=type(error).__name__)
            return None

    def _headers(self, body: bytes) -> dict[str, str]:
        message_id, now = new_id(), utc_now()
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(message_id, now, body.decode()),
            "content-type": "application/json",
        }
