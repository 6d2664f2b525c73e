"""The demo's events and the truth they add up to, read by the rules that ship."""

from audience_sync.commands.demonstration.product import TOPICS, Product, Record, Truth
from audience_sync.commands.demonstration.timetable import UNUSABLE, timetable
from audience_sync.core.changes import AddTag, RemoveTag, SetAttribute
from audience_sync.core.event import Cause, Translated, Unusable
from audience_sync.events.translator import Translator
from audience_sync.formats import RawRecord
from audience_sync.rules.file import DEFAULT_RULES, load_rules


def product(*, seed: int = 1) -> tuple[Product, list[Record]]:
    """A product of fifty users, and what it sends in twelve seconds."""
    made = Product(users=50, seed=seed, clock=lambda: 1_790_000_000.0)
    return made, [record for slot in timetable(seconds=12, rate=100) for record in made.records(slot)]


def test_the_truth_is_what_the_shipped_rules_make_of_the_events() -> None:
    """Or the demo would compare the Chat API with something that nobody has said."""
    made, records = product()
    translator = Translator(load_rules(DEFAULT_RULES))
    found: dict[str, Truth] = {}

    for topic, _, value in records:
        translated = translator.translate(topic, RawRecord(value))
        if not isinstance(translated, Translated):
            continue
        user = found.setdefault(translated.user, Truth())
        for change in translated.changes:
            match change:
                case SetAttribute(name, to):
                    user.attributes[name] = to
                case AddTag(tag):
                    user.tags.add(tag)
                case RemoveTag(tag):
                    user.tags.discard(tag)
                case _:
                    raise AssertionError(f"the demo's events cause no {change}")

    assert {name: (user.attributes, user.tags) for name, user in found.items()} == {
        name: (user.attributes, user.tags) for name, user in made.truth.items()
    }


def test_what_cannot_be_applied_is_as_many_as_planned_and_of_four_kinds() -> None:
    """Dead letters are counted against it."""
    translator = Translator(load_rules(DEFAULT_RULES))
    _, records = product()
    translated = [translator.translate(topic, RawRecord(value)) for topic, _, value in records]
    unusable = [each for each in translated if isinstance(each, Unusable)]

    assert len(unusable) == UNUSABLE
    assert {each.cause for each in unusable} == {
        Cause.UNREADABLE,
        Cause.NO_USER,
        Cause.UNKNOWN_TYPE,
        Cause.BROKEN_LIMIT,
    }


def test_every_event_has_its_user_as_key() -> None:
    """Or his order would not be certain, and the service would warn of it."""
    translator = Translator(load_rules(DEFAULT_RULES))
    _, records = product()
    for topic, key, value in records:
        translated = translator.translate(topic, RawRecord(value))
        if isinstance(translated, Translated):
            assert translated.user.encode() == key


def test_all_topics_and_the_restless_user_are_there() -> None:
    """The restless one is never quiet for two seconds."""
    made, records = product()
    assert {record.topic for record in records} == set(TOPICS)
    assert made.truth[made.restless].events == 12 * 8


def test_the_seed_decides_everything() -> None:
    """So that what was seen once can be seen again."""
    assert product(seed=3)[1] == product(seed=3)[1]
    assert product(seed=3)[1] != product(seed=4)[1]


def test_two_users_are_enough() -> None:
    """The smallest number that the command takes: the restless one and another."""
    made = Product(users=2, seed=1, clock=lambda: 0.0)
    for slot in timetable(seconds=6, rate=50):
        list(made.records(slot))
    assert set(made.truth) == {"user-00001", "user-00002"}
