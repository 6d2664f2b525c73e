"""Misreadings of the design, each as a small change of the real code at run time: the histories must find them all.

Left out, since what they would break is not there yet: re-keyed topics, and event time.
"""

from asyncio import Event
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from inspect import getmodule
from random import Random
from typing import Any, Final
from unittest.mock import ANY

import msgspec

from audience_sync import assembly
from audience_sync.chat_api import errors
from audience_sync.chat_api.calls import refusals
from audience_sync.core import batches, hold
from audience_sync.core.changes import Change, Endpoint, Part, Request, UserId
from audience_sync.core.confirmations import Confirmations
from audience_sync.core.debouncer import Debouncer
from audience_sync.core.doubt import Doubt
from audience_sync.core.folding import Folded
from audience_sync.core.guard import Guard
from audience_sync.core.hold import Note, Start
from audience_sync.core.ledger import Ledger, Mark
from audience_sync.core.limits import USERS_PER_REQUEST
from audience_sync.core.ownership import Commit, Ownership, Partition, PartitionKey
from audience_sync.core.pace import Call, Pace
from audience_sync.core.rules import Rules
from audience_sync.core.shares import Shares
from audience_sync.core.tenure import Tenure
from audience_sync.core.user_state import Round, User
from audience_sync.core.verdicts import Outcome, Refusal, Verdict
from audience_sync.delivery.loop import Delivery
from audience_sync.delivery.settling import Settling
from audience_sync.events import positions
from audience_sync.events.burial import Burial
from audience_sync.events.consumer import Consumer
from audience_sync.events.dead_letters import DeadLetter, DeadLetters
from audience_sync.events.intake import Intake, Record
from audience_sync.events.positions import Positions
from audience_sync.rules.file import parse_rules
from audience_sync.service import Service
from audience_sync.settings import Settings
from tests.simulation import chat, courses, drawing, events, service
from tests.simulation.courses import Course, CourseName
from tests.simulation.plan import Knobs, Replace
from tests.simulation.service import _OUTSIDE

SESSION_SECONDS: Final = 45.0
"""What a session is in many a Kafka: far longer than what a lease is here."""


class Mutation(msgspec.Struct, frozen=True):
    """One misreading. breaks: the promises that it may break; one of them is to be found.

    course: the kind of history that it is looked for in, where others would seldom show it; None: any.
    """

    name: str
    breaks: tuple[str, ...]
    what: str
    course: CourseName | None
    applied: Callable[[], AbstractContextManager[None]]

    @property
    def promise(self) -> str:
        """The promises in short."""
        return "/".join(self.breaks)


MUTATIONS: Final[list[Mutation]] = []


def named(name: str) -> Mutation:
    """The mutation of that name."""
    return next(mutation for mutation in MUTATIONS if mutation.name == name)


def _breaks(
    *promises: str, course: CourseName | None = None
) -> Callable[[Callable[[], Iterator[None]]], Callable[[], Iterator[None]]]:
    def keep(function: Callable[[], Iterator[None]]) -> Callable[[], Iterator[None]]:
        what = (function.__doc__ or "").splitlines()[0]
        name = function.__name__.strip("_")
        MUTATIONS.append(Mutation(name, promises, what, course, contextmanager(function)))
        return function

    return keep


@contextmanager
def _replaced(target: object, **attributes: object) -> Iterator[None]:
    """Meanwhile *target* has other attributes. AttributeError for one that it does not have."""
    originals = {name: vars(target)[name] for name in attributes}
    for name, value in attributes.items():
        setattr(target, name, value)
    try:
        yield
    finally:
        for name, value in originals.items():
            setattr(target, name, value)


# The lease


@_breaks("P2", "P10", course=CourseName.TAKEOVER)
def sends_without_a_lease() -> Iterator[None]:
    """Nobody looks whether the partitions are certainly ours: who was frozen or cut off goes on sending."""
    with _replaced(Ownership, lease_valid=lambda self, _: not self.closing and self._lease_from is not None):
        yield


