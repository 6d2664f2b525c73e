"""Templates: text with fields, and each way to get one wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_sync.core.event import Cause, Unusable
from audience_sync.core.templates import TemplateError, parsed

FIELDS: dict[str, object] = {
    "data": {"tier": "gold", "level": 7, "vip": True, "score": 1.5, "none": None, "list": ["a"], "empty": ""},
    "城市": "深圳",
    "a b": "blank",
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("{data.tier}", "gold"),
        ("tier:{data.tier}", "tier:gold"),
        ("{data.tier}-{data.level}!", "gold-7!"),
        ("{{{data.tier}}}", "{gold}"),
        ("}}{{", "}{"),
        ("{城市}", "深圳"),
        ("{a b}", "blank"),
        ("", ""),
    ],
)
def test_a_template_is_rendered(template: str, text: str) -> None:
    assert parsed(template).compiled()(FIELDS) == text


@pytest.mark.parametrize(
    ("template", "cause", "what"),
    [
        ("{data.nowhere}", Cause.MISSING_FIELD, "data.nowhere is missing"),
        ("x{data.tier.deeper}", Cause.MISSING_FIELD, "data.tier.deeper is missing"),
        ("{nowhere.at.all}{data.tier}", Cause.MISSING_FIELD, "nowhere.at.all is missing"),
        ("x{data.empty}", Cause.MISSING_FIELD, "data.empty is empty"),
        ("{data.vip}", Cause.WRONG_TYPE, "data.vip is a boolean"),
        ("{data.score}", Cause.WRONG_TYPE, "data.score is a number with a fraction or exponent"),
        ("{data.none}", Cause.WRONG_TYPE, "data.none is null"),
        ("{data.list}", Cause.WRONG_TYPE, "data.list is a list"),
        ("{data}", Cause.WRONG_TYPE, "data is an object"),
    ],
)
def test_a_field_that_cannot_be_used_says_why(template: str, cause: Cause, what: str) -> None:
    """Text made of a boolean or of nothing would be a tag that nobody meant."""
    answer = parsed(template).compiled()(FIELDS)

    assert isinstance(answer, Unusable)
    assert answer.cause is cause
    assert answer.info == f"field {what}; text or an integer is needed"


@pytest.mark.parametrize(
    "template", ["{", "}", "{a", "a}", "{}", "{a..b}", "{.a}", "{a.}", "{ a }", "{a{b}}", "\ud800"]
)
def test_a_malformed_template_is_refused(template: str) -> None:
    with pytest.raises(TemplateError):
        parsed(template)


@given(st.text(alphabet="ab.{}"))
def test_a_parsed_template_stands_for_its_text(text: str) -> None:
    """What is printed in messages is what was written, and reads back as the same template."""
    try:
        template = parsed(text)
    except TemplateError:
        return
    assert str(template) == text
