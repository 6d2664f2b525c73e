"""What the rules file can say: types, conditions, maps, lacking, lists, records without a value."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.core.changes import AddTag, RemoveAttribute, RemoveTag, SetAttribute, UserId
from audience_sync.core.event import Cause, Event, Fields, Ignored, Translated, TranslatedMany, Unusable
from audience_sync.core.limits import CHANGES_PER_EVENT, broken_limit
from audience_sync.core.rules import Rules
from audience_sync.rules.file import parse_rules

MANY: Final = CHANGES_PER_EVENT + 1
TOO_MANY: Final = "one event may make 10000 changes, and this makes more; split it"


def rules_of(*rules: str, source: str = "{topic: events, format: json, type_field: kind}") -> Rules:
    """Rules of one source."""
    return parse_rules(
        f"sources:\n  - {source}\nrules:\n" + "".join(f"  - {rule}\n" for rule in rules), file="x"
    )


def translated(rules: Rules, fields: Fields, kind: str = "x") -> object:
    """What the event comes to: {user: changes}; or the cause and the info; or why it is ignored."""
    match rules.translate("events", Event(kind, fields)):
        case Translated() | TranslatedMany() as event:
            return {part.user: list(part.changes) for part in event.parts}
        case Unusable(cause, info):
            return (cause, info)
        case Ignored(reason):
            return reason
        case other:
            raise AssertionError(other)


def attribute(more: str) -> Rules:
    """Rules that set one attribute from one field."""
    return rules_of(one(f"set_attribute: {{name: n, value: '{{v}}', {more}}}"))


def one(change: str, more: str = "user: '{u}'") -> str:
    """A rule of one change."""
    return f"{{name: one, event: x, {more}, changes: [{change}]}}"


SET = SetAttribute
GONE: Final = RemoveAttribute("n")
MAP: Final = "map: {'1': one, 'true': yes}"


@pytest.mark.parametrize(
    ("more", "fields", "expected"),
    [
        (MAP, {"v": 1}, [SET("n", "one")]),
        (MAP, {"v": "1"}, [SET("n", "one")]),
        (MAP, {"v": True}, [SET("n", "yes")]),
        (
            MAP,
            {"v": 2},
            (Cause.UNKNOWN_VALUE, "rule 'one': the map of attribute 'n' does not have '2'; add it"),
        ),
        (
            MAP,
            {"v": False},
            (Cause.UNKNOWN_VALUE, "rule 'one': the map of attribute 'n' does not have 'false'"),
        ),
        (f"{MAP}, otherwise: ignore", {"v": 2}, "nothing that its rules need is there"),
        (f"{MAP}, otherwise: remove", {"v": 2}, [GONE]),
        (f"{MAP}, otherwise: {{value: other}}", {"v": "x" * 1000}, [SET("n", "other")]),
        (f"{MAP}, if_null: remove", {"v": None}, [GONE]),
        (f"{MAP}, otherwise: remove", {"v": None}, (Cause.WRONG_TYPE, "rule 'one': field v is null")),
        ("if_null: remove", {"v": None}, [GONE]),
        ("if_null: remove", {"v": ""}, [GONE]),
        ("if_null: ignore", {"v": None}, "nothing that its rules need is there"),
        ("if_null: remove", {}, (Cause.MISSING_FIELD, "rule 'one': field v is missing")),
        ("if_missing: remove", {}, [GONE]),
        ("if_missing: ignore", {}, "nothing that its rules need is there"),
        ("if_missing: remove", {"v": None}, (Cause.WRONG_TYPE, "rule 'one': field v is null")),
        (
            "if_missing: remove, if_null: remove",
            {"v": []},
            (Cause.WRONG_TYPE, "rule 'one': field v is a list"),
        ),
        ("if_missing: remove, if_null: remove", {"v": "x"}, [SET("n", "x")]),
        (
            "if_missing: remove",
            {"v": "x" * 51},
            (Cause.BROKEN_LIMIT, "rule 'one': the value of attribute 'n'"),
        ),
    ],
)
def test_a_value_that_the_event_does_not_say(more: str, fields: dict[str, object], expected: object) -> None:
    """Null is a word of the producer; missing may be a field that was renamed. So each has its own key."""
    found = translated(attribute(more), {"u": "alice"} | fields)

    match expected, found:
        case (Cause() as cause, str(info)), (found_cause, str(found_info)):
            assert (cause, found_info[: len(info)]) == (found_cause, info)
        case str(reason), str():
            assert found.startswith(reason)
        case _:
            assert found == {"alice": expected}


def test_null_anywhere_on_the_way_is_null() -> None:
    """As in a change event of a database, where all of `after` is null."""
    rules = rules_of(
        "{name: one, event: x, user: '{u}', changes: [set_attribute: {name: n, value: '{after.v}', if_null: remove}]}"
    )

    assert translated(rules, {"u": "alice", "after": None}) == {"alice": [GONE]}


def test_the_first_field_that_fails_decides() -> None:
    """A list where text is needed is a mistake, whatever else is null."""
    rules = rules_of(
        "{name: one, event: x, user: '{u}', changes: [set_attribute: {name: n, value: '{a}{b}', if_null: remove}]}"
    )

    assert translated(rules, {"u": "alice", "a": "x", "b": None}) == {"alice": [GONE]}
    found = translated(rules, {"u": "alice", "a": [], "b": None})
    assert found == (Cause.WRONG_TYPE, "rule 'one': field a is a list; text or an integer is needed")


TAGS: Final = "{name: one, event: x, user: '{u}', changes: [add_tag: {tag: 't:{item}', for_each: a.list%s}]}"


@pytest.mark.parametrize(
    ("more", "listed", "expected"),
    [
        ("", ["a", 1], {"alice": [AddTag("t:a"), AddTag("t:1")]}),
        ("", [], "nothing that its rules need is there, and they say to leave it out then"),
        ("", None, (Cause.MISSING_FIELD, "rule 'one': field a.list is null; a list is needed, empty if need be")),
        ("", "a", (Cause.WRONG_TYPE, "rule 'one': field a.list is no list, and for_each needs one")),
        ("", ["a", None], (Cause.WRONG_TYPE, "rule 'one': field item is null; text or an integer is needed")),
        ("", ["a", "b" * 49], (Cause.BROKEN_LIMIT, f"rule 'one': the tag {'t:' + 'b' * 49!r} has 51 bytes of UTF-8; "
                               "the Chat API takes 1 to 50")),
        (", if_null: ignore", ["a", None], {"alice": [AddTag("t:a")]}),
        (", if_null: ignore", None, "nothing that its rules need is there, and they say to leave it out then"),
        ("", ["a"] * MANY, (Cause.BROKEN_LIMIT, f"rule 'one': {TOO_MANY}")),
    ],
)  # fmt: skip
def test_a_tag_for_each_member_of_a_list(more: str, listed: object, expected: object) -> None:
    """All of the list or nothing of the event."""
    assert translated(rules_of(TAGS % more), {"u": "alice", "a": {"list": listed}}) == expected


def test_two_lists_may_make_tags_of_one_template() -> None:
    """What was added and what was removed stand in one event; of a member of both, the later change counts."""
    rules = rules_of(
        "{name: one, event: x, user: '{u}', changes: ["
        "remove_tag: {tag: 't:{item}', for_each: removed}, add_tag: {tag: 't:{item}', for_each: added}]}"
    )

    found = translated(rules, {"u": "alice", "added": ["a", "b"], "removed": ["c", "a"]})

    assert found == {"alice": [RemoveTag("t:c"), RemoveTag("t:a"), AddTag("t:a"), AddTag("t:b")]}


USERS: Final = (
    "{name: one, event: x, for_each: list, user: '{item.id}', urgent: true, changes: [add_tag: 't:{v}']}"
)


def test_an_event_concerns_each_user_of_a_list() -> None:
    """In the order of the list; who stands there twice is concerned once, by both."""
    rules = rules_of(one("set_attribute: {name: n, value: '{item.v}'}", "for_each: list, user: '{item.id}'"))

    found = translated(
        rules, {"list": [{"id": "bob", "v": 1}, {"id": "alice", "v": 2}, {"id": "bob", "v": 3}]}
    )

    assert found == {"bob": [SET("n", "1"), SET("n", "3")], "alice": [SET("n", "2")]}
    assert isinstance(found, dict)
    assert list(found) == ["bob", "alice"]


def test_a_list_of_one_user_is_an_event_of_one_user() -> None:
    event = rules_of(USERS).translate("events", Event("x", {"v": "a", "list": [{"id": "bob"}]}, 7.0))

    assert event == Translated(UserId("bob"), (AddTag("t:a"),), True, 7.0)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"v": "a", "list": []}, "no rule's condition holds, or nothing that the rules need is there"),
        ({"v": "a"}, (Cause.MISSING_FIELD, "rule 'one': field list is missing; a list is needed, empty if need be")),
        ({"v": "a", "list": [{"id": "bob"}, {}]},
         (Cause.NO_USER, "rule 'one': the user: field item.id is missing; text or an integer is needed")),
        ({"v": "a", "list": [{"id": "b" * 33}]},
         (Cause.BROKEN_LIMIT, f"rule 'one': the user '{'b' * 33}' has 33 bytes of UTF-8; the Chat API takes 1 "
          "to 32")),
        ({"v": "a", "list": [{"id": "bob"}] * MANY}, (Cause.BROKEN_LIMIT, f"rule 'one': {TOO_MANY}")),
    ],
)  # fmt: skip
def test_a_list_of_users_that_cannot_be_used(fields: Fields, expected: object) -> None:
    """One bad member makes the event unusable: it is applied whole or not at all."""
    assert translated(rules_of(USERS), fields) == expected


def test_a_condition_is_asked_of_each_member() -> None:
    rules = rules_of(
        "{name: one, event: x, for_each: list, when: item.on == true, user: '{item.id}', changes: [add_tag: t]}"
    )

    found = translated(rules, {"list": [{"id": "alice", "on": True}, {"id": "bob", "on": False}]})

    assert found == {"alice": [AddTag("t")]}


def test_each_type_of_a_list_of_types_is_the_rules() -> None:
    rules = rules_of("{name: one, event: [x, y], user: '{u}', changes: [add_tag: t]}")

    assert [translated(rules, {"u": "alice"}, kind) == {"alice": [AddTag("t")]} for kind in "xyz"] == [
        True,
        True,
        False,
    ]


TWO: Final = (
    "{name: high, event: x, when: v > 5, user: '{u}', changes: [set_attribute: {name: n, value: high}]}",
    "{name: low, event: x, when: v < 8, user: '{u}', changes: [set_attribute: {name: n, value: low}]}",
)


@pytest.mark.parametrize(
    ("v", "expected"),
    [
        (9, {"alice": [SET("n", "high")]}),
        (1, {"alice": [SET("n", "low")]}),
        (6, (Cause.CONFLICT, "rules 'high' and 'low' both apply and both write attribute 'n'; let only one condition "
             "hold")),
    ],
)  # fmt: skip
def test_of_two_rules_for_one_attribute_only_one_may_apply(v: int, expected: object) -> None:
    """Which of them wins would depend on the order of rules that look independent."""
    assert translated(rules_of(*TWO), {"u": "alice", "v": v}) == expected


def test_rules_with_conditions_find_the_same_user_if_they_apply() -> None:
    """A rule that does not apply needs no user."""
    rules = rules_of(
        "{name: one, event: x, when: v > 5, user: '{a}', changes: [add_tag: s]}",
        "{name: two, event: x, user: '{b}', changes: [add_tag: t]}",
    )

    assert translated(rules, {"b": "bob", "v": 1}) == {"bob": [AddTag("t")]}
    assert translated(rules, {"a": "alice", "b": "bob", "v": 9}) == (
        Cause.NO_USER,
        "rules 'one' and 'two' find different users, 'alice' and 'bob'",
    )


def test_only_what_is_urgent_is_urgent() -> None:
    """Of several users, those whom the urgent rule concerns."""
    rules = rules_of(USERS, "{name: two, event: x, user: '{u}', changes: [add_tag: s]}")

    event = rules.translate("events", Event("x", {"u": "alice", "v": 1, "list": [{"id": "bob"}]}))

    assert isinstance(event, TranslatedMany)
    assert {part.user: part.urgent for part in event.parts} == {"alice": False, "bob": True}


def test_a_source_wants_what_its_rules_use() -> None:
    """Decoders make nothing that nobody reads: a key is decoded for each record."""
    rules = parse_rules(
        """
