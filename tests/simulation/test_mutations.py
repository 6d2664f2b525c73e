"""The histories see what they are for: each misreading of the design breaks a promise, and is found."""

from collections.abc import Mapping
from typing import Final

import pytest

from tests.simulation.mutations import MUTATIONS, Mutation
from tests.simulation.searching import Found, found_on_all_cores, in_short

MOST: Final = 800
"""Histories that a misreading may take. Most take a few, the rarest some hundred."""

SEARCHES: Final = 2
"""Searches for each: a misreading that only one lucky seed finds is not found."""

PROMISES: Final = ("P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P10")


@pytest.fixture(scope="module")
def found() -> Mapping[str, Found]:
    """What was found, looked for on all cores."""
    return {each.name: each for each in found_on_all_cores(MUTATIONS, searches=SEARCHES, most=MOST)}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_misreading_of_the_design_is_found(mutation: Mutation, found: Mapping[str, Found]) -> None:
    """A judge who acquits everybody is worth nothing."""
    assert found[mutation.name].always, f"{mutation.what} Histories until found: {found[mutation.name].taken}"


def test_few_histories_tell_a_misreading(
    found: Mapping[str, Found], capsys: pytest.CaptureFixture[str]
) -> None:
    """The figure is printed, so that a change that blinds the histories is seen before nothing is found at all."""
    with capsys.disabled():
        print(f"\n{in_short(list(found.values()))}")
    assert sorted(each.median for each in found.values() if each.always)[len(found) // 2] <= 50


def test_each_promise_is_broken_by_some_misreading() -> None:
    """No promise is judged by nobody."""
    broken = {promise for mutation in MUTATIONS for promise in mutation.breaks}
    assert broken >= set(PROMISES)
