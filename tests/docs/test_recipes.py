"""The recipes: each does what it says, and there are ten at least."""

import re
from pathlib import Path

import pytest

from tests.support.page_examples import Example, examples, shown

PAGE = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text()


@pytest.mark.parametrize("example", [*examples(PAGE)], ids=lambda example: example.told.split(":")[0])
def test_a_recipe_does_what_the_page_says(example: Example) -> None:
    """Whoever copies one gets what stands below it."""
    assert shown(example, file="docs/recipes.md") == example.told


def test_each_recipe_is_an_example() -> None:
    """So that none is only told."""
    recipes = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]

    assert len(recipes) >= 10
    for recipe in recipes:
        assert [*examples(recipe)], recipe.splitlines()[0]
