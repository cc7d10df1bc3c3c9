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
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.telemetry import span

from synctalk_notifier import feed_items, rules
from synctalk_notifier.actions.metrics import PUSHES, RETRIES, SECONDS
from synctalk_notifier.clients.fcm import Fcm
from synctalk_notifier.clients.outcomes import End, Outcome
from synctalk_notifier.clients.upstreams import Upstreams
from synctalk_notifier.clients.web_push import WebPush
from synctalk_notifier.rules import Decision
from synctalk_notifier.settings import Settings
from synctalk_notifier.store import devices, feed, pushes
from synctalk_notifier.store import settings as settings_table
from synctalk_notifier.store.deliveries import Deliveries, Question
from synctalk_notifier.store.feed import FeedItem
from synctalk_notifier.store.pushes import Claim, Postponed
from synctalk_notifier.store.settings import BadgeExceptions
from synctalk_notifier.wording import push_data, shown

log = structlog.get_logger()

UPSTREAM_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Senders:
    """The ways to devices; None: not configured, and what would go that way is dropped."""

    fcm: Fcm | None
    web_push: WebPush | None

    def can_send(self, claim: Claim) -> bool:
        return (self.fcm if claim.subscription is None else self.web_push) is not None

    async def send(self, claim: Claim, data: PushData) -> Outcome:
        """Send to the claim's device, which `can_send` allows."""
        notification = shown(data, claim.locale)
        if claim.subscription is None:
            assert self.fcm is not None
            return await self.fcm.send(claim.token, data, notification)
        assert self.web_push is not None
        return await self.web_push.send(claim.subscription, data, notification)


@dataclass(frozen=True, slots=True)
class Ready:
    """A push that is to be sent now."""

    claim: Claim
    data: PushData


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
    failed: list[FeedItem] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.dropped or self.sent or self.to_retract or self.postponed or self.gone_devices)


