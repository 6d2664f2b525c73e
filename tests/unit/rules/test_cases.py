"""Cases beside a rules file: what they hold, how they are judged, and how they are refused."""

from pathlib import Path

import pytest

from audience_sync.events.translator import Translator
from audience_sync.rules.cases import Result, beside, judged
from audience_sync.rules.file import DEFAULT_RULES, load_rules, parse_rules
from audience_sync.rules.problems import RulesError

RULES = parse_rules(
    """
sources:
  - {topic: orders, format: json, type: paid, other_types: ignore}
rules:
  - name: last product
    event: paid
    user: "{user}"
    urgent: true
    changes:
      - set_attribute: {name: product, value: "{product}"}
      - remove_all_tags: true
""",
    file="rules.yaml",
)


def tried(tmp_path: Path, text: str) -> list[Result]:
    """The cases in *text*, with the rules above."""
    file = tmp_path / "rules.cases.yaml"
    file.write_text(text)
    return tried_in(file)


def tried_in(file: Path) -> list[Result]:
    """The cases in *file*, with the rules above."""
    return judged(file, topics=RULES.topics, translate=Translator(RULES).translate, apply=RULES.translate)


def one(tmp_path: Path, event: str, expect: str) -> Result:
    """A case with this event and this expectation."""
    [result] = tried(tmp_path, f"cases:\n  - name: a case\n    event: {event}\n    expect: {expect}\n")
    return result


GOOD = "{user: alice, changes: [{set_attribute: {name: product, value: tea}}, {remove_all_tags: true}]}"


def test_the_shipped_rules_do_what_their_cases_say() -> None:
    """Each rule has a case."""
    rules = load_rules()
    results = judged(
        beside(DEFAULT_RULES),
        topics=rules.topics,
        translate=Translator(rules).translate,
        apply=rules.translate,
    )

    assert [result for result in results if not result.passed] == []
    assert len(results) > len(rules.rules)


@pytest.mark.parametrize(
    ("event", "expect"),
    [
        ("{user: alice, product: tea}", GOOD),
        ("{user: alice, product: tea}", GOOD[:-1] + ", urgent: true}"),
        ("{user: alice, product: tea}", f"[{GOOD}]"),
        ('\'{"user": "alice", "product": "tea"}\'', GOOD),
        ("{user: alice}", "{dead_letter: missing_field}"),
        ("'no JSON'", "{dead_letter: unreadable}"),
        ("null", "{dead_letter: unreadable}"),
    ],
    ids=["a map", "urgent", "a list of users", "a text", "a dead letter", "unreadable", "no value"],
)
def test_a_case_passes_if_exactly_that_comes_out(tmp_path: Path, event: str, expect: str) -> None:
    """Whichever way the event is written."""
    assert one(tmp_path, event, expect).passed


@pytest.mark.parametrize(
    "expect",
    [
        "{user: bob, changes: [{set_attribute: {name: product, value: tea}}, {remove_all_tags: true}]}",
        "{user: alice, changes: [{remove_all_tags: true}, {set_attribute: {name: product, value: tea}}]}",
        "{user: alice, changes: [{set_attribute: {name: product, value: tea}}]}",
        "{user: alice, changes: [{set_attribute: {name: product, value: '{product}'}}, {remove_all_tags: true}]}",
        GOOD[:-1] + ", urgent: false}",
        "{dead_letter: missing_field}",
        "ignored",
    ],
    ids=[
        "another user",
        "another order",
        "one less",
        "not literal",
        "not urgent",
        "a dead letter",
        "ignored",
    ],
)
def test_anything_else_fails_and_both_are_told(tmp_path: Path, expect: str) -> None:
    """With the line of the case, so that an editor jumps there."""
    result = one(tmp_path, "{user: alice, product: tea}", expect)

    assert not result.passed
    assert result.expected != result.found
    assert result.line == 2


def test_why_an_event_is_unusable_is_told(tmp_path: Path) -> None:
    """The cause alone does not say which field."""
    assert "product" in (one(tmp_path, "{user: alice}", "ignored").why or "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: the file"),
        ("cases: []", "line 1"),
        ("cases:\n  - {name: a, event: {}}", "line 2: expect: Field required"),
        (
            "cases:\n  - name: a\n    event: {}\n    expect: {user: u}",
            "line 4: expect.0: expect `user` and `changes`",
        ),
        ("cases:\n  - {name: a, event: {}, expect: ignored, expects: 1}", "expects: Extra inputs"),
        ("cases:\n  - {name: a, event: {}, expect: {dead_letter: lost}}", "unreadable"),
        ("cases:\n  - {name: a, event: {at: 2026-11-22}, expect: ignored}", "put it in quotes"),
        (
            "cases:\n  - {name: a, topic: b, event: {}, expect: ignored}",
            "topic 'b' is not read; write one of orders",
        ),
        ("cases: [", "no YAML"),
    ],
    ids=["empty", "none", "missing", "half", "unknown key", "unknown cause", "a date", "topic", "no YAML"],
)
def test_a_file_that_can_not_be_used_says_why(tmp_path: Path, text: str, told: str) -> None:
    """With file and line."""
    with pytest.raises(RulesError) as refused:
        tried(tmp_path, text)
    assert told in str(refused.value)
    assert "rules.cases.yaml" in str(refused.value)


def test_cases_that_are_not_there_are_missed(tmp_path: Path) -> None:
    """And where they were looked for is told."""
    with pytest.raises(RulesError, match=r"absent\.cases\.yaml.*write cases there"):
        judged(
            beside(tmp_path / "absent.yaml"),
            topics=RULES.topics,
            translate=Translator(RULES).translate,
            apply=RULES.translate,
        )


def test_an_event_of_a_schema_is_given_as_its_fields_and_its_type(tmp_path: Path) -> None:
    """Nobody writes Avro by hand, and a case needs no registry."""
    rules = parse_rules(
        "sources:\n  - {topic: plans, format: avro}\nrules:\n  - name: plan\n    event: com.example.Plan\n"
        '    user: "{user}"\n    changes: [add_tag: "plan:{plan}"]\n',
        file="rules.yaml",
    )
    file = tmp_path / "rules.cases.yaml"
    file.write_text(
        "cases:\n"
        "  - {name: typed, type: com.example.Plan, event: {user: alice, plan: PRO},"
        " expect: {user: alice, changes: [{add_tag: 'plan:PRO'}]}}\n"
        '  - {name: untyped, event: "\\0\\0\\0\\0\\x07", expect: ignored}\n'
    )
    translator = Translator(rules, find=lambda _: None)
    typed, untyped = judged(file, topics=rules.topics, translate=translator.translate, apply=rules.translate)

    assert typed.passed
    assert "give the case a `type`" in str(untyped.found)


def test_a_type_needs_decoded_fields(tmp_path: Path) -> None:
    """Bytes have their type in them."""
    with pytest.raises(RulesError, match="with `type`, the event is a map of fields"):
        tried(tmp_path, "cases:\n  - {name: x, type: paid, event: text, expect: ignored}\n")