@_breaks("P2", "P10", course=CourseName.TAKEOVER)
def lease_as_long_as_the_session() -> Iterator[None]:
    """The lease lasts as long as the session, and the request that it lets out lasts beyond."""

    def lease_valid(self: Any, now: float) -> bool:
        seconds = self._bounds.lease_seconds + self._bounds.request_timeout_seconds
        return not self.closing and self._lease_from is not None and now < self._lease_from + seconds

    with _replaced(Ownership, lease_valid=lease_valid):
        yield


@_breaks("P2", "P10", course=CourseName.TAKEOVER)
def lease_of_a_third_of_the_session() -> Iterator[None]:
    """The lease is a part of the session, however long that is; those who take over wait for a shorter one."""

    def drawn(name: CourseName | None, chance: Random, knobs: Knobs) -> Course:
        course = original(name, chance, knobs)
        quiet = chance.uniform(8.0, 14.0)
        return msgspec.structs.replace(
            course,
            knobs=msgspec.structs.replace(
                course.knobs, session=SESSION_SECONDS, quiet=quiet, longest_wait=quiet
            ),
            faults=[
                (at, Replace(fault.process, SESSION_SECONDS) if isinstance(fault, Replace) else fault)
                for at, fault in course.faults
            ],
        )

    def lease_valid(self: Any, now: float) -> bool:
        return (
            not self.closing and self._lease_from is not None and now < self._lease_from + SESSION_SECONDS / 3
        )

    original = courses.drawn
    with _replaced(drawing, drawn=drawn), _replaced(Ownership, lease_valid=lease_valid):
        yield


# The note and the hold


@_breaks("P2", "P10")
def clean_on_the_commit_of_a_timer() -> Iterator[None]:
    """A commit says "clean" because nothing is in flight at the moment, and its owner goes on sending."""
    original = Ownership.commit

    def commit(self: Any, now: float, *, last: bool = False) -> Commit:
        made = original(self, now, last=last)
        entries = {key: (at, Note(note.sent_below, clean=True)) for key, (at, note) in made.entries.items()}
        return Commit(entries, made.opens)

    with _replaced(Ownership, commit=commit):
        yield


@_breaks("P2", "P10", course=CourseName.HANDOVER)
def clean_whatever_the_api_may_still_do() -> Iterator[None]:
    """A last commit says "clean" also right after a request that ended ambiguously."""
    with _replaced(Ownership, ambiguous=lambda *_: None):
        yield


@_breaks("P10", "P2", course=CourseName.HANDOVER)
def forgets_the_target_during_the_hold() -> Iterator[None]:
    """A commit during the hold notes what it has read itself, instead of the note that was found."""
    original = Ownership.commit

    def commit(self: Any, now: float, *, last: bool = False) -> Commit:
        made = original(self, now, last=last)
        entries = dict(made.entries)
        for key, (position, _) in made.entries.items():
            if key.number not in self._open and key.number not in made.opens:
                read = self.partitions[key].ledger.read_position
                entries[key] = (position, Note(sent_below=read, clean=False))
        return Commit(entries, made.opens)

    with _replaced(Ownership, commit=commit):
        yield


@_breaks("P10")
def skips_the_hold() -> Iterator[None]:
    """What is read again is sent as it is read."""
    original = hold.start_from

    def start_from(**given: Any) -> Start:
        return msgspec.structs.replace(start := original(**given), target=start.position)

    with _replaced(positions, start_from=start_from):
        yield


@_breaks("P10", course=CourseName.HANDOVER)
def ends_the_hold_by_time() -> Iterator[None]:
    """The hold ends when its wait is over, however much of the log is not read yet."""
    with _replaced(Partition, reached_its_target=property(lambda _: True)):
        yield


