"""Bad users in a batch: what follows from answers, and from which nothing follows."""

import pytest

from audience_sync.probe.answer import Answer
from audience_sync.probe.bodies import tag
from audience_sync.probe.bodies import tags as numbered
from audience_sync.probe.question import Answers
from audience_sync.probe.questions.batches import BATCH, FULL_BATCH
from tests.unit.probe.given import OK, attributes, judged, naming, refused, tags


def batches(first: Answer, second: Answer, values: Answer, *, alice: str, bob: str) -> Answers:
    """Three requests; of *alice* and *bob*, which of them served him: 1 and 2 of tags, v of values."""
    carried = {
        user: [tag(int(each)) for each in served if each != "v"]
        for user, served in (("alice", alice), ("bob", bob))
    }
    had = {
        user: {"asprobe1": "1"} if "v" in served else {} for user, served in (("alice", alice), ("bob", bob))
    }
    return {
        "tags 1": first,
        "tags 2": second,
        "tags after": tags(**carried),
        "attributes": values,
        "attributes after": attributes(**had),
    }


NO, NAMED = refused(90048), naming(nobody=70107)


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        pytest.param(batches(NO, NO, NO, alice="", bob=""), "reject", id="refused, nobody is served"),
        pytest.param(
            batches(NO, NO, NO, alice="1v", bob="2"), "prefix", id="refused, whoever came before is served"
        ),
        pytest.param(
            batches(NAMED, NAMED, NAMED, alice="12v", bob="12v"), "partial", id="the others, and he is named"
        ),
        pytest.param(
            batches(OK, OK, OK, alice="12v", bob="12v"), "ignore", id="the others, and nothing is said"
        ),
        pytest.param(
            batches(NO, NO, NO, alice="12v", bob="12v"), None, id="refused, and yet the others are served"
        ),
        pytest.param(
            batches(NO, NO, NO, alice="12v", bob=""), None, id="the first by name is served, not by place"
        ),
        pytest.param(batches(NO, NO, NO, alice="2", bob="1v"), None, id="those after him are served"),
        pytest.param(batches(NO, NO, NAMED, alice="v", bob="v"), None, id="tags and attributes disagree"),
        pytest.param(
            batches(NO, NO, NO, alice="1", bob="2"), None, id="tags go by place, attributes not at all"
        ),
        pytest.param(batches(OK, OK, OK, alice="", bob=""), None, id="OK, and nobody is served"),
        pytest.param(
            batches(OK, OK, OK, alice="1v", bob="2"), None, id="OK, and only those before are served"
        ),
        pytest.param(
            batches(naming(bob=1), NAMED, NAMED, alice="12v", bob="12v"), None, id="somebody else is named"
        ),
    ],
)
def test_batch(answers: Answers, found: str | None) -> None:
    """All three requests have to end in one way, by the place in the request; or nothing is known."""
    assert judged(BATCH, answers).switches == ({} if found is None else {"batch": found})


def test_a_batch_that_cannot_be_read_back_stays_open() -> None:
    """What is not shown may have been applied."""
    answers = {**batches(NO, NO, NO, alice="", bob=""), "tags after": tags(alice=[])}
    assert not judged(BATCH, answers).switches


@pytest.mark.parametrize(
    ("bob", "carol", "answer", "found"),
    [
        pytest.param([], [], refused(90046), "reject", id="refused, nobody is served"),
        pytest.param([tag(1)], [tag(2)], refused(90046), "prefix", id="whoever came before is served"),
        pytest.param([tag(1), tag(2)], [tag(1), tag(2)], naming(alice=90046), "partial", id="he is named"),
        pytest.param([tag(1), tag(2)], [tag(1), tag(2)], OK, "ignore", id="nothing is said"),
        pytest.param([tag(2)], [tag(1)], refused(90046), None, id="those after him are served"),
    ],
)
def test_full_batch(bob: list[str], carol: list[str], answer: Answer, found: str | None) -> None:
    """As with an unknown account; the full one stands between the others."""
    after = tags(alice=numbered(1, 100), bob=bob, carol=carol)
    answers = {"tags 1": answer, "tags 2": answer, "after": after}
    assert judged(FULL_BATCH, answers).switches == ({} if found is None else {"batch": found})


def test_full_batch_needs_a_full_account() -> None:
    """Else nobody was bad."""
    after = tags(alice=numbered(1, 101), bob=[tag(1), tag(2)], carol=[tag(1), tag(2)])
    assert not judged(FULL_BATCH, {"tags 1": OK, "tags 2": OK, "after": after}).switches
