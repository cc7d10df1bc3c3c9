"""Pushes that are due: claimed, asked about, sent, and their outcomes written down."""

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
from synctalk_runtime.telemetry import span

from synctalk_notifier import rules
from synctalk_notifier.actions.metrics import PUSHES, RETRIES, SECONDS
from synctalk_notifier.clients.outcomes import End, Outcome
from synctalk_notifier.parts import Parts
from synctalk_notifier.rules import Decision
from synctalk_notifier.settings import Settings
from synctalk_notifier.store import devices, pushes
from synctalk_notifier.store.pushes import Claim, Postponed

log = structlog.get_logger()

NEIGHBOUR_PAUSE_S = 1.0


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
    """What is to be written after a round, sorted by statement."""

    dropped: list[Claim] = field(default_factory=list)
    sent: list[Claim] = field(default_factory=list)
    retracted: list[Claim] = field(default_factory=list)
    postponed: list[Postponed] = field(default_factory=list)
    gone: list[tuple[str, str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.dropped or self.sent or self.retracted or self.postponed or self.gone)


async def claim_due(parts: Parts, limit: int) -> list[Claim]:
    now = utc_now()
    async with parts.postgres.connection() as conn:
        return await pushes.claim(conn, now, limit, now + timedelta(seconds=parts.settings.push_lease_s))


async def choose(parts: Parts, claims: Sequence[Claim]) -> list[Ready]:
    """Those that are still to be sent; the others are dropped, retracted or put off here."""
    writing = _Writing()
    ready: list[Ready] = []
    if parts.fcm is None:
        for claim in claims:
            PUSHES.labels(claim.kind, "off").inc()
        writing.dropped.extend(claims)
    else:
        try:
            ready = await _still_due(parts, claims, writing)
        except UnavailableError:
            due_at = utc_now() + timedelta(seconds=NEIGHBOUR_PAUSE_S * random.uniform(0.5, 1.5))  # noqa: S311
            RETRIES.labels("neighbour").inc(len(claims))
            writing.postponed.extend(Postponed(c, due_at, c.maybe_sent, counts=False) for c in claims)
    await _write(parts, writing)
    return ready


async def send(parts: Parts, ready: Ready) -> Finished:
    """Ask FCM; it never raises for what FCM answers."""
    assert parts.fcm is not None
    claim = ready.claim
    data = PushData(
        type=claim.kind,
        conversation_id=claim.conversation_id,
        message_id=claim.message_id,
        seq=str(claim.seq),
        badge=str(ready.badge),
    )
    with span("push.send", parent=claim.traceparent, kind=SpanKind.CLIENT, kind_of_push=claim.kind) as current:
        outcome = await parts.fcm.send(claim.token, data)
        current.set_attribute("push.end", outcome.end.value)
    return Finished(claim, outcome)


async def record(parts: Parts, finished: Sequence[Finished]) -> None:
    """Write down what became of these; all or nothing, so that it can be tried again."""
    now, writing = utc_now(), _Writing()
    ends = [_sort(parts.settings, one, now, writing) for one in finished]
    await _write(parts, writing)
    for one, end in zip(finished, ends, strict=True):
        _tell(one, end, now)


async def _still_due(parts: Parts, claims: Sequence[Claim], writing: _Writing) -> list[Ready]:
    answers = await _ask_api(parts, claims)
    active = await _ask_presence(parts, claims)
    ready: list[Ready] = []
    for claim in claims:
        answer = answers[claim.user_id, claim.conversation_id, claim.seq]
        decision = Decision.PUSH
        if claim.kind == "message":
            decision = rules.should_push(answer, active=claim.user_id in active)
        if decision is Decision.PUSH:
            ready.append(Ready(claim, answer.badge))
        elif claim.maybe_sent and rules.withdraws(decision):
            writing.retracted.append(claim)
        else:
            PUSHES.labels(claim.kind, decision.value).inc()
            writing.dropped.append(claim)
    return ready


async def _ask_api(parts: Parts, claims: Sequence[Claim]) -> dict[tuple[str, str, int], PushAnswer]:
    keys = sorted({(c.user_id, c.conversation_id, c.seq) for c in claims})
    questions = [PushQuestion(user_id=user, conversation_id=conversation, seq=seq) for user, conversation, seq in keys]
    return dict(zip(keys, await parts.neighbours.push_answers(questions), strict=True))


async def _ask_presence(parts: Parts, claims: Sequence[Claim]) -> set[str]:
    """A retraction goes to a device whoever is active: it was read on another one."""
    user_ids = sorted({c.user_id for c in claims if c.kind == "message"})
    return await parts.neighbours.active(user_ids) if user_ids else set()


def _sort(settings: Settings, finished: Finished, now: datetime, writing: _Writing) -> str:
    """Put the outcome under its statement; how the try ended, for the metric."""
    claim, outcome = finished.claim, finished.outcome
    match outcome.end:
        case End.SENT:
            writing.sent.append(claim)
        case End.GONE:
            writing.gone.append((claim.user_id, claim.device_id, claim.token))
        case End.REFUSED:
            writing.dropped.append(claim)
        case End.LATER | End.MAYBE | End.MISCONFIGURED:
            due_at = rules.retry_at(
                _patience(settings),
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
            return "again"
    return outcome.end.value


def _patience(settings: Settings) -> rules.Patience:
    return rules.Patience(
        attempts=settings.push_attempts,
        backoff_s=settings.push_backoff_s,
        backoff_max_s=settings.push_backoff_max_s,
        max_age_s=settings.push_max_age_s,
    )


async def _write(parts: Parts, writing: _Writing) -> None:
    if not writing:
        return
    now = utc_now()
    async with parts.postgres.transaction() as conn:
        if writing.dropped:
            await pushes.drop(conn, writing.dropped)
        if writing.sent:
            await pushes.sent(conn, writing.sent, now)
        if writing.retracted:
            await pushes.retract(conn, writing.retracted, now)
        if writing.postponed:
            await pushes.postpone(conn, writing.postponed)
        if writing.gone:
            await devices.delete_gone(conn, writing.gone)


def _tell(finished: Finished, end: str, now: datetime) -> None:
    claim, outcome = finished.claim, finished.outcome
    if end == "again":
        RETRIES.labels(outcome.end.value).inc()
    else:
        PUSHES.labels(claim.kind, end).inc()
    if outcome.end is End.SENT:
        SECONDS.observe((now - claim.created_at).total_seconds())
    elif outcome.end is End.MISCONFIGURED:
        log.error("push.misconfigured", code=outcome.code, message_id=claim.message_id)
    elif end in ("dead", "refused", "gone"):
        log.warning(f"push.{end}", code=outcome.code, user_id=claim.user_id, message_id=claim.message_id)
