"""`audience-sync rules`: cases tried, a schema printed, rules proposed."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from ruamel.yaml import YAML

from audience_sync.commands.stop import ExitCode
from audience_sync.rules.file import DEFAULT_RULES, parse_rules
from tests.support.shell import Shell

SAMPLE = '{"kind": "moved", "user_id": "alice", "city": "Shenzhen", "street": "A"}'
CASE = """
cases:
  - name: moved
    topic: city-changed
    event: {kind: city-changed, user_id: alice, city: Shenzhen}
    expect: {user: alice, changes: [{set_attribute: {name: city, value: CITY}}]}
"""


def test_cases_that_pass_end_with_0() -> None:
    """Those that ship, if nothing is said."""
    told = Shell({})("rules", "test")
    assert (told.code, told.out) == (0, "")
    assert "all as expected" in told.err


def test_a_case_that_fails_ends_with_1(tmp_path: Path) -> None:
    """So that CI is red; with file, line, and both."""
    file = tmp_path / "cases.yaml"
    file.write_text(CASE.replace("CITY", "Beijing"))

    told = Shell({})("rules", "test", str(file))

    assert told.code == ExitCode.FAILED
    assert f"{file}, line 3: moved" in told.out
    assert "Beijing" in told.out
    assert "Shenzhen" in told.out
    [result] = Shell({})("rules", "test", str(file), "--json").out.splitlines()
    assert json.loads(result)["passed"] is False


def test_cases_that_can_not_be_tried_end_with_2(tmp_path: Path) -> None:
    """Another code: nothing was tried."""
    told = Shell({})("rules", "test", str(tmp_path / "absent.yaml"))
    assert told.code == ExitCode.BAD_INPUT
    assert "absent.yaml" in told.err


def test_the_schema_takes_the_rules_that_ship() -> None:
    """As an editor would."""
    schema = json.loads(Shell({})("rules", "schema").out)
    jsonschema.validate(YAML(typ="safe", pure=True).load(DEFAULT_RULES), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"sources": [], "rules": []}, schema)


def test_new_rules_can_be_tried_at_once(tmp_path: Path) -> None:
    """What is printed is a rules file."""
    rules, cases = tmp_path / "rules.yaml", tmp_path / "rules.cases.yaml"
    rules.write_text(
        Shell({})(
            "rules", "new", "--sample", "-", "--topic", "city-changed", "--attribute", "city", given=SAMPLE
        ).out
    )
    cases.write_text(CASE.replace("CITY", "Shenzhen").replace("kind: city-changed", "kind: moved"))

    told = Shell({})("rules", "test", "--rules", str(rules))
    assert told.code == 0, told.seen


@pytest.mark.parametrize(
    ("words", "given", "told"),
    [
        ((), SAMPLE, "--topic"),
        (("--topic", "moves", "--user", "uid"), SAMPLE, "no field 'uid'"),
        (("--topic", "moves"), '{"city": "A"}', "--user"),
        (("--topic", "moves"), '{"user": "A"}', "--attribute"),
        (("--topic", "moves", "--tag", "city:{city"), SAMPLE, "--tag"),
        (("--topic", "moves"), "no JSON", "a JSON object"),
        (("--topic", "moves"), "[" * 100_000, "a JSON object"),
    ],
    ids=["topic", "field", "user", "changes", "template", "JSON", "depth"],
)
def test_what_is_not_found_has_to_be_said(words: tuple[str, ...], given: str, told: str) -> None:
    """Each message names the option."""
    ended = Shell({})("rules", "new", "--sample", "-", *words, given=given)
    assert ended.code == ExitCode.BAD_INPUT
    assert told in ended.err


def test_on_a_terminal_it_asks_and_proposes_answers(tmp_path: Path) -> None:
    """Questions and answers are on the terminal, so that the output is a rules file and nothing else."""
    sample = tmp_path / "sample.json"
    sample.write_text(SAMPLE)
    ours, theirs = pty.openpty()
    os.write(ours, b"moves\n\ncity\n")  # the topic, the user as proposed, one of the attributes
    asked = subprocess.run(
        [sys.executable, "-m", "audience_sync", "rules", "new", "--sample", str(sample)],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        timeout=60,
        check=True,
    )
    seen = os.read(ours, 10_000).decode()
    os.close(ours)
    os.close(theirs)

    assert "Field with the user [user_id]" in seen
    assert "Fields that become attributes [city street]" in seen
    rules = parse_rules(asked.stdout.decode(), file="printed")
    assert rules.topics == ("moves",)
    assert rules.attribute_names == ("city",)


def test_patterns_match_the_topics_that_cases_name(tmp_path: Path) -> None:
    """No broker is needed to try them."""
    rules, cases = tmp_path / "rules.yaml", tmp_path / "rules.cases.yaml"
    rules.write_text(
        """
sources:
  - {pattern: "orders-.*", format: json, type: paid, each_user_in_one_topic: true}
rules:
  - {name: paid, event: paid, user: "{user}", changes: [{add_tag: paid}]}
"""
    )
    cases.write_text(
        "cases: [{name: paid, topic: orders-eu, event: {user: u}, expect: {user: u, changes: [{add_tag: paid}]}}]"
    )
    told = Shell({})("rules", "test", "--rules", str(rules))
    assert told.code == 0, told.seen
