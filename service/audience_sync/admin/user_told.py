"""What this replica knows of one user: what waits, and what was confirmed last, each with the events it is from."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from audience_sync.core.changes import Change, Endpoint, UserId
from audience_sync.core.folding import changes_of, folded
from audience_sync.core.last_confirmed import Confirmed, LastConfirmed
from audience_sync.core.ledger import Mark, Origin
from audience_sync.core.tenure import Tenure
from audience_sync.core.user_state import Step, User


class RefusedTold(msgspec.Struct, frozen=True):
    """Requests with the user are refused. since: epoch seconds."""

    code: int
    since: float


class WaitsTold(msgspec.Struct, frozen=True, kw_only=True):
    """What is unsettled of a user. Moments are epoch seconds.

    step: waiting, held, ready or sending. endpoint: whose request carries him now or next.
    not_before: from when he may be sent; None: now, or when it is his endpoint's turn.
    changes: what waits, folded; under_way: what left in a request that has not ended.
    first_events: in each partition, the first event that he waits for; its position can't be committed.
    company: how many users a request with him may name; refused: since one with him was refused, or None.
    """

    step: str
    endpoint: str | None
    not_before: float | None
    changes: list[list[str]]
    under_way: list[list[str]]
    first_events: list[Origin]
    company: int
    refused: RefusedTold | None


class ConfirmedTold(msgspec.Struct, frozen=True, kw_only=True):
    """What the Chat API confirmed last, at one endpoint.

    at: epoch seconds. first_events: in each partition, the first event that these changes were folded from.
    """

    endpoint: str
    at: float
    changes: list[list[str]]
    first_events: list[Origin]


class UserTold(msgspec.Struct, frozen=True, kw_only=True):
    """One user. waits: None if nothing of his does. confirmed: the last first; empty if nothing is remembered."""

    user: str
    waits: WaitsTold | None
    confirmed: list[ConfirmedTold]


def user_told(user_id: UserId, tenure: Tenure | None, last: LastConfirmed) -> UserTold:
    """What is known of him. Costs O(1), however many users wait."""
    user = None if tenure is None else tenure.debouncer.user(user_id)
    return UserTold(
        user=user_id,
        waits=None if user is None else _waits(user),
        confirmed=_confirmed(last.of(user_id)),
    )


def _waits(user: User) -> WaitsTold:
    marks: list[Mark] = [*(user.round.marks if user.round is not None else ()), *user.marks]
    is_sending = user.step is Step.SENDING
    sent = user.round.sent[-1:] if user.round is not None and is_sending else []
    refused = user.refused
    rest = [] if user.round is None else list(user.round.rest.changes())
    endpoint = sent[0][0] if sent else user.next_endpoint()
    return WaitsTold(
        step=user.step.name.lower(),
        endpoint=endpoint,
        not_before=user.scheduled_at if user.step is Step.WAITING else None,
        changes=_told([*rest, *folded(user.waiting).changes()]),
        under_way=_told(change for endpoint, part in sent for change in changes_of(endpoint, part)),
        first_events=_first(origin for mark in marks for origin in mark.origins),
        company=user.company,
        refused=None if refused is None else RefusedTold(refused.code, refused.since),
    )


def _confirmed(found: Mapping[Endpoint, Confirmed]) -> list[ConfirmedTold]:
    told = [
        ConfirmedTold(
            endpoint=endpoint,
            at=each.at,
            changes=_told(changes_of(endpoint, each.part)),
            first_events=list(each.origins),
        )
        for endpoint, each in found.items()
    ]
    return sorted(told, key=lambda each: each.at, reverse=True)


def _first(origins: Iterable[Origin]) -> list[Origin]:
    """The earliest of each partition."""
    first: dict[tuple[str, int], Origin] = {}
    for origin in origins:
        place = (origin.topic, origin.partition)
        if place not in first or origin.position < first[place].position:
            first[place] = origin
    return list(first.values())


def _told(changes: Iterable[Change]) -> list[list[str]]:
    """[kind, ...its fields], as in the dead letters."""
    return [[type(change).__name__, *_texts(msgspec.structs.astuple(change))] for change in changes]


def _texts(fields: Sequence[object]) -> list[str]:
    return [str(each) for each in fields]
