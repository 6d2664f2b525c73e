"""A scenario as a history of the simulator: the same world, with everything decided by the file."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, Final

import msgspec

from audience_sync.settings import Settings, load
from tests.scenarios import scenario as told
from tests.scenarios.scenario import Scenario
from tests.simulation import plan as faults
from tests.simulation.chat import Fate, Weather
from tests.simulation.events import UNUSABLE
from tests.simulation.log import Entry, Words
from tests.simulation.loop import START
from tests.simulation.plan import Fault, Knobs, Plan, Produced
from tests.simulation.service import KEY

TOPIC: Final = "events"
FEATURE_OFF: Final = 90045
BAD_USER: Final = 90046
"""What the API says of a bad user. Source: docs/chat-api.md#codes."""

MOST_SECONDS_TO_SETTLE: Final = 3600.0
"""So long after all events and troubles, everything must be settled: else something is stuck."""

TURN_SECONDS: Final = 0.25
"""How often it is looked whether records have room: more seldom than in earnest, and so faster to live through."""


def plan_of(scenario: Scenario) -> Plan:
    """The history. Raises SettingsError for settings that are none."""
    given, api = scenario.given, scenario.api
    chance = Random("scenario")
    users = [f"user{number}" for number in range(given.users)]
    bad = users[len(users) - given.bad_users :]
    unknown = users[len(users) - given.bad_users - given.unknown_users : len(users) - given.bad_users]
    produced = sorted((*_changes(scenario, users, chance), *_floods(scenario)), key=lambda each: each.at)
    last = max((each.at for each in produced), default=0.0)
    return Plan(
        seed=0,
        topics=(TOPIC,),
        partitions=given.partitions,
        processes=given.replicas,
        knobs=_knobs(_settings(scenario.settings)),
        mode=api.bad_users,
        unknown=frozenset(unknown),
        cursed=dict.fromkeys(bad, BAD_USER),
        api_calls_per_second=api.calls_per_second,
        api_calls_per_second_of_app=api.calls_per_second_of_app,
        produced=produced,
        faults=[(moment.at, fault) for moment in scenario.when if (fault := _fault(moment)) is not None],
        heals_at=max(last, trouble_ends_at(scenario)) + 1.0,
        drained_within_seconds=MOST_SECONDS_TO_SETTLE,
        lives_on=False,
        weather=Weather(answer_seconds=_between(api.answer_seconds)),
    )


def trouble_begins_at(scenario: Scenario) -> float:
    """When the first thing happens; as late as can be if nothing does."""
    return min((moment.at for moment in scenario.when), default=float("inf"))


def trouble_ends_at(scenario: Scenario) -> float:
    """When the last thing that happens is over."""
    return max((moment.at + _lasts(moment) for moment in scenario.when), default=0.0)


def _lasts(moment: told.Moment) -> float:
    return float(getattr(moment, "for_seconds", getattr(moment, "back_after_seconds", 0.0)))


def _settings(given: Mapping[str, Any]) -> Settings:
    chat = {"app_id": 1, "signing_key": KEY, "base_url": "http://127.0.0.1:1", **given.get("chat", {})}
    return load({}, **{**given, "chat": chat})


def _knobs(settings: Settings) -> Knobs:
    debounce, kafka, chat = settings.debounce, settings.kafka, settings.chat
    return Knobs(
        quiet=debounce.quiet_seconds,
        longest_wait=debounce.longest_wait_seconds,
        fill=debounce.fill_seconds,
        max_waiting_users=debounce.max_waiting_users,
        lease=kafka.lease_seconds,
        commit_interval=kafka.commit_interval_seconds,
        request_timeout=chat.request_timeout_seconds,
        session=kafka.session_timeout_seconds,
        heartbeat=kafka.heartbeat_seconds,
        rebalance=kafka.rebalance_timeout_seconds,
        max_unsettled_records=kafka.max_unsettled_records,
        max_batch_records=kafka.max_batch_records,
        calls_per_second=chat.calls_per_second,
        calls_per_second_of_app=chat.calls_per_second_of_app,
        most_in_flight=chat.most_in_flight,
        drain=settings.drain_seconds,
        turn=TURN_SECONDS,
        unknown_accounts=chat.unknown_accounts,
        most_letters_per_minute=settings.dead_letters.most_per_minute,
    )


def _changes(scenario: Scenario, users: list[str], chance: Random) -> Iterator[Produced]:
    given = scenario.given
    for user in users:
        moments = sorted(chance.uniform(0.0, given.over_seconds) for _ in range(given.changes_each))
        for version, moment in enumerate(moments):
            of_tags = chance.randrange(100) < given.about_tags
            said, words = _of_a_tag(chance) if of_tags else _of_an_attribute(version)
            value = msgspec.json.encode({"user": user, **said})
            entry = Entry(user, user.encode(), value, round((START + moment) * 1000), words)
            yield Produced(moment, TOPIC, entry)


def _of_an_attribute(version: int) -> tuple[dict[str, str], Words]:
    return {"type": "city", "city": f"v~{version}"}, {"city": f"v~{version}"}


def _of_a_tag(chance: Random) -> tuple[dict[str, str], Words]:
    doing, tag = chance.choice(("follow", "unfollow")), chance.choice(("t:a", "t:b"))
    return {"type": doing, "tag": tag}, {tag: doing == "follow"}


def _floods(scenario: Scenario) -> Iterator[Produced]:
    for moment in scenario.when:
        if isinstance(moment, told.Flood):
            for number in range(moment.records):
                entry = Entry(f"nobody{number}", None, UNUSABLE[0], 0, unusable=True)
                yield Produced(moment.at + number * moment.for_seconds / moment.records, TOPIC, entry)


def _fault(moment: told.Moment) -> Fault | None:
    match moment:
        case told.ApiDown(for_seconds=seconds):
            return faults.BadWeather(seconds, Weather(fates={Fate.NOT_REACHED: 1000}))
        case told.ApiSlow(for_seconds=seconds, answer_seconds=answer):
            return faults.BadWeather(seconds, Weather(answer_seconds=_between(answer)))
        case told.AnswersLost(for_seconds=seconds, of_a_hundred=share):
            return faults.BadWeather(seconds, Weather(fates={Fate.ANSWER_LOST: 10 * share}))
        case told.FeatureOff(for_seconds=seconds):
            return faults.Off(seconds, FEATURE_OFF)
        case told.LimitLower(for_seconds=seconds, calls_per_second=calls):
            return faults.Slower(seconds, calls)
        case told.AccountsImported():
            return faults.Imported()
        case told.BrokerAway(for_seconds=seconds):
            return faults.Outage(seconds)
        case told.ReplicaJoins():
            return faults.Join()
        case told.ReplicaStops(replica=replica, back_after_seconds=seconds):
            return faults.Stop(replica, seconds)
        case told.ReplicaKilled(replica=replica, back_after_seconds=seconds):
            return faults.Kill(replica, 0, seconds)
        case told.ReplicaFreezes(replica=replica, for_seconds=seconds):
            return faults.Freeze(replica, seconds)
        case told.ClockJumps(replica=replica, seconds=seconds):
            return faults.ClockJump(replica, seconds)
        case told.Flood():
            return None
    raise AssertionError(f"nobody knows how to do {moment}")


def _between(seconds: float | told.Range) -> tuple[float, float]:
    return seconds if isinstance(seconds, tuple) else (seconds, seconds)
