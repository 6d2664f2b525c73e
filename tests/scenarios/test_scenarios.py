"""Each scenario ends as its file expects, and a file that says what nobody understands is refused."""

from pathlib import Path

import pytest

from tests.scenarios.figures import NAMES
from tests.scenarios.playing import play
from tests.scenarios.scenario import ScenarioError, first_sentence, read_scenario, scenario_files
from tests.simulation.mutations import named

FILES = scenario_files()
A_SCENARIO = "# One event.\ngiven: {users: 1}\nexpect: {users_in_step: [1, 1]}\n"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_scenario_ends_as_its_file_expects(file: Path) -> None:
    """Every figure is in its range, and every promise was kept on the way."""
    played = play(file)
    assert played.is_as_expected, played.told()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_scenario_begins_with_a_sentence(file: Path) -> None:
    """The page of the scenarios is made of them."""
    assert first_sentence(file.read_text()).endswith(".")


def test_a_figure_out_of_its_range_is_told(tmp_path: Path) -> None:
    """With what it is, and what it should be."""
    file = tmp_path / "wrong.yaml"
    file.write_text(A_SCENARIO.replace("[1, 1]", "[2, 3]"))
    assert play(file).wrong == ["users_in_step is 1, and not between 2 and 3"]


def test_a_broken_promise_is_told(tmp_path: Path) -> None:
    """Whatever the figures are: here somebody dead-letters for a failure of the whole."""
    file = tmp_path / "broken.yaml"
    trouble = "when: [{at: 0, what: the feature is off, for_seconds: 60}]\nexpect:"
    file.write_text(A_SCENARIO.replace("expect:", trouble))
    with named("takes_a_failure_of_the_whole_for_the_users").applied():
        played = play(file)
    assert played.broken is not None
    assert "90045" in played.told()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (A_SCENARIO.replace("# One event.\n", ""), "begin it with a sentence"),
        (A_SCENARIO.replace("users: 1", "user: 1"), "given.user: nobody knows this key; there are users, "),
        (A_SCENARIO + "api: {calls: 1}", "api.calls: nobody knows this key; there are calls_per_second, "),
        (A_SCENARIO + "then: 1", "then: nobody knows this key; there are given, settings, api, when, expect"),
        (
            A_SCENARIO.replace("users_in", "user_in"),
            "no figure is called user_in_step; there are users_in_step, ",
        ),
        (A_SCENARIO.replace("[1, 1]", "[2, 1]"), "users_in_step is to be between 2 and 1; turn them round"),
        (A_SCENARIO.replace("[1, 1]", "one"), "expect.users_in_step: "),
        (A_SCENARIO.replace("{users_in_step: [1, 1]}", "{}"), "give a figure its range"),
        (A_SCENARIO + "when: [{at: 1, what: it rains}]", "what may happen: a clock jumps, "),
        (
            A_SCENARIO + "when: [{at: 1, what: a replica joins, x: 1}]",
            "when.0.x: nobody knows this key; there are at,",
        ),
        (A_SCENARIO + "when: [{at: 1, what: a replica is killed}]", "when.0.replica: Field required"),
        (A_SCENARIO.replace("users: 1", "users: 1, bad_users: 2"), "of 1 users, more are bad or unknown"),
        ("# One event.\ngiven: {", "while parsing"),
    ],
)
def test_what_nobody_understands_is_refused(text: str, why: str) -> None:
    """With the file, the place, and what would be right: a misspelt key would test nothing, and nobody would see."""
    with pytest.raises(ScenarioError) as caught:
        read_scenario(text, file="it.yaml", figures=NAMES)
    assert why in str(caught.value)
    assert str(caught.value).startswith("it.yaml: ")
