"""The histories see what they are for: each misreading of the design breaks a promise, and is found."""

from typing import Final

import pytest

from tests.simulation.mutations import MUTATIONS, Mutation, searched

MOST: Final = 800
"""Histories that a misreading may take. Most take a few, the rarest some hundred."""

PROMISES: Final = ("P1", "P2", "P3", "P4", "P5", "P7", "P10")


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_misreading_of_the_design_is_found(mutation: Mutation) -> None:
    """A judge who acquits everybody is worth nothing."""
    assert searched(mutation, first=0, most=MOST) is not None, mutation.what


def test_each_promise_is_broken_by_some_misreading() -> None:
    """No promise is judged by nobody."""
    broken = {promise for mutation in MUTATIONS for promise in mutation.breaks}
    assert broken >= set(PROMISES)