@_breaks("P2", "P10", course=CourseName.TAKEOVER)
def waits_three_seconds_less_after_an_unclean_owner() -> Iterator[None]:
    """The server's own time-out is not waited for: a dead owner's last request is applied after the next one's."""
    original = Ownership.__init__

    def begin(self: Any, **given: Any) -> None:
        original(self, **given)
        waits = {number for number, at in self._may_open_at.items() if at > given["now"]}
        for number in waits:
            self._may_open_at[number] -= 3.0

    with _replaced(Ownership, __init__=begin):
        yield


@_breaks("P2", "P10")
def begins_at_once_after_an_unclean_owner() -> Iterator[None]:
    """Whoever takes over does not wait for the last owner's requests, only for what is to be read."""
    original = Ownership.__init__

    def begin(self: Any, **given: Any) -> None:
        original(self, **given)
        self._may_open_at = dict.fromkeys(self._may_open_at, given["now"])

    with _replaced(Ownership, __init__=begin):
        yield


@_breaks("P2", "P10", course=CourseName.HANDOVER)
def waits_only_after_a_static_member() -> Iterator[None]:
    """Who takes over from a dynamic member does not wait: his session has run out, but not the server's work."""

    def stream_options(kafka: Any) -> Any:
        is_static.set(kafka.instance_id is not None)
        return options_of(kafka)

    def begin(self: Any, **given: Any) -> None:
        original(self, **given)
        if not is_static.get():
            self._may_open_at = dict.fromkeys(self._may_open_at, given["now"])

    is_static: ContextVar[bool] = ContextVar("is_static")
    original, options_of = Ownership.__init__, assembly._stream_options
    with _replaced(Ownership, __init__=begin), _replaced(assembly, _stream_options=stream_options):
        yield


@_breaks("P2", "P10", course=CourseName.GROWTH)
def sends_for_numbers_that_not_every_topic_has() -> Iterator[None]:
    """While one topic has grown and the other has not, one number belongs to two replicas, and both send for it."""
    original = Ownership.__init__

    def begin(self: Any, **given: Any) -> None:
        original(self, **given)
        self._may_open_at = {number: self._may_open_at.get(number, given["now"]) for number in self._numbers}

    with _replaced(Ownership, __init__=begin):
        yield


# The bounds


def _readable(self: Any, key: PartitionKey, *, full: bool) -> int | None:
    """What all readings agree on; None where they part."""
    if key.number not in self._may_open_at or (full and key.number in self._open):
        return int(self.partitions[key].ledger.read_position)
    return None


@_breaks("END")
def pauses_below_the_target() -> Iterator[None]:
    """The bound on waiting users stops a partition that is still held: the hold can never end."""

    def readable_below(self: Any, key: PartitionKey, *, full: bool) -> int:
        return int(self.partitions[key].ledger.read_position) if full else original(self, key, full=full)

    original = Ownership.readable_below
    with _replaced(Ownership, readable_below=readable_below):
        yield


@_breaks("P7", "P10")
def counts_the_bound_over_the_whole_replica() -> Iterator[None]:
    """Records are counted over all partitions together, so one partition may run ahead of its own bound."""

    def readable_below(self: Any, key: PartitionKey, *, full: bool) -> int:
        if (agreed := _readable(self, key, full=full)) is not None:
            return agreed
        if key.number not in self._open:
            return int(self.partitions[key].start.target)
        bound = self._bounds.max_unsettled_records * len(self.partitions)
        unsettled = sum(p.ledger.read_position - p.ledger.settled_position for p in self.partitions.values())
        return int(self.partitions[key].ledger.read_position + max(0, bound - unsettled))

    with _replaced(Ownership, readable_below=readable_below):
        yield


@_breaks("P7", "P10")
def lets_a_batch_overshoot() -> Iterator[None]:
    """The bound is looked at once a batch: all of it is taken in if its first record may be."""
    original = Ownership.readable_below

    def readable_below(self: Any, key: PartitionKey, *, full: bool) -> int:
        below, read = original(self, key, full=full), self.partitions[key].ledger.read_position
        return below if below <= read or key.number not in self._open else below + 1_000

    with _replaced(Ownership, readable_below=readable_below):
        yield


