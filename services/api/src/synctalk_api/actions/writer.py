"""The one writer of a store in this process: the commands that queued up while the last commit ran are the next batch.

REST endpoints and the command queues both put their commands here, so a commit's cost is shared and one transaction at
a time numbers messages. A single command on a quiet system is written at once; while commands keep arriving, commits
keep a minimum distance (`write_interval_s`), so that each holds several. A batch is written in runs of one kind, in the
sequence of arrival; watermarks commute with everything else and come last.

A failure belongs to a command, not to a batch. What the database refuses as a whole is tried once more when a race can
be the reason, then command by command when one of them can be; when the database does not answer, all get
`unavailable`. A REST command that would wait too long is refused at once; the command queues wait at the broker, by
their deadlines.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from itertools import groupby, islice

import asyncpg
import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Histogram
from synctalk_contracts.commands import MarkDelivered, MarkRead, MarkThreadRead, SendMessage
from synctalk_runtime.background import Loop
from synctalk_runtime.errors import AppError, InvalidError, NotFoundError, UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres, RaceError
from synctalk_runtime.telemetry import span

from synctalk_api.actions.backlog import Backlog, Submission
from synctalk_api.actions.changes import change
from synctalk_api.actions.commands import BatchResult, Command, CommandResult, EndedStream, Outcome, SayCustom
from synctalk_api.actions.custom_messages import say_custom
from synctalk_api.actions.live_texts import LiveTexts
from synctalk_api.actions.messages import send
from synctalk_api.actions.receipts import raise_watermarks
from synctalk_api.actions.threads import mark_threads_read
from synctalk_api.clients.fanout import Broadcast, Fanout
from synctalk_api.settings import Settings
from synctalk_api.store.stores import Store, Stores

log = structlog.get_logger()

BATCH = Histogram("api_write_batch_commands", "Commands in one batch.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256))
REFUSED = Counter("api_write_refused_total", "REST commands refused because they would have waited too long.", ["why"])
LATE = Counter("api_write_late_total", "Commands whose deadline had passed before they could be written.")
RETRIED = Counter("api_write_retried_total", "Transactions that were tried again.", ["why"])

Action = Callable[[Postgres, Sequence[Command]], Awaitable[BatchResult]]
"""One transaction for commands of one kind; a command that is refused has the error as its outcome."""

MARKS = (MarkDelivered, MarkRead, MarkThreadRead)
RACES = (asyncpg.UniqueViolationError, RaceError)
BAD_INPUT = (asyncpg.DataError, ValueError)

NO_PAUSE_FROM = 32
"""With so many commands waiting, a batch begins at once."""


STOP_TIMEOUT_S = 60.0
"""More than a full backlog takes: nothing that was accepted is given up while the database answers."""


class Writer:
    def __init__(self, stores: Stores, store: Store, settings: Settings, fanout: Fanout, live: LiveTexts) -> None:
        self._stores = stores
        self._store = store
        self.max_batch = settings.write_batch_commands
        """In one transaction; what is accepted together is never divided."""
        self._interval_s = settings.write_interval_s
        self._wait_max_s = settings.write_wait_max_s
        self._send = partial(send, stores=stores, live=live)
        self._change = partial(change, kinds_max=settings.reaction_kinds_max, live=live)
        self._live = live
        self._fanout = fanout
        self._backlog = Backlog(
            max_batch=self.max_batch,
            max_commands=settings.write_queue_commands,
            max_bytes=settings.write_queue_bytes,
            store=store.name,
        )
        self._batch_began_at = float("-inf")
        self._loop = Loop("writer", self._write_waiting, stop_s=STOP_TIMEOUT_S)

    async def start(self) -> None:
        await self._loop.start()

    async def stop(self) -> None:
        """Write what still waits. Nothing may be submitted any more."""
        await self._loop.stop()

    async def write(self, command: Command) -> CommandResult:
        """Write a command of REST and return its result after the commit.

        Raises the error with which it was refused, and UnavailableError at once when it would wait too long.
        """
        (outcome,) = await self.write_all([command])
        if isinstance(outcome, AppError):
            raise outcome
        return outcome

    async def write_all(self, commands: Sequence[Command]) -> Sequence[Outcome]:
        """Write commands of REST in this sequence, and return their outcomes after the commits.

        Raises UnavailableError at once when they would wait too long.
        """
        expected_s = self._backlog.expected_wait_s()
        if self._backlog.full or expected_s > self._wait_max_s:
            REFUSED.labels("full" if self._backlog.full else "slow").inc()
            raise UnavailableError(retry_after=round(max(1.0, expected_s), 1))
        outcomes: list[Outcome] = []
        for at in range(0, len(commands), self.max_batch):
            outcomes += await self._submit(commands[at : at + self.max_batch])
        return outcomes

    async def accept(self, commands: Sequence[Command]) -> asyncio.Future[Sequence[Outcome]]:
        """Accept the commands of a queue, in this sequence, and return the future of their outcomes.

        They are replied to after the commit. Waits while the backlog is full: the broker's queue is the buffer.
        """
        while self._backlog.full:
            await self._backlog.has_space.wait()
        return self._submit(commands)

    @property
    def full(self) -> bool:
        return self._backlog.full

    def refuse(self, commands: Sequence[Command], error: AppError | None = None) -> None:
        """Reply with an error to commands of a queue, by default with `unavailable`, after which clients try again."""
        broadcast = Broadcast()
        for command in commands:
            if command.reply_to is not None:
                broadcast.reply(command.reply_to, command.reply(error or UnavailableError()))
        self._fanout.publish(broadcast)

    def _submit(self, commands: Sequence[Command]) -> asyncio.Future[Sequence[Outcome]]:
        submission = self._backlog.add(commands)
        self._loop.wake()
        return submission.settled

    async def _write_waiting(self) -> None:
        while self._backlog:
            await self._await_min_interval()
            self._backlog.batch_began()
            await self._write_batch(self._backlog.take())
            self._backlog.batch_ended()

    async def _await_min_interval(self) -> None:
        """Wait until `write_interval_s` has passed since the last batch began."""
        # A commit costs about the same for one command as for eight: right after another one it waits for more.
        now = asyncio.get_running_loop().time()
        pause = self._batch_began_at + self._interval_s - now
        if pause > 0 and self._backlog.count < NO_PAUSE_FROM and not self._loop.stopping.is_set():
            await asyncio.sleep(pause)
        self._batch_began_at = asyncio.get_running_loop().time()

    async def _write_batch(self, submissions: list[Submission]) -> None:
        commands = [command for submission in submissions for command in submission.commands]
        BATCH.observe(len(commands))
        outcomes: list[Outcome] = [UnavailableError()] * len(commands)
        broadcast = Broadcast()
        try:
            with span(
                "api.write", parent=_sampled_traceparent(commands), kind=SpanKind.CONSUMER, commands=len(commands)
            ):
                for action, positions in self._runs(commands):
                    result = await self._write_run(action, [commands[n] for n in positions])
                    broadcast.extend(result.broadcast)
                    self._live.end(result.ended)
                    for n, outcome in zip(positions, result.outcomes, strict=True):
                        outcomes[n] = outcome
                await self._replace_moved(commands, outcomes)
        except Exception as error:  # the writer must outlive whatever one batch brings
            log.exception("write.failed", error=type(error).__name__, commands=len(commands))
        finally:
            self._publish_and_settle(submissions, outcomes, broadcast)

    async def _replace_moved(self, commands: Sequence[Command], outcomes: list[Outcome]) -> None:
        """Make what was not found here, because it has just been moved to another store, `unavailable`."""
        missing = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, NotFoundError)]
        if not missing or not self._stores.several:
            return
        try:
            moved = await self._stores.moved_away(self._store, {commands[n].payload.conversation_id for n in missing})
        except UnavailableError:  # then it is not known
            moved = {command.payload.conversation_id for command in commands}
        for n in missing:
            if commands[n].payload.conversation_id in moved:
                outcomes[n] = UnavailableError()

    def _publish_and_settle(self, submissions: list[Submission], outcomes: list[Outcome], broadcast: Broadcast) -> None:
        """Give the outcomes to those who submitted, publish replies and events, and wake the outbox."""
        left = iter(outcomes)
        for submission in submissions:
            settled = list(islice(left, len(submission.commands)))
            for command, outcome in zip(submission.commands, settled, strict=True):
                if command.reply_to is not None:
                    broadcast.reply(command.reply_to, command.reply(outcome))
            if not submission.settled.done():
                submission.settled.set_result(settled)
        self._fanout.publish(broadcast)
        self._store.relay.wake()

    def _runs(self, commands: list[Command]) -> Iterator[tuple[Action, list[int]]]:
        """Yield the positions of the commands that are written together, with the action that does it.

        Late commands are in no run: their outcome stays `unavailable`. Marks are the last run.
        """
        positions = _in_time(commands)
        marks = [n for n in positions if isinstance(commands[n].payload, MARKS)]
        if marks:
            positions = [n for n in positions if not isinstance(commands[n].payload, MARKS)]
        for action, run in groupby(positions, key=lambda n: self._action_of(commands[n])):
            yield action, list(run)
        in_threads = [n for n in marks if isinstance(commands[n].payload, MarkThreadRead)]
        if len(in_threads) < len(marks):
            yield raise_watermarks, [n for n in marks if n not in in_threads] if in_threads else marks
        if in_threads:
            yield mark_threads_read, in_threads

    def _action_of(self, command: Command) -> Action:
        if isinstance(command.payload, SendMessage):
            return self._send
        return say_custom if isinstance(command.payload, SayCustom) else self._change

    async def _write_run(self, action: Action, commands: Sequence[Command]) -> BatchResult:
        """Write the commands in one transaction, or each in its own when one of them may be the reason of a failure."""
        try:
            return await self._retry_race(action, commands)
        except UnavailableError:
            return BatchResult([UnavailableError()] * len(commands), Broadcast())
        except Exception as error:  # one command may be the reason: then it alone fails
            if len(commands) > 1:
                RETRIED.labels("apart").inc()
                return await self._write_apart(action, commands)
            log.exception("write.command_failed", error=type(error).__name__, type=commands[0].payload.type)
            return BatchResult([InvalidError() if isinstance(error, BAD_INPUT) else UnavailableError()], Broadcast())

    async def _write_apart(self, action: Action, commands: Sequence[Command]) -> BatchResult:
        outcomes: list[Outcome] = []
        broadcast = Broadcast()
        ended: list[EndedStream] = []
        for command in commands:
            result = await self._write_run(action, [command])
            outcomes += result.outcomes
            broadcast.extend(result.broadcast)
            ended += result.ended
        return BatchResult(outcomes, broadcast, ended)

    async def _retry_race(self, action: Action, commands: Sequence[Command]) -> BatchResult:
        """Write them; once more after a race. Raises what the second try raises."""
        try:
            return await action(self._store.writes, commands)
        except RACES as error:
            RETRIED.labels(type(error).__name__).inc()
            return await action(self._store.writes, commands)


def _in_time(commands: list[Command]) -> Sequence[int]:
    """Return the positions of those that are worth writing; the database decides again when it has locked the rows."""
    now = utc_now()
    in_time = [n for n, command in enumerate(commands) if command.deadline is None or command.deadline >= now]
    if len(in_time) < len(commands):
        LATE.inc(len(commands) - len(in_time))
    return in_time


def _sampled_traceparent(commands: list[Command]) -> str | None:
    """Return the context of the first sampled command: a batch has one span, in the trace of one of its commands."""
    return next((c.traceparent for c in commands if c.traceparent and c.traceparent.endswith("-01")), None)
