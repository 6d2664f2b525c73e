"""The rules file: what it takes, and that every mistake is told with its place and the way out."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.rules.file import DEFAULT_RULES, load_rules, parse_rules
from audience_sync.rules.problems import RulesError

SOURCES = """sources:
  - {topic: a, format: cloudevents}
  - {topic: b, format: json, type: b-changed}
rules:
"""


def rule(changes: str, *, name: str = "one", event: str = "x", topic: str | None = "a") -> str:
    """A rule on seven lines, or six without a topic."""
    only = "" if topic is None else f"    topic: {topic}\n"
    return f'  - name: {name}\n    event: {event}\n{only}    user: "{{u}}"\n    changes:\n{changes}'


def change(text: str) -> str:
    return f"      - {text}\n"


def problems(text: str) -> list[str]:
    with pytest.raises(RulesError) as caught:
        parse_rules(text, file="rules.yaml")
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


MISTAKES = {
    "no YAML": ("sources: [", ["rules.yaml, line 1: this is no YAML"]),
    "a key twice": ("sources: []\nsources: []", ["rules.yaml, line 2: this is no YAML"]),
    "a date that is none": ("a: 2020-13-45", ["rules.yaml: this is no YAML: month"]),
    "a forbidden character": ("a: \x00", ["rules.yaml: this is no YAML: unacceptable character"]),
    "nested without end": ("[" * 5000, ["rules.yaml: lists or maps are nested deeper than 30 levels"]),
    "empty": ("# nothing", ["line 1: the file is empty; it needs the keys sources and rules"]),
    "not a map": ("- a", ["line 1: the file is a list; a map is needed"]),
    "no sources, no rules": (
        "sources: []\nrules:",
        ["line 1: sources is an empty list", "line 2: rules is empty"],
    ),
    "a missing part": (
        "rules: 7",
        ["line 1: the key sources is missing; add it", "line 1: rules is 7; a list"],
    ),
    "a misspelt key": (
        SOURCES + rule(change("add_tag: t")).replace("user", "usr"),
        [
            "line 5, rule 'one': the key user is missing; add it",
            "line 8, rule 'one': unknown key 'usr'; did you mean user?",
        ],
    ),
    "an unknown change": (
        SOURCES + rule(change("ad_tag: t")),
        ["line 10, rule 'one': unknown change 'ad_tag'; did you mean add_tag?"],
    ),
    "two changes in one": (
        SOURCES + rule(change("{add_tag: t, remove_tag: s}")),
        ["line 10, rule 'one': a change is exactly one of"],
    ),
    "no change in one": (
        SOURCES + rule(change("add_tag:")),
        ["line 10, rule 'one': a change is exactly one of"],
    ),
    "no changes": (SOURCES + rule("      []\n"), ["line 9, rule 'one': changes is an empty list"]),
    "a number for text": (
        SOURCES + rule(change("add_tag: 7")),
        ["line 10, rule 'one': add_tag is 7; text is needed"],
    ),
    "text for a boolean": (
        SOURCES + rule(change("add_tag: t")) + "    urgent: yes\n",
        ["line 11, rule 'one': urgent is 'yes'; true or false is needed"],
    ),
    "a false that says nothing": (
        SOURCES + rule(change("remove_all_tags: false")),
        ["line 10, rule 'one': remove_all_tags is False; write True"],
    ),
    "a bad template": (
        SOURCES + rule(change('add_tag: "x{y"')),
        ["line 10, rule 'one': add_tag: 'x{y' has a { without its partner; for a literal one, double it"],
    ),
    "a user who is always the same": (
        SOURCES + rule(change("add_tag: t")).replace('"{u}"', "alice"),
        ["line 8, rule 'one': user: 'alice' is the same user for every event"],
    ),
    "half a surrogate pair": (SOURCES + rule(change('add_tag: "\\ud800"')), ["line 10, rule 'one': add_tag"]),
    "a long tag": (SOURCES + rule(change(f"add_tag: {'t' * 51}")), ["line 10, rule 'one': add_tag: the tag"]),
    "a tag that is always too long": (
        SOURCES + rule(change(f'add_tag: "{"标" * 16}{{a}}{{b}}{{c}}"')),
        ["line 10, rule 'one': add_tag: the tag"],
    ),
    "a long name": (
        SOURCES + rule(change(f"remove_attribute: {'t' * 51}")),
        ["line 10, rule 'one': remove_attribute"],
    ),
    "an empty name": (
        SOURCES + rule(change("remove_attribute: ''")),
        ["line 10, rule 'one': remove_attribute"],
    ),
    "a name made from the event": (
        SOURCES + rule(change('set_attribute: {name: "{n}", value: v}')),
        ["line 10, rule 'one': name: '{n}' is not fixed text"],
    ),
    "an empty value": (
        SOURCES + rule(change("set_attribute: {name: n, value: ''}")),
        ["line 10, rule 'one': value: the value ''"],
    ),
    "a topic that is no source": (
        SOURCES + rule(change("add_tag: t"), topic="c"),
        ["line 7, rule 'one': topic 'c' is no source; add it to the sources, or take one of a, b"],
    ),
    "a type that its topic never carries": (
        SOURCES + rule(change("add_tag: t"), topic="b"),
        ["line 7, rule 'one': no source carries events of type 'x', only b: b-changed"],
    ),
    "a topic twice": (
        SOURCES.replace("topic: b", "topic: a") + rule(change("add_tag: t")),
        ["line 3: topic 'a' is a source already"],
    ),
    "no way to the type": (
        "sources:\n  - {topic: a, format: json}\nrules:\n" + rule(change("add_tag: t")),
        ["line 2: format json needs type_field or type, one of the two, and neither is given"],
    ),
    "two ways to the type": (
        "sources:\n  - {topic: a, format: json, type: x, type_field: y}\nrules:\n"
        + rule(change("add_tag: t")),
        ["line 2: format json needs type_field or type, one of the two, and both are given"],
    ),
    "keys of the other format": (
        "sources:\n  - {topic: a, format: cloudevents, time_field: y}\nrules:\n" + rule(change("add_tag: t")),
        ["line 2: time_field"],
    ),
    "a format that is none": (
        "sources:\n  - {topic: a, format: xml}\nrules:\n" + rule(change("add_tag: t")),
        ["line 2: format: 'xml' is no format; write one of cloudevents, json"],
    ),
    "a path that is none": (
        "sources:\n  - {topic: a, format: json, type_field: a..b}\nrules:\n" + rule(change("add_tag: t")),
        ["line 2: type_field: 'a..b' names no field"],
    ),
    "a name twice": (
        SOURCES + rule(change("add_tag: t")) + rule(change("add_tag: s"), event="y"),
        ["line 11, rule 'one': another rule has the name 'one'"],
    ),
    "an attribute twice by one event": (
        SOURCES
        + rule(change("remove_attribute: n"))
        + rule(change("set_attribute: {name: n, value: v}"), name="two"),
        ["line 16, rule 'two': an event 'x' already writes attribute 'n' in rule 'one'"],
    ),
    "a tag twice in one rule": (
        SOURCES + rule(change('add_tag: "t{v}"') + change('remove_tag: "t{v}"')),
        ["line 11, rule 'one': an event 'x' already writes tag 't{v}' in rule 'one'"],
    ),
    "an attribute from two topics": (
        SOURCES
        + rule(change("remove_attribute: n"))
        + rule(change("remove_attribute: n"), name="two", event="b-changed", topic="b"),
        ["line 16, rule 'two': attribute 'n' may be written from several topics (a, b)"],
    ),
    "an attribute from two topics, by a rule without one": (
        SOURCES + rule(change("remove_attribute: n"), event="b-changed", topic=None),
        ["line 9, rule 'one': attribute 'n' may be written from several topics (a, b)"],
    ),
    "tags from two topics that may be equal": (
        SOURCES
        + rule(change('add_tag: "stock:{s}"'))
        + rule(change('add_tag: "st{s}"'), name="two", event="b-changed", topic="b"),
        ["line 16, rule 'two': tag 'st{s}' may be written from several topics (a, b)"],
    ),
    "a fixed tag that a template may make": (
        SOURCES
        + rule(change('add_tag: "stock:{s}"'))
        + rule(change('remove_tag: "stock:A"'), name="two", event="b-changed", topic="b"),
        ["line 16, rule 'two': tag 'stock:A' may be written from several topics (a, b)"],
    ),
    "all tags from another topic": (
        SOURCES
        + rule(change("add_tag: t"))
        + rule(change("remove_all_tags: true"), name="two", event="b-changed", topic="b"),
        ["line 16, rule 'two': all tags may be written from several topics (a, b)"],
    ),
    "eleven attributes": (
        SOURCES + rule("".join(change(f"remove_attribute: n{number}") for number in range(11))),
        ["line 4: the rules write 11 attributes"],
    ),
}


@pytest.mark.parametrize(("text", "told"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_place_and_the_way_out(text: str, told: list[str]) -> None:
    """Whoever wrote the file can put it right without reading this program."""
    found = problems(text)

    assert len(found) == len(told), found
    for problem, beginning in zip(found, told, strict=True):
        assert problem.removeprefix("rules.yaml, ").startswith(beginning.removeprefix("rules.yaml, ")), (
            problem
        )


def test_mistakes_of_all_kinds_are_told_at_once() -> None:
    """One look at the messages is enough: a broken rule does not hide what is wrong between the others."""
    text = (
        SOURCES
        + rule(change("ad_tag: t"))
        + rule(change("add_tag: t"), name="two")
        + rule(change("add_tag: t"), name="two", topic="nowhere")
    )

    found = problems(text)

    assert [each.split(":")[0] for each in found] == [
        "rules.yaml, line 10, rule 'one'",
        "rules.yaml, line 17, rule 'two'",
        "rules.yaml, line 19, rule 'two'",
    ]


@pytest.mark.parametrize(
    "text",
    [
        SOURCES + rule(change('add_tag: "stock:{s}"') + change('remove_tag: "city:{s}"')),
        SOURCES
        + rule(change('add_tag: "stock:{s}"'))
        + rule(change('add_tag: "city:{s}"'), name="two", event="b-changed", topic="b"),
        SOURCES + rule(change("remove_all_tags: true") + change("add_tag: t")),
        SOURCES + rule(change("add_tag: t")) + rule(change("remove_tag: t"), name="two", event="y"),
        SOURCES + rule(change(f"add_tag: {'t' * 50}") + change('set_attribute: {name: n, value: "{{}}"}')),
    ],
    ids=[
        "two tags",
        "tags of two topics that differ",
        "all tags, then one",
        "add and remove by two events",
        "edges",
    ],
)
def test_what_is_no_mistake_is_taken(text: str) -> None:
    assert parse_rules(text, file="rules.yaml").topics == ("a", "b")


@given(st.text())
def test_no_text_raises_anything_but_the_error_that_tells(text: str) -> None:
    with pytest.raises(RulesError):
        parse_rules(text, file="rules.yaml")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match=r"none\.yaml: No such file or directory; give the path"):
        load_rules(tmp_path / "none.yaml")


def test_a_file_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_bytes(b"sources:\n  - topic: \xff\n")

    with pytest.raises(RulesError, match=r"rules\.yaml, line 2: the text is not UTF-8"):
        load_rules(file)


def test_the_shipped_rules_are_loaded() -> None:
    assert load_rules(DEFAULT_RULES).attribute_names == ("membership", "city")


def test_a_name_can_be_shared_by_anchors_and_merges() -> None:
    """YAML has its own way to say a thing once."""
    text = (
        SOURCES
        + "  - &base\n    name: one\n    event: x\n    topic: a\n    user: '{u}'\n    changes: [add_tag: t]\n"
    )
    text += "  - {<<: *base, name: two, event: y}\n"

    rules = parse_rules(text, file="rules.yaml")

    assert [(rule.name, rule.events) for rule in rules.rules] == [("one", ("x",)), ("two", ("y",))]


@pytest.mark.parametrize("value", ["no", "on", "Yes", "off", "~/x", "0x", "12:30:00", "nan"])
def test_a_text_that_looks_like_something_else_stays_text(value: str) -> None:
    """YAML 1.1 made a boolean of Norway's country code, and minutes of a time."""
    rules = parse_rules(
        SOURCES + rule(change(f"set_attribute: {{name: n, value: {value!r}}}")), file="rules.yaml"
    )
    bare = parse_rules(
        SOURCES + rule(f"      - set_attribute:\n          name: n\n          value: {value}\n"), file="x"
    )

    assert rules.rules == bare.rules