sources:
  - {topic: a, format: cloudevents}
  - {topic: b, format: cloudevents}
  - {topic: c, format: cloudevents}
rules:
  - {name: one, event: x, topic: a, user: "{$key.id}", changes: [add_tag: "a:{$headers.x.y}"]}
  - {name: two, event: x, topic: b, user: "{data.id}", when: 'event["$topic"] == "b"', changes: [add_tag: "b:t"]}
  - {name: three, event: x, topic: c, user: "{data.id}", changes: [add_tag: "c:t"]}
""",
        file="x",
    )

    assert {topic: source.wants for topic, source in rules.sources.items()} == {
        "a": {"$key", "$headers"},
        "b": {"$topic"},
        "c": frozenset(),
    }


def test_a_header_whose_name_has_dots_is_found() -> None:
    rules = rules_of("{name: one, event: x, user: '{$headers.a.b}', changes: [add_tag: t]}")

    assert translated(rules, {"$headers": {"a.b": "alice"}}) == {"alice": [AddTag("t")]}


EVERYTHING: Final = rules_of(
    "{name: a, event: [x, y], when: v > 1 && has(w.v), user: '{u}', urgent: true, changes: [add_tag: 'a:{w.v}']}",
    "{name: b, event: x, for_each: w.list, user: '{item.u}', changes: [add_tag: {tag: 'b{item}', for_each: item.v}]}",
    "{name: c, event: x, for_each: v, when: item != null, user: '{item}', changes: [remove_tag: 'c:{u}']}",
    "{name: d, event: y, user: 'd:{u}', changes: [set_attribute: {name: n, value: '{v}', map: {'1': a, 'true': b}}]}",
    "{name: e, event: z, user: '{w.u}-{u}', changes: [set_attribute: {name: m, value: '{v}{w.v}', if_null: remove}]}",
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60)
names = st.sampled_from(["u", "v", "list", "item"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from("xyz"),
    st.fixed_dictionaries(
        {}, optional={"u": values, "v": values, "w": st.dictionaries(names, values) | values}
    ),
)
def test_whatever_an_event_holds_it_is_translated_or_told_why_not(
    kind: str, fields: dict[str, object]
) -> None:
    """What is raised in the middle of reading ends it, and a change that breaks a limit is refused for everybody."""
    event = EVERYTHING.translate("events", Event(kind, fields))

    match event:
        case Translated() | TranslatedMany():
            assert len({part.user for part in event.parts}) == len(event.parts)
            for part in event.parts:
                assert part.changes
                assert [broken_limit(part.user, change) for change in part.changes] == [None] * len(
                    part.changes
                )
        case Unusable(_, info):
            assert info.encode()
            assert len(info) <= 610
        case _:
            assert isinstance(event, Ignored)