@_breaks("P10")
def takes_in_what_no_commit_has_reserved() -> Iterator[None]:
    """Only the bound counts, and not what an accepted commit has noted: it is sent, and nobody will know."""

    def readable_below(self: Any, key: PartitionKey, *, full: bool) -> int:
        if (agreed := _readable(self, key, full=full)) is not None:
            return agreed
        partition = self.partitions[key]
        if key.number not in self._open:
            return int(partition.start.target)
        return int(partition.ledger.settled_position + self._bounds.max_unsettled_records)

    with _replaced(Ownership, readable_below=readable_below):
        yield


@_breaks("P7")
def lets_any_number_of_users_wait() -> Iterator[None]:
    """The bound on waiting users is not looked at."""
    with _replaced(Intake, full=lambda self, _: self._stopped()):
        yield


# Time


@_breaks("P6", course=CourseName.CALM)
def forgets_the_longest_wait() -> Iterator[None]:
    """Who never goes quiet is never sent, while he goes on."""

    def ready_at(self: Any, quiet_seconds: float, _: float) -> float:
        return float(self.not_before if self.urgent else max(self.last_at + quiet_seconds, self.not_before))

    with _replaced(User, ready_at=ready_at):
        yield


@_breaks("P6", course=CourseName.CALM)
def waits_for_more_users_than_come() -> Iterator[None]:
    """A request that is not full waits for seconds, and not for the fill time."""
    original = batches.ReadyUsers.worth_cutting_at

    def worth_cutting_at(self: Any, endpoint: Endpoint) -> float | None:
        at = original(self, endpoint)
        return at if at is None or self.waiting(endpoint) >= USERS_PER_REQUEST else at + 5.0

    with _replaced(batches.ReadyUsers, worth_cutting_at=worth_cutting_at):
        yield


@_breaks("P6", course=CourseName.CALM)
def wakes_with_the_next_event() -> Iterator[None]:
    """No clock wakes the delivery: what is ready waits until something comes."""
    original, nothing = Consumer.commit, Event()

    async def sleep(self: Any, _: float) -> None:
        await self._wake.wait()

    async def commit(self: Any, tenure: Tenure, *, last: bool = False) -> bool:
        held = tenure.ownership.held_numbers
        nudge, self._nudge = self._nudge, nothing.set
        try:
            return await original(self, tenure, last=last)
        finally:
            self._nudge = nudge
            if held:
                nudge()

    with _replaced(Delivery, _sleep=sleep), _replaced(Consumer, commit=commit):
        yield


@_breaks("END", "P2", "P10")
def obeys_whoever_corrects_the_clock() -> Iterator[None]:
    """Moments are read from the wall clock, so leases and quiet times jump with it."""
    with _replaced(assembly.Clock, __call__=lambda _: vars(assembly)["time"].time()):
        yield


# Secrets


@_breaks("P8")
def logs_its_settings_in_plain() -> Iterator[None]:
    """What is in effect is logged at the start, and the key with it."""
    original = assembly.assemble

    def assemble(settings: Settings, rules: Rules) -> Service:
        made = original(settings, rules)
        key = settings.chat.signing_key
        made._log.info("configured", signing_key=key and key.get_secret_value())
        return made

    with _replaced(assembly, assemble=assemble):
        yield


# Positions


@_breaks("P1")
def commits_one_too_far() -> Iterator[None]:
    """A position is taken for that of the last record done, not of the next one to read."""

    def settled_position(self: Any) -> int:
        oldest = self._oldest()
        return int(self.read_position if oldest is None else oldest.position + 1)

    with _replaced(Ledger, settled_position=property(settled_position)):
        yield


@_breaks("P1")
def commits_what_was_read() -> Iterator[None]:
    """Positions go out on the timer, settled or not."""
    with _replaced(Ledger, settled_position=property(lambda self: self.read_position)):
        yield


