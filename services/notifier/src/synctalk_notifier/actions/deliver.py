"""Deliver pushes that are due: claim them, ask what still holds, send them, and record the outcomes."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from opentelemetry.trace import SpanKind
from synctalk_contracts.internal import PushAnswer, PushQuestion
from synctalk_contracts.models import PushData
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.telemetry import span

from synctalk_notifier import rules
from synctalk_notifier.actions.metrics import PUSHES, RETRIES, SECONDS
from synctalk_notifier.clients.fcm import Fcm
from synctalk_notifier.clients.outcomes import End, Outcome
from synctalk_notifier.clients.upstreams import Upstreams
from synctalk_notifier.rules import Decision
from synctalk_notifier.settings import Settings
from synctalk_notifier.store import devices, pushes
from synctalk_notifier.store import settings as settings_table
from synctalk_notifier.store.deliveries import Deliveries, Question
from synctalk_notifier.store.pushes import Claim, Postponed

log = structlog.get_logger()

UPSTREAM_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Ready:
    """A push that is to be sent now."""

    claim: Claim
    badge: int


@dataclass(frozen=True, slots=True)
class Finished:
    claim: Claim
    outcome: Outcome


@dataclass(slots=True)
class _Writing:
    """The claims that are to be written, by statement."""

    dropped: list[Claim] = field(default_factory=list)
    sent: list[Claim] = field(default_factory=list)
    to_retract: list[Claim] = field(default_factory=list)
    postponed: list[Postponed] = field(default_factory=list)
    gone_devices: list[tuple[str, str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.dropped or self.sent or self.to_retract or self.postponed or self.gone_devices)


class Delivery:
    """One process's delivery of pushes; `fcm` is None without credentials: then pushes are dropped."""

    def __init__(
        self, postgres: Postgres, upstreams: Upstreams, deliveries: Deliveries, fcm: Fcm | None, settings: Settings
    ) -> None:
        self._postgres = postgres
        self._upstreams = upstreams
        self._deliveries = deliveries
        self._fcm = fcm
        self._settings = settings

    @property
    def has_credentials(self) -> bool:
        return self._fcm is not None

    async def claim_due(self, limit: int) -> list[Claim]:
        now = utc_now()
        async with self._postgres.connection() as conn:
            return await pushes.claim(conn, now, limit, now + timedelta(seconds=self._settings.push_lease_s))

    async def resolve(self, claims: Sequence[Claim]) -> list[Ready]:
        """Return those that are still to be sent, and record that the others are dropped, retracted or postponed.

        Nothing is returned while api or presence does not answer: then all are postponed.
        """
        writing = _Writing()
        ready: list[Ready] = []
        if self._fcm is None:
            for claim in claims:
                PUSHES.labels(claim.kind, "off").inc()
            writing.dropped.extend(claims)
        else:
            try:
                ready = await self._decide(claims, writing)
            except UnavailableError:
                due_at = utc_now() + timedelta(seconds=UPSTREAM_RETRY_S * random.uniform(0.5, 1.5))  # noqa: S311
                RETRIES.labels("upstream").inc(len(claims))
                writing.postponed.extend(Postponed(c, due_at, c.maybe_sent, counts=False) for c in claims)
        await self._write(writing)
        return ready

    async def send(self, ready: Ready) -> Finished:
        """Send a push; no response of FCM raises."""
        assert self._fcm is not None
        claim = ready.claim
        data = PushData(
            type=claim.kind,
            conversation_id=claim.conversation_id,
            message_id=claim.message_id,
            seq=str(claim.seq),
            badge=str(ready.badge),
        )
        with span("push.send", parent=claim.traceparent, kind=SpanKind.CLIENT, kind_of_push=claim.kind) as current:
            outcome = await self._fcm.send(claim.token, data)
            current.set_attribute("push.end", outcome.end.value)
        return Finished(claim, outcome)

    async def record(self, finished: Sequence[Finished]) -> None:
        """Record what became of these; all or nothing, so that it can be retried."""
        now, writing = utc_now(), _Writing()
        ends = [_classify(self._settings, one, now, writing) for one in finished]
        await self._write(writing)
        for one, end in zip(finished, ends, strict=True):
            _count(one, end, now)

    async def _decide(self, claims: Sequence[Claim], writing: _Writing) -> list[Ready]:
        """Return those to send, and put the others under what is to be written of them."""
        answers = await self._push_answers(claims)
        active = await self._active_users(claims)
        got = await self._deliveries.received([_received_key(claim) for claim in claims if claim.kind == "message"])
        ready: list[Ready] = []
        for claim in claims:
            answer = answers[claim.user_id, claim.conversation_id, claim.seq]
            decision = Decision.PUSH
            if claim.kind == "message":
                decision = rules.should_push(answer, active=claim.user_id in active, got=_received_key(claim) in got)
            if decision is Decision.PUSH:
                ready.append(Ready(claim, answer.badge))
            elif claim.maybe_sent and rules.needs_retraction(decision):
                writing.to_retract.append(claim)
            else:
                PUSHES.labels(claim.kind, decision.value).inc()
                writing.dropped.append(claim)
        return ready

    async def _push_answers(self, claims: Sequence[Claim]) -> dict[tuple[str, str, int], PushAnswer]:
        keys = sorted({(c.user_id, c.conversation_id, c.seq) for c in claims})
        async with self._postgres.connection() as conn:
            quiet = await settings_table.quiet(conn, sorted({claim.user_id for claim in claims}), utc_now())
        questions = [
            PushQuestion(
                user_id=user, conversation_id=conversation, seq=seq, quiet_conversation_ids=quiet.pop(user, [])
            )  # once for each user: it holds for all their badges
            for user, conversation, seq in keys
        ]
        return dict(zip(keys, await self._upstreams.push_answers(questions), strict=True))

    async def _active_users(self, claims: Sequence[Claim]) -> set[str]:
        """Return who is active, of those who would get a message: retractions go out to active users too."""
        user_ids = sorted({c.user_id for c in claims if c.kind == "message"})
        return await self._upstreams.active(user_ids) if user_ids else set()

    async def _write(self, writing: _Writing) -> None:
        if not writing:
            return
        now = utc_now()
        async with self._postgres.transaction() as conn:
            if writing.dropped:
                await pushes.drop(conn, writing.dropped)
            if writing.sent:
                await pushes.sent(conn, writing.sent, now)
            if writing.to_retract:
                await pushes.retract(conn, writing.to_retract, now)
            if writing.postponed:
                await pushes.postpone(conn, writing.postponed)
            if writing.gone_devices:
                await devices.delete_gone(conn, writing.gone_devices)


