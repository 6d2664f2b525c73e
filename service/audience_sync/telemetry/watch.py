"""What happened becomes counts and log lines."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Final

import structlog

from audience_sync.core.changes import (
    AddTag,
    Change,
    Endpoint,
    RemoveAllTags,
    RemoveAttribute,
    RemoveTag,
    Request,
    SetAttribute,
    UserId,
)
from audience_sync.core.event import Translated, TranslatedMany, Unusable
from audience_sync.core.limits import USERS_PER_REQUEST
from audience_sync.core.ownership import Ownership, PartitionKey
from audience_sync.core.rules import Rules
from audience_sync.core.user_state import Round
from audience_sync.core.verdicts import Refusal, Verdict
from audience_sync.telemetry.metrics import (
    ChangeKind,
    Credential,
    EventOutcome,
    FetchOutcome,
    Metrics,
    PartOutcome,
    Readiness,
    ReloadOutcome,
)

LINES_OF_A_KIND: Final = 20
"""Of what may come with each record, so many lines are written, then one a thousand: metrics have them all."""

_KINDS: Final[dict[type[Change], ChangeKind]] = {
    SetAttribute: ChangeKind.SET_ATTRIBUTE,
    RemoveAttribute: ChangeKind.REMOVE_ATTRIBUTE,
    AddTag: ChangeKind.ADD_TAG,
    RemoveTag: ChangeKind.REMOVE_TAG,
    RemoveAllTags: ChangeKind.REMOVE_ALL_TAGS,
}

_CHANGES: Final = attrgetter("changes")


class Watch:
    """Counts on the metrics, and writes lines; every part of the service tells it what it did."""

    def __init__(self, metrics: Metrics, log: structlog.stdlib.BoundLogger) -> None:
        self._metrics = metrics
        self._log = log
        self._told: Counter[str] = Counter()
        self._changes = {type_: metrics.changes.labels(kind) for type_, kind in _KINDS.items()}

    # before anything is read

    def preflight(self, warning: str) -> None:
        """Something about the topics that a person should know; the work can begin."""
        self._log.warning("preflight", text=warning)

    def foreign_keys_in_sample(self, topic: str, *, records: int, foreign: int) -> None:
        """Of so many records looked at, some have a key that is not their user."""
        self._log.warning(
            "foreign_keys_in_sample",
            topic=topic,
            records=records,
            with_other_key=foreign,
            way_out="key the topic by the rule's user, or the order of his changes is not certain",
        )

    def attribute_names_unknown(self, reason: str, *, by_itself: bool) -> None:
        """The API does not tell or take the app's attribute names now; it is asked again."""
        if by_itself:
            self._log.warning("attribute_names_unknown", reason=reason)
        else:
            self._log.error("attribute_names_refused", reason=reason)

    def attribute_names_added(self, names: Mapping[int, str]) -> None:
        """The rules write attributes that the app did not have; they stand in these slots now."""
        self._log.info("attribute_names_added", names={str(slot): name for slot, name in names.items()})

    # the rules file

    def rules_taken(self, rules: Rules) -> None:
        """The file has changed, and its rules apply from the next record on."""
        self._metrics.rules_reloads.labels(ReloadOutcome.TAKEN).inc()
        self._metrics.rules_outdated.set(0)
        self._log.info("rules_taken", rules=[rule.name for rule in rules.rules])

    def rules_refused(self, problems: list[str]) -> None:
        """The file has changed and can't be used; the rules before it go on applying."""
        self._metrics.rules_reloads.labels(ReloadOutcome.REFUSED).inc()
        self._metrics.rules_outdated.set(1)
        self._log.error(
            "rules_refused", problems=problems, way_out="correct the file; until then the old rules apply"
        )

    def rules_unchanged(self) -> None:
        """The file is again what applies."""
        self._metrics.rules_outdated.set(0)
        self._log.info("rules_unchanged")

    # secrets and certificates

    def credential_taken(self, credential: Credential) -> None:
        """Its files have changed, and what is in them applies from now on."""
        self._metrics.rotations.labels(credential, ReloadOutcome.TAKEN).inc()
        self._metrics.credentials_outdated.labels(credential).set(0)
        self._log.info("credential_taken", credential=credential)

    def credential_refused(self, credential: Credential, reason: str) -> None:
        """Its files have changed and can't be used; what was in them before goes on applying."""
        self._metrics.rotations.labels(credential, ReloadOutcome.REFUSED).inc()
        self._metrics.credentials_outdated.labels(credential).set(1)
        self._log.error(
            "credential_refused",
            credential=credential,
            reason=reason,
            way_out="correct the files; until then the old one applies, and a restart would fail",
        )

    def credential_unchanged(self, credential: Credential) -> None:
        """Its files are again what applies."""
        self._metrics.credentials_outdated.labels(credential).set(0)
        self._log.info("credential_unchanged", credential=credential)

    # the way in

    def translated(self, topic: str, events: Sequence[Translated | TranslatedMany]) -> None:
        """Events have caused changes, each of one user or of several."""
        self._metrics.events.labels(topic, EventOutcome.TRANSLATED).inc(len(events))
        kinds = Counter(map(type, chain.from_iterable(map(_CHANGES, events))))  # no step of it is Python's
        for kind, count in kinds.items():
            self._changes[kind].inc(count)

    def late(self, topic: str, changes: int) -> None:
        """So many changes of an event are not applied: a later event has spoken on the same before."""
        self._metrics.late_changes.labels(topic).inc(changes)

    def ignored(self, topic: str, events: int) -> None:
        """So many events cause nothing, as the rules say."""
        self._metrics.events.labels(topic, EventOutcome.IGNORED).inc(events)

    def unusable(self, topic: str, event: Unusable) -> None:
        """A record goes to the dead letters."""
        self._metrics.events.labels(topic, EventOutcome.UNUSABLE).inc()
        self._log.debug("unusable", topic=topic, cause=event.cause)

    def too_many_dead_letters(self, reason: str) -> None:
        """Reading stops, for something on the whole must be wrong."""
        self._log.error("too_many_dead_letters", reason=reason, kept="everything; looked at again by itself")

    def foreign_key(self, topic: str, user_id: UserId) -> None:
        """A record's key is not its user: the order of his changes is not certain."""
        self._metrics.foreign_keys.labels(topic).inc()
        if self._worth_a_line("foreign_key"):
            self._log.warning("foreign_key", topic=topic, way_out="key the topic by the rule's user")
            self._log.debug("foreign_key_user", topic=topic, user=user_id)

    # schemas

    def schemas_wanted(self, count: int) -> None:
        """Records wait for so many schemas."""
        self._metrics.wanted_schemas.set(count)

    def schema_fetched(self, schema_id: int, kind: str) -> None:
        """A schema is there."""
        self._metrics.schema_fetches.labels(FetchOutcome.FETCHED).inc()
        self._log.info("schema_fetched", schema=schema_id, kind=kind)

    def schema_unusable(self, schema_id: int, why: str) -> None:
        """The registry has no such schema, or nothing can be read by it: records of it go to the dead letters."""
        self._metrics.schema_fetches.labels(FetchOutcome.UNUSABLE).inc()
        if self._worth_a_line("schema_unusable"):
            self._log.error("schema_unusable", schema=schema_id, reason=why)

    def schema_not_fetched(self, schema_id: int, error: str) -> None:
        """The registry did not answer; it is asked again, and records wait."""
        self._metrics.schema_fetches.labels(FetchOutcome.FAILED).inc()
        self._log.warning(
            "schema_not_fetched",
            schema=schema_id,
            error=error,
            kept="records that need it wait; it is asked again",
        )

    # positions and assignments

    def committed(self) -> None:
        """The broker has accepted a commit."""
        self._metrics.commits.inc()

    def not_committed(self, error: str) -> None:
        """The broker has not accepted a commit, or not said so in time."""
        self._metrics.commit_failures.inc()
        self._log.warning("commit_failed", error=error)

    def rekeyed(self, topic: str, *, events: int, copies: int) -> None:
        """So many events of *topic* were copied for so many users."""
        self._metrics.events.labels(topic, EventOutcome.TRANSLATED).inc(events)
        self._metrics.rekeyed_copies.labels(topic).inc(copies)

    def rekeying_failed(self, error: str) -> None:
        """Something of the copying has to be done again, and is."""
        self._metrics.rekeying_failures.inc()
        if self._worth_a_line("rekeying_failed"):
            self._log.warning("rekeying_failed", error=error)

    def records_lost(self, key: PartitionKey, *, committed: int, beginning: int) -> None:
        """Retention has deleted records before they were read."""
        self._metrics.lost_records.inc(beginning - committed)
        self._log.error(
            "records_lost_to_retention",
            topic=key.topic,
            partition=key.number,
            first_lost=committed,
            last_lost=beginning - 1,
            way_out="let the topic keep records longer than the service may be behind",
        )

    def made_anew(self, key: PartitionKey, *, committed: int, end: int) -> None:
        """The partition ends below what was committed: it is read from its beginning."""
        self._log.warning(
            "partition_made_anew", topic=key.topic, partition=key.number, committed=committed, end=end
        )

    def assigned(self, ownership: Ownership) -> None:
        """Partitions are ours, and where each is read from is known."""
        self._metrics.assignments.inc()
        self._log.info(
            "assigned",
            epoch=ownership.epoch,
            partitions=len(ownership.partitions),
            to_read_again=sum(
                partition.start.target - partition.start.position
                for partition in ownership.partitions.values()
            ),
            after_unclean_end=any(not partition.start.clean for partition in ownership.partitions.values()),
        )
        if ownership.incomplete_numbers:
            self._log.error(
                "partitions_incomplete",
                numbers=ownership.incomplete_numbers,
                way_out="give all topics of the rules the same number of partitions",
            )

    def revoked(self, ownership: Ownership, *, committed: bool) -> None:
        """They no longer are."""
        self._log.info("revoked", epoch=ownership.epoch, committed=committed)

    def start_unknown(self, error: str) -> None:
        """The broker did not say where to start; it is asked again."""
        self._log.warning("start_positions_unknown", error=error)

    # requests

    def request_cut(self, request: Request, *, ready: int) -> None:
        """A request leaves; *ready* users were ready for it."""
        readiness = Readiness.MANY if ready >= USERS_PER_REQUEST else Readiness.FEW
        self._metrics.users_per_request.labels(readiness).observe(len(request.parts))
        whole_parts = request.endpoint is Endpoint.REMOVE_ALL_TAGS
        self._metrics.sent_changes.inc(
            len(request.parts) if whole_parts else sum(map(len, request.parts.values()))
        )

    def repeats_skipped(self, changes: int) -> None:
        """So many changes repeat what was confirmed, and were settled without a request."""
        self._metrics.skipped_changes.inc(changes)

    def request_ended(self, request: Request, verdict: Verdict, seconds: float) -> None:
        """It ended, so many seconds after it left."""
        endpoint = request.endpoint
        self._metrics.requests.labels(endpoint, verdict.outcome).inc()
        self._metrics.request_seconds.labels(endpoint).observe(seconds)
        if verdict.code:
            self._metrics.count_error(verdict.code)
        users = len(request.parts)
        came_back = users if verdict.comes_back else sum(each.again for each in verdict.refused.values())
        confirmed = 0 if verdict.comes_back else users - len(verdict.refused)
        self._metrics.parts.labels(endpoint, PartOutcome.CAME_BACK).inc(came_back)
        self._metrics.parts.labels(endpoint, PartOutcome.CONFIRMED).inc(confirmed)
        for refusal in verdict.refused.values():
            self._metrics.count_error(refusal.code)
        if verdict.comes_back and self._worth_a_line(verdict.outcome):
            self._log.warning(
                "request_not_confirmed",
                endpoint=endpoint,
                outcome=verdict.outcome,
                code=verdict.code,
                reason=verdict.reason,
                users=len(request.parts),
            )

    def in_doubt(self, request: Request, refusal: Refusal) -> None:
        """A user was refused while alone; whether it is his fault shows when others are confirmed or refused."""
        if self._worth_a_line("in_doubt"):
            self._log.warning(
                "user_in_doubt", endpoint=request.endpoint, code=refusal.code, reason=refusal.info
            )

    def user_given_up(self, endpoint: Endpoint, *, dropped: bool) -> None:
        """A user was refused for himself; his part stands in the dead letters, or is dropped as a setting says."""
        outcome = PartOutcome.DROPPED if dropped else PartOutcome.GIVEN_UP
        self._metrics.parts.labels(endpoint, outcome).inc()

    def imported(self, endpoint: Endpoint) -> None:
        """A user who did not exist was imported, and is sent again."""
        self._metrics.parts.labels(endpoint, PartOutcome.IMPORTED).inc()

    def rounds_ended(self, ended: Sequence[Round], now: float) -> None:
        """All that was cut together from the changes of each of these users is settled."""
        self._metrics.delay_seconds.observe_all([now - each.first_at for each in ended])

    def stopped(self, reason: str) -> None:
        """Nothing will pass until a person acts."""
        self._metrics.stopped.set(1)
        self._log.error("delivery_stopped", reason=reason, kept="everything; looked at again by itself")

    def went_on(self) -> None:
        """A stop has ended by itself."""
        self._metrics.stopped.set(0)
        self._log.info("delivery_goes_on")

    # what an operator does

    def paused(self, what: str) -> None:
        """A person has paused it."""
        self._log.warning("paused", what=what, kept="everything, until it is resumed or the process ends")

    def resumed(self, what: str) -> None:
        """A person lets it go on."""
        self._log.info("resumed", what=what)

    def replay_asked(self, letters: int) -> None:
        """A person wants so many letters replayed."""
        self._log.info("replay_asked", letters=letters)

    def operator_refused(self) -> None:
        """Somebody asked what only an operator may, without the token."""
        if self._worth_a_line("operator_refused"):
            self._log.warning("operator_refused")

    def level_changed(self, level: str, *, by_itself: bool) -> None:
        """Lines below *level* are no longer told, those from it on are."""
        self._log.warning("log_level_changed", to=level, by_itself=by_itself)

    # dead letters

    def buried(self, letter_id: str, cause: str, info: str) -> None:
        """The broker has acknowledged a dead letter."""
        self._metrics.dead_letters.labels(cause).inc()
        if self._worth_a_line(f"dead_letter_{cause}"):
            self._log.error("dead_letter", id=letter_id, cause=cause, info=info)

    def not_buried(self, letter_id: str, error: str) -> None:
        """The broker has not; it is tried again."""
        self._metrics.dead_letter_failures.inc()
        self._log.warning("dead_letter_not_written", id=letter_id, error=error)

    def _worth_a_line(self, kind: str) -> bool:
        self._told[kind] += 1
        return self._told[kind] <= LINES_OF_A_KIND or self._told[kind] % 1000 == 0