class Delivery:
    """One process's delivery of pushes."""

    def __init__(
        self, postgres: Postgres, upstreams: Upstreams, deliveries: Deliveries, senders: Senders, settings: Settings
    ) -> None:
        self._postgres = postgres
        self._upstreams = upstreams
        self._deliveries = deliveries
        self._senders = senders
        self._settings = settings

    @property
    def has_credentials(self) -> bool:
        return self._senders.fcm is not None or self._senders.web_push is not None

    async def claim_due(self, limit: int) -> list[Claim]:
        now = utc_now()
        async with self._postgres.connection() as conn:
            return await pushes.claim(conn, now, limit, now + timedelta(seconds=self._settings.push_lease_s))

    async def resolve(self, claims: Sequence[Claim]) -> list[Ready]:
        """Return those that are still to be sent, and record that the others are dropped, retracted or postponed.

        Nothing is returned while api or presence does not answer: then all are postponed. So are those of which api
        knows nothing now, because where they lie is away.
        """
        writing = _Writing()
        ready: list[Ready] = []
        off = [claim for claim in claims if not self._senders.can_send(claim)]
        for claim in off:
            PUSHES.labels(claim.kind, "off").inc()
        writing.dropped.extend(off)
        claims = [claim for claim in claims if self._senders.can_send(claim)]
        if claims:
            try:
                ready = await self._decide(claims, writing)
            except UnavailableError:
                _postpone(claims, writing)
        await self._write(writing)
        return ready

    async def send(self, ready: Ready) -> Finished:
        """Send a push; no response raises."""
        claim = ready.claim
        with span("push.send", parent=claim.traceparent, kind=SpanKind.CLIENT, kind_of_push=claim.kind) as current:
            outcome = await self._senders.send(claim, ready.data)
            current.set_attribute("push.end", outcome.end.value)
        return Finished(claim, outcome)

    async def record(self, finished: Sequence[Finished]) -> None:
        """Record what became of these; all or nothing, so that it can be retried."""
        now, writing = utc_now(), _Writing()
        ends = [_classify(self._settings, one, now, writing) for one in finished]
        writing.failed += [
            _failed(one.claim, end, now) for one, end in zip(finished, ends, strict=True) if _is_failure(one.claim, end)
        ]
        await self._write(writing)
        for one, end in zip(finished, ends, strict=True):
            _count(one, end, now)

    async def _decide(self, claims: Sequence[Claim], writing: _Writing) -> list[Ready]:
        """Return those to send, and put the others under what is to be written of them."""
        answers = await self._push_answers(claims)
        unwanted = await self._unwanted(claims)
        got = await self._deliveries.received([_received_key(claim) for claim in claims if claim.kind == "message"])
        ready: list[Ready] = []
        _postpone([claim for claim in claims if answers[_place(claim)] is None], writing)
        for claim in claims:
            answer = answers[_place(claim)]
            if answer is None:
                continue
            decision = Decision.PUSH
            if claim.kind == "message":
                decision = rules.should_push(
                    answer, unwanted=unwanted.get(claim.user_id), got=_received_key(claim) in got
                )
            if decision is Decision.PUSH:
                ready.append(Ready(claim, _data(claim, answer)))
            elif claim.maybe_sent and rules.needs_retraction(decision):
                writing.to_retract.append(claim)
            else:
                PUSHES.labels(claim.kind, decision.value).inc()
                writing.dropped.append(claim)
        return ready

    async def _push_answers(self, claims: Sequence[Claim]) -> dict[tuple[str, str, int], PushAnswer | None]:
        keys = sorted({_place(claim) for claim in claims})
        async with self._postgres.connection() as conn:
            exceptions = await settings_table.badge_exceptions(conn, sorted({c.user_id for c in claims}), utc_now())
        questions = [_question(key, exceptions.pop(key[0], None)) for key in keys]
        return dict(zip(keys, await self._upstreams.push_answers(questions), strict=True))

    async def _unwanted(self, claims: Sequence[Claim]) -> dict[str, Decision]:
        """Return who gets no push now, of those who would get a message: retractions go out to all."""
        user_ids = sorted({c.user_id for c in claims if c.kind == "message"})
        return await self._upstreams.unwanted(user_ids) if user_ids else {}

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
            if writing.failed:
                await feed.add(conn, writing.failed, now)


def _place(claim: Claim) -> tuple[str, str, int]:
    return claim.user_id, claim.conversation_id, claim.seq


def _postpone(claims: Sequence[Claim], writing: _Writing) -> None:
    """Put these off a little: what holds of them is not known now."""
    if claims:
        due_at = utc_now() + timedelta(seconds=UPSTREAM_RETRY_S * random.uniform(0.5, 1.5))  # noqa: S311
        RETRIES.labels("upstream").inc(len(claims))
        writing.postponed.extend(Postponed(c, due_at, c.maybe_sent, counts=False) for c in claims)


def _question(key: tuple[str, str, int], exceptions: BadgeExceptions | None) -> PushQuestion:
    """`exceptions` are in one question of each user, and hold for all their badges."""
    user_id, conversation_id, seq = key
    question = PushQuestion(user_id=user_id, conversation_id=conversation_id, seq=seq)
    if exceptions is None:
        return question
    field_name = "loud_conversation_ids" if exceptions.counts_few else "quiet_conversation_ids"
    return question.model_copy(update={field_name: exceptions.conversation_ids})


def _data(claim: Claim, answer: PushAnswer) -> PushData:
    return push_data(
        claim.kind,
        claim.conversation_id,
        claim.message_id,
        claim.seq,
        thread_id=claim.thread_id,
        text=claim.text,
        content=claim.content,
        answer=answer,
    )


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


def _is_failure(claim: Claim, end: str) -> bool:
    return claim.kind == "message" and end in ("dead", End.REFUSED.value, End.GONE.value)


def _failed(claim: Claim, reason: str, now: datetime) -> FeedItem:
    return feed_items.push_failed(
        new_id(),
        now,
        user_id=claim.user_id,
        device_id=claim.device_id,
        conversation_id=claim.conversation_id,
        message_id=claim.message_id,
        reason=reason,
    )


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