def _received_key(claim: Claim) -> Question:
    """Return the key under which the session's received messages are looked up."""
    return claim.session_id, claim.conversation_id, claim.seq


def _classify(settings: Settings, finished: Finished, now: datetime, writing: _Writing) -> str:
    """Put the outcome under the statement that records it. Return how the attempt ended, for the metric."""
    claim, outcome = finished.claim, finished.outcome
    match outcome.end:
        case End.SENT:
            writing.sent.append(claim)
        case End.GONE:
            writing.gone_devices.append((claim.user_id, claim.device_id, claim.token))
        case End.REFUSED:
            writing.dropped.append(claim)
        case End.LATER | End.MAYBE | End.MISCONFIGURED:
            due_at = rules.retry_at(
                _retry_limits(settings),
                claim.attempts,
                claim.created_at,
                now,
                asked_s=outcome.retry_after_s,
                jitter=random.random(),  # noqa: S311
            )
            if due_at is None:
                writing.dropped.append(claim)
                return "dead"
            maybe_sent = claim.maybe_sent or outcome.end is End.MAYBE
            writing.postponed.append(Postponed(claim, due_at, maybe_sent, counts=True))
            return "retry"
    return outcome.end.value


def _retry_limits(settings: Settings) -> rules.RetryLimits:
    return rules.RetryLimits(
        attempts=settings.push_attempts,
        backoff_s=settings.push_backoff_s,
        backoff_max_s=settings.push_backoff_max_s,
        max_age_s=settings.push_max_age_s,
    )


def _count(finished: Finished, end: str, now: datetime) -> None:
    claim, outcome = finished.claim, finished.outcome
    if end == "retry":
        RETRIES.labels(outcome.end.value).inc()
    else:
        PUSHES.labels(claim.kind, end).inc()
    if outcome.end is End.SENT:
        SECONDS.observe((now - claim.created_at).total_seconds())
    elif outcome.end is End.MISCONFIGURED:
        log.error("push.misconfigured", code=outcome.code, message_id=claim.message_id)
    elif end in ("dead", "refused", "gone"):
        log.warning(f"push.{end}", code=outcome.code, user_id=claim.user_id, message_id=claim.message_id)