@_breaks("P1")
def settles_a_round_with_its_first_part() -> Iterator[None]:
    """A user's marks are settled by the first request that carries something of his."""
    original = User.settled

    def settled(self: Any) -> Round | None:
        for mark in self.round.marks:
            mark.settle()
        return original(self)

    with _replaced(User, settled=settled):
        yield


@_breaks("END")
def does_not_follow_the_consumer_past_gaps() -> Iterator[None]:
    """Transaction markers hold a position back, since nobody ever hands them out."""
    with _replaced(Consumer, _follow_the_consumer=lambda *_: None):
        yield


@_breaks("P10", "P2", course=CourseName.RELAY)
def commits_as_nobody_while_the_group_is_empty() -> Iterator[None]:
    """Who was put out of the group commits once more, without a generation, over what another owner has committed."""
    with _replaced(Positions, _membership=property(lambda _: None)):
        yield


@_breaks("P1")
def begins_at_the_latest_record() -> Iterator[None]:
    """A partition without a commit is read from its end, as libraries do by default."""
    original = hold.start_from

    def start_from(**given: Any) -> Start:
        if given["committed"] is None:
            return Start(given["end"], given["end"], None, clean=True)
        return original(**given)

    with _replaced(positions, start_from=start_from):
        yield


@_breaks("P1", "P10")
def reads_what_a_transaction_may_take_back() -> Iterator[None]:
    """The isolation level is the library's default."""
    original = assembly._stream_options

    def stream_options(kafka: Any) -> Any:
        return msgspec.structs.replace(original(kafka), isolation_level="read_uncommitted")

    with _replaced(assembly, _stream_options=stream_options):
        yield


@_breaks("P1", "END")
def loses_a_poll_that_fails() -> Iterator[None]:
    """After a poll that failed, reading goes on where the library stands."""
    with _replaced(Positions, guard_polls=lambda *_: None):
        yield


@_breaks("P1", "P10", "ERROR")
def keeps_records_of_a_former_assignment() -> Iterator[None]:
    """What waited for room when the partitions went away is taken in when they are back."""

    async def end_tenure(self: Any) -> None:
        rests = {key: list(records) for key, records in self._rests.items()}
        await original(self)
        self._rests.update(rests)

    original = Consumer.end_tenure
    with _replaced(Consumer, end_tenure=end_tenure):
        yield


# Users and requests


@_breaks("P1")
def forgets_what_arrived_during_a_request() -> Iterator[None]:
    """A confirmation settles all that is known of the user, also what came after the request was cut."""
    original = User.settled

    def settled(self: Any) -> Round | None:
        ended = original(self)
        if ended is not None:
            for mark in self.marks:
                mark.settle()
            self.waiting, self.marks = [], ()
        return ended

    with _replaced(User, settled=settled):
        yield


@_breaks("P10", "P1")
def folds_what_comes_back_over_what_arrived() -> Iterator[None]:
    """What was not confirmed has the last word over what has come since."""
    original = Folded.fold_under

    def fold_under(self: Any, earlier: Folded) -> None:
        above = Folded()
        above.removes_all_tags, above.tags = earlier.removes_all_tags, dict(earlier.tags)
        above.attributes = dict(earlier.attributes)
        original(above, self)
        self.removes_all_tags, self.tags = above.removes_all_tags, above.tags
        self.attributes = above.attributes

    with _replaced(Folded, fold_under=fold_under):
        yield


@_breaks("P2", "P10")
def takes_no_answer_for_a_definite_one() -> Iterator[None]:
    """HTTP 5xx, time-outs and internal errors are taken to mean that nothing was applied."""
    with _replaced(errors.TryAgain, ambiguous=False):
        yield


@_breaks("P2", "P10")
def sends_again_at_once_after_no_answer() -> Iterator[None]:
    """Users come back at once, while the API may still be applying the request before."""
    with _replaced(Verdict, not_before=lambda _, now: now):
        yield


