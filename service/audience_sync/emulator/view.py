"""What the page shows of an app: plain values, settled before anything is laid out.

Everything is bounded: a page costs the same for ten users and for a million.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from audience_sync.emulator.api import Api, Seen
from audience_sync.emulator.condition import Condition
from audience_sync.emulator.faults import FailNext, FaultSettings
from audience_sync.emulator.push_codes import PushCode
from audience_sync.emulator.pushing import Pushed
from audience_sync.emulator.refusals import Code
from audience_sync.emulator.rows import (
    Behaviour,
    Clause,
    FaultRow,
    Finding,
    PaceRow,
    Push,
    RequestRow,
    Slot,
    SwitchRow,
    Tile,
    Users,
    moment,
    number,
)
from audience_sync.emulator.switches import Combined, Switches

MOST_USERS: Final = 200
MOST_PUSHES: Final = 20
MOST_REQUESTS: Final = 40
MOST_FINDINGS: Final = 5
MOST_NAMES: Final = 3
"""Rows at most. Of findings: of each kind. Of names: users of one request, the others are a number."""

MOST_CHARACTERS: Final = 200
"""Of a message's text."""

MEANINGS: Final = {int(code): code.name.replace("_", " ").lower() for code in (*PushCode, *Code)}


def tiles(api: Api, now: float) -> list[Tile]:
    """The first line."""
    counted = api.counters
    calls, refused = counted.calls.total(), counted.refused.total()
    mistakes = counted.broken_limits_count + api.overlaps.count + counted.went_back_count
    left = api.pushing.left_today(now)
    return [
        Tile("Users", number(len(api.directory)), f"{number(len(api.inboxes.online))} online"),
        Tile("Requests", number(calls), f"{number(refused)} refused"),
        Tile("Pushes", number(len(api.pushing.sent)), f"{number(left)} left today"),
        Tile("Deliveries", number(api.inboxes.count), "since the start"),
        Tile("Findings", number(mistakes), _of_mistakes(mistakes), alarming=mistakes > 0),
    ]


def users(api: Api, search: str) -> Users:
    """The latest users first."""
    rows, total = api.look(search, MOST_USERS)
    return Users(search, rows, total)


def slots(api: Api) -> list[Slot]:
    """All ten."""
    names = api.store.names
    every = (str(each) for each in range(10))
    return [Slot(each, names.by_slot.get(each), names.types.get(each) == 1) for each in every]


def pushes(api: Api, now: float) -> list[Push]:
    """The latest first."""
    return [_push(api, pushed, now) for pushed in islice(reversed(api.pushing.sent), MOST_PUSHES)]


def requests(api: Api, now: float) -> list[RequestRow]:
    """The latest first."""
    return [_request(seen, now) for seen in islice(reversed(api.last), MOST_REQUESTS)]


def findings(api: Api) -> list[Finding]:
    """All kinds, also those of which there are none."""
    counted = api.counters
    broken = [f"{each.endpoint}: {each.code}, {each.text}" for each in counted.broken_limits[-MOST_FINDINGS:]]
    twice = [f"{each.user}: {each.first} and {each.second}" for each in api.overlaps.found[-MOST_FINDINGS:]]
    back = [
        f"{each.user}: {each.name} was {each.highest}, then {each.written}"
        for each in counted.went_back[-MOST_FINDINGS:]
    ]
    return [
        Finding("Limits broken", counted.broken_limits_count, broken[::-1]),
        Finding("Users in two requests at once", api.overlaps.count, twice[::-1]),
        Finding("Values that went back", counted.went_back_count, back[::-1]),
    ]


def paces(api: Api) -> list[PaceRow]:
    """The endpoints that were called."""
    busiest, limit = api.most_calls_in_a_second(), api.settings.calls_per_second
    return [
        PaceRow(name, calls, busiest.get(name, 0), limit)
        for name, calls in sorted(api.counters.calls.items())
    ]


def behaviour(api: Api, now: float) -> Behaviour:
    """Switches away from their default, and everything that goes wrong on command."""
    bad = list(api.bad_users.items())
    return Behaviour(
        switches=list(_moved(api.switches)),
        faults=list(_in_words(api.faults.now_set(now), now)),
        bad_users=bad[:MOST_FINDINGS],
        more_bad_users=max(0, len(bad) - MOST_FINDINGS),
        feature_on=api.feature_on,
        struck=sorted(api.counters.faults.items()),
    )


def _of_mistakes(count: int) -> str:
    return "a careful client has none" if count else "as a careful client has it"