PATTERN = SOURCES.replace("topic: b", "pattern: 'b\\..*', each_user_in_one_topic: true, name: bs") + rule(
    change("add_tag: t"), event="b-changed", topic=None
).replace("event:", "source: bs\n    event:")


def test_a_pattern_stands_for_the_topics_of_the_broker() -> None:
    """The service asks for them at start; all else works without a broker."""
    rules = parse_rules(PATTERN, file="rules.yaml", topics=["b.two", "b.one", "__b.x", "ab.c", "b.one.two"])

    assert rules.topics == ("a", "b.one", "b.one.two", "b.two")
    assert rules.rules[0].topics == ("b.one", "b.one.two", "b.two")
    assert rules.patterns == ()


def test_a_pattern_is_compared_with_whole_names_and_never_with_kafkas_own() -> None:
    """Part of a name would match what comes later by accident; the broker's own topics hold no events."""
    text = PATTERN.replace("b\\..*", "(__)?b.one")

    assert parse_rules(text, file="rules.yaml", topics=["b.one", "__b.one", "b.one.more"]).topics == (
        "a",
        "b.one",
    )


def test_a_pattern_that_nobody_has_looked_up_stands_for_itself() -> None:
    rules = parse_rules(PATTERN, file="rules.yaml")

    assert rules.patterns == ("b\\..*",)
    assert rules.rules[0].topics == rules.patterns