@_breaks("P2", "P10")
def hands_over_with_requests_under_way() -> Iterator[None]:
    """A revocation does not wait for what is in flight."""

    async def end(self: Any, tenure: Tenure) -> None:
        tenure.ownership.closing = True
        self._tenure = None

    with _replaced(Delivery, end=end):
        yield


@_breaks("P1")
def drops_the_rest_of_a_refused_request() -> Iterator[None]:
    """A request that is refused as a whole is over, also for those with whom nothing is wrong."""

    def narrow(self: Any, tenure: Tenure, request: Request, *_: object) -> None:
        self._settled(tenure, request.parts, self._clock())

    with _replaced(Settling, _narrow=narrow):
        yield


@_breaks("P1")
def does_not_read_the_error_list() -> Iterator[None]:
    """Code 0 is taken for everybody's confirmation, whoever is named beside it."""

    def without_the_list(name: str, users: Collection[UserId], answer: Any) -> dict[UserId, Refusal]:
        return refusals(name, users, msgspec.structs.replace(answer, named=None))

    with _replaced(chat, refusals=without_the_list):
        yield


@_breaks("P1", "P10")
def removes_all_tags_from_another_topic() -> Iterator[None]:
    """The rules' check is off: tags are added from one topic and all removed from another, in no order."""
    service.rules_of.cache_clear()
    with (
        _replaced(getmodule(parse_rules), between_rules=lambda *_: []),
        _replaced(service, topic_of=events.topic_of_the_first),
        _replaced(drawing, topic_of=events.topic_of_the_first),
    ):
        yield
    service.rules_of.cache_clear()


# Repeats that change nothing


@_breaks("P1")
def skips_a_repeat_on_arrival() -> Iterator[None]:
    """A change that says what was confirmed is dropped as it comes, though something else waits or is under way."""
    original = Debouncer.add

    def add(
        self: Any,
        user_id: UserId,
        changes: Sequence[Change],
        ledger: Ledger,
        position: int,
        at: float,
        now: float,
        urgent: bool = False,
    ) -> None:
        folded = Folded()
        for change in changes:
            folded.fold(change)
        self._confirmations.skip(user_id, folded, now)
        if folded:
            original(self, user_id, changes, ledger, position, at, now, urgent)

    with _replaced(Debouncer, add=add):
        yield


@_breaks("P1")
def skips_what_nobody_has_confirmed() -> Iterator[None]:
    """A change counts as known when its request leaves, however that ends."""
    original = Confirmations.cut

    def cut(self: Any, user_id: UserId, endpoint: Endpoint, part: Part) -> None:
        original(self, user_id, endpoint, part)
        self.confirmed(user_id, endpoint, part, _OUTSIDE.get().clock())

    with _replaced(Confirmations, cut=cut):
        yield


@_breaks("P1")
def knows_what_is_under_way() -> Iterator[None]:
    """What was confirmed before counts also while a request with another word on it is under way, or has failed."""
    with _replaced(Confirmations, cut=lambda *_: None):
        yield


@_breaks("P1", "P10", course=CourseName.RELAY)
def knows_users_over_a_revocation() -> Iterator[None]:
    """What was confirmed to this replica counts again when it gets its partitions back from another one."""
    original = Tenure.__init__

    def begin(self: Any, *given: Any) -> None:
        original(self, *given)
        kept = vars(_OUTSIDE.get()).setdefault("known", self.debouncer._confirmations)
        self.debouncer._confirmations = kept

    with _replaced(Tenure, __init__=begin):
        yield


# Dead letters


def _everybody(_: object, request: Request, *__: object) -> dict[UserId, Any]:
    return dict.fromkeys(request.parts, ANY)  # whatever the code