def _push(api: Api, pushed: Pushed, now: float) -> Push:
    delivered, waiting = api.inboxes.counts(pushed.task_id, now)
    revoked = api.pushing.revoked.get(pushed.task_id)
    ends, until = "online users only", None
    if revoked is not None:
        ends, until = "withdrawn", moment(revoked.at, now)
    elif pushed.expires is not None:
        ends, until = "expired" if pushed.expires <= now else "waits until", moment(pushed.expires, now)
    return Push(
        task_id=pushed.task_id,
        at=moment(pushed.at, now),
        endpoint=pushed.family,
        sender=pushed.sender,
        text=text_of(pushed.body),
        clauses=list(clauses(pushed.condition)),
        between="or" if api.switches.combined is Combined.OR else "and",
        matched=len(pushed.to),
        delivered=delivered,
        waiting=waiting,
        ends=ends,
        until=until,
    )


def clauses(condition: Condition) -> Iterator[Clause]:
    """A condition in words; nothing for one that matches everybody."""
    lists: list[tuple[str, list[str]]] = [
        ("all of", _equations(condition.attributes_and)),
        ("any of", _equations(condition.attributes_or)),
        ("all of", list(condition.tags_and)),
        ("any of", list(condition.tags_or)),
        ("none of", list(condition.tags_not)),
    ]
    for word, terms in lists:
        if terms:
            yield Clause("" if len(terms) == 1 and word != "none of" else word, terms)


def _equations(values: Mapping[str, str]) -> list[str]:
    return [f"{name} = {value}" for name, value in values.items()]


def text_of(body: list[object]) -> str:
    """What a reader of the message sees, or the kinds of its elements."""
    found = []
    for element in body:
        match element:
            case {"MsgType": "TIMTextElem", "MsgContent": {"Text": str(text)}}:
                found.append(text)
            case {"MsgType": str(kind)}:
                found.append(f"[{kind}]")
    whole = " ".join(found)
    return whole if len(whole) <= MOST_CHARACTERS else whole[: MOST_CHARACTERS - 1] + "…"


def _request(seen: Seen, now: float) -> RequestRow:
    answered = "no answer" if seen.answered is None else "not JSON" if seen.code is None else str(seen.code)
    good = seen.answered is not None and seen.code == 0
    took = "" if seen.answered is None else f"{(seen.answered - seen.arrived) * 1000:,.0f} ms"
    return RequestRow(
        key=f"{seen.arrived!r} {seen.endpoint} {seen.users[:1]}",
        at=moment(seen.arrived, now),
        endpoint=seen.endpoint,
        users=seen.users[:MOST_NAMES],
        more_users=max(0, len(seen.users) - MOST_NAMES),
        verdict="OK" if good else answered,
        meaning="" if good or seen.code is None else MEANINGS.get(seen.code, ""),
        good=good,
        fault=seen.fault,
        took=took,
    )


def _moved(switches: Switches) -> Iterator[SwitchRow]:
    usual = Switches()
    for name in switches.__struct_fields__:
        value, default = getattr(switches, name), getattr(usual, name)
        if value != default:
            yield SwitchRow(name, _written(value), _written(default))


def _written(value: object) -> str:
    return "any number" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _in_words(faults: FaultSettings, now: float) -> Iterator[FaultRow]:
    if faults.latency_seconds:
        yield FaultRow(f"every answer comes {faults.latency_seconds:g} s later")
    for entry in faults.fail_next or []:
        lasting = entry.for_seconds
        yield FaultRow(_entry(entry), None if lasting is None else moment(now + lasting, now))
    for kind, probability in (faults.chance or {}).items():
        if probability:
            yield FaultRow(f"{kind} with a chance of {probability:g}")
    if steps := faults.script or []:
        word = "step" if len(steps) == 1 else "steps"
        text = f"a script has {len(steps)} more {word}; nothing new"
        yield FaultRow(text, moment(now + steps[0].at_seconds, now))


def _entry(entry: FailNext) -> str:
    parts = [entry.kind, "on", entry.endpoint or "any endpoint"]
    if entry.users is not None:
        names = ", ".join(entry.users[:MOST_NAMES])
        parts.append(f"with {names}" + ("…" if len(entry.users) > MOST_NAMES else ""))
    if entry.probability < 1:
        parts.append(f"with a chance of {entry.probability:g}")
    if entry.count is not None:
        parts.append("once" if entry.count == 1 else f"{entry.count} times")
    return " ".join(parts)