def test_a_pattern_that_matches_no_topic_is_told() -> None:
    """Nothing would be read, and nobody would know."""
    with pytest.raises(
        RulesError, match=r"line 3: 'b.*' matches none of the broker's 1 topics; correct it, or"
    ):
        parse_rules(PATTERN, file="rules.yaml", topics=["ab"])


@pytest.mark.parametrize(("promised", "mistakes"), [("true", 0), ("false", 1)])
def test_topics_that_share_users_out_need_no_order(promised: str, mistakes: int) -> None:
    """Two topics can't write one attribute, unless no user is in both."""
    sources = (
        f"sources:\n  - {{topics: [a, b], each_user_in_one_topic: {promised}, format: cloudevents}}\nrules:\n"
    )
    text = sources + rule(change("add_tag: t"), topic=None)

    assert len(problems(text) if mistakes else []) == mistakes
    if not mistakes:
        assert parse_rules(text, file="rules.yaml").topics == ("a", "b")


REKEYED = """sources:
  - {topics: [a, b], name: ab, rekey: true, format: cloudevents}
  - {topic: c, format: cloudevents}
rules:
"""


def test_re_keyed_topics_may_write_the_same_for_their_order_is_in_the_topic_that_they_are_copied_to() -> None:
    """Each user's copies from all of them are in one partition."""
    of_both = rule(change("add_tag: t"), topic=None).replace("event:", "source: ab\n    event:")
    rules = parse_rules(REKEYED + of_both.replace("{u}", "{subject}"), file="rules.yaml")

    assert rules.topics == ("a", "b", "c")
    assert rules.rekeyed == ("a", "b")


def test_a_re_keyed_topic_and_one_that_is_not_can_not_write_the_same() -> None:
    """Nothing orders the copies and the events that are read as they are."""
    (found,) = problems(REKEYED + rule(change("add_tag: t"), topic=None).replace("{u}", "{subject}"))

    assert "may be written from several topics (a, b, c)" in found


def test_the_time_of_an_event_does_not_order_what_is_re_keyed() -> None:
    """What is known of a user's times belongs to the topic that is read."""
    text = SOURCES.replace("topic: a", "topic: a, rekey: true, event_time: true") + rule(change("add_tag: t"))
    (found,) = problems(text)

    assert "event_time compares events in one topic" in found


def test_a_pattern_may_be_re_keyed() -> None:
    """Then nobody has to promise that a user is in one of its topics."""
    text = PATTERN.replace("each_user_in_one_topic: true", "rekey: true")

    assert parse_rules(text, file="rules.yaml", topics=["b.one", "b.two"]).rekeyed == ("b.one", "b.two")