@_breaks("P3", "P4")
def gives_up_everybody_in_a_refused_request() -> Iterator[None]:
    """Nobody looks who of a refused request is meant."""
    original = Settling.settle

    def settle(self: Any, tenure: Tenure, request: Request, verdict: Verdict, *rest: Any) -> Any:
        if verdict.outcome is Outcome.REFUSED:
            refusal = Refusal(verdict.code, verdict.reason, again=False)
            refused = dict.fromkeys(request.parts, refusal)
            verdict = msgspec.structs.replace(verdict, outcome=Outcome.CONFIRMED, refused=refused)
        return original(self, tenure, request, verdict, *rest)

    with _replaced(Settling, settle=settle), _replaced(Doubt, proven=_everybody):
        yield


@_breaks("P4", "P3")
def takes_a_failure_of_the_whole_for_the_users() -> Iterator[None]:
    """A code that says "the feature is off" is treated like one that says "no such user"."""
    original = errors.error_class

    def error_class(code: int) -> type[errors.ChatApiError]:
        error = original(code)
        return errors.Refused if issubclass(error, errors.NotAllowed) else error

    with (
        _replaced(getmodule(refusals), error_class=error_class),
        _replaced(Doubt, proven=_everybody),
    ):
        yield


@_breaks("P4", "P3")
def gives_up_who_is_refused_alone() -> Iterator[None]:
    """A user who is refused while alone is at fault; nobody asks whether the endpoint works for others."""
    with _replaced(Doubt, proven=_everybody):
        yield


@_breaks("P1")
def settles_before_the_dead_letter_is_there() -> Iterator[None]:
    """A dead letter counts as written when it is handed over, not when the broker has acknowledged it."""
    original = DeadLetters.bury

    def bury(self: Any, key: bytes | None, letter: DeadLetter, then: Callable[[], None]) -> None:
        then()
        original(self, key, letter, lambda: None)

    with _replaced(DeadLetters, bury=bury):
        yield


@_breaks("P1")
def keeps_no_record_that_can_not_be_used() -> Iterator[None]:
    """What no rule can use is skipped."""

    def unusable(self: Any, _key: PartitionKey, _record: Record, _event: object, mark: Mark) -> None:
        mark.settle()
        self._settled()

    with _replaced(Burial, unusable=unusable):
        yield


@_breaks("P4", course=CourseName.FLOOD)
def lets_a_flood_through() -> Iterator[None]:
    """Nobody counts what goes to the dead letters: a stream whose format has changed is drained into them."""
    with _replaced(Guard, may_bury=lambda *_: True):
        yield


# The pace


@_breaks("P5")
def takes_the_whole_pace_in_each_replica() -> Iterator[None]:
    """The limit is not shared out."""
    with _replaced(Shares, of=lambda *_: 1.0):
        yield


@_breaks("P5")
def sends_as_fast_as_users_are_ready() -> Iterator[None]:
    """Only requests in flight are counted, and not how many begin in a second."""

    def start(self: Any, now: float) -> Call:
        self._in_flight += 1
        return Call(now)

    with _replaced(Pace, start=start):
        yield


@_breaks("P5")
def names_more_users_than_a_request_takes() -> Iterator[None]:
    """A request is cut from all who are ready."""
    original = batches._oldest

    def oldest(queue: Any, most: int) -> list[UserId]:
        return original(queue, len(queue) if most == USERS_PER_REQUEST else most)

    with _replaced(batches, _oldest=oldest):
        yield


@_breaks("P5")
def forgets_the_limit_of_the_whole_app() -> Iterator[None]:
    """Each endpoint keeps its own limit, and all of them together pass the app's."""
    original = Delivery.__init__

    def begin(self: Any, **parts: Any) -> None:
        original(self, **{**parts, "pace_of_all": None})

    with _replaced(Delivery, __init__=begin):
        yield


@_breaks("P5")
def takes_the_whole_limit_of_the_app_in_each_replica() -> Iterator[None]:
    """The endpoints' limits are shared out, and the app's is not."""
    original = Delivery.begin

    def begin(self: Any, tenure: Tenure, *, share: float, share_of_all: float = 1.0) -> None:
        original(self, tenure, share=share, share_of_all=max(1.0, share_of_all))

    with _replaced(Delivery, begin=begin):
        yield
