"""Putting back: whatever an account carries now, after these calls it carries what it did."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from audience_sync.chat_api.wire import Command
from audience_sync.probe.bodies import Body
from audience_sync.probe.carried import Carried, restoring

tags = st.lists(st.sampled_from([f"t{number}" for number in range(30)]), unique=True).map(tuple)
values = st.dictionaries(st.sampled_from(["city", "level", "asprobe1"]), st.sampled_from(["1", "2"]))
carried = st.builds(Carried, tags, values)
users = st.dictionaries(st.sampled_from(["alice", "bob", "carol"]), carried, min_size=1)


def apply(command: Command, body: Body, states: dict[str, Carried]) -> None:
    """What a call makes of users."""
    if command is Command.REMOVE_ALL_TAGS:
        named = body["To_Account"]
        assert isinstance(named, list)
        for user in named:
            states[user] = Carried((), states[user].attributes)
        return
    (entries,) = body.values()
    assert isinstance(entries, list)
    for entry in entries:
        user = entry["To_Account"]
        states[user] = applied(command, entry, states[user])


def applied(command: Command, entry: Mapping[str, Any], state: Carried) -> Carried:
    """What a call makes of one user."""
    match command:
        case Command.ADD_TAGS:
            assert len(entry["Tags"]) <= 10
            return Carried((*state.tags, *entry["Tags"]), state.attributes)
        case Command.REMOVE_TAGS:
            assert len(entry["Tags"]) <= 10
            return Carried(tuple(tag for tag in state.tags if tag not in entry["Tags"]), state.attributes)
        case Command.SET_ATTRIBUTES:
            return Carried(state.tags, {**state.attributes, **dict(entry["Attrs"])})
        case Command.REMOVE_ATTRIBUTES:
            left = {name: each for name, each in state.attributes.items() if name not in entry["Attrs"]}
            return Carried(state.tags, left)
    raise AssertionError(f"{command} puts nothing back")


@given(now=users, before=users, tags_at_once=st.sampled_from([1, 10]))
def test_what_was_carried_is_carried_again(
    now: dict[str, Carried], before: dict[str, Carried], tags_at_once: int
) -> None:
    """Of those who were not there before, nothing is left."""
    states = dict(now)
    for command, body in restoring(now, before, tags_at_once=tags_at_once):
        apply(command, body, states)
    assert all(state.is_like(before.get(user, Carried())) for user, state in states.items())


@given(now=users)
def test_nothing_is_called_where_nothing_changed(now: dict[str, Carried]) -> None:
    """Most questions read only."""
    assert list(restoring(now, now, tags_at_once=10)) == []


def test_all_who_had_no_tags_lose_them_in_one_call() -> None:
    """A thousand tags on eleven accounts would be a hundred calls."""
    full = Carried(tuple(f"t{number}" for number in range(100)))
    now = {"alice": full, "bob": full, "carol": Carried(("vip", "t1"))}
    before = {"alice": Carried(), "bob": Carried(), "carol": Carried(("vip",))}
    assert list(restoring(now, before, tags_at_once=10)) == [
        (Command.REMOVE_ALL_TAGS, {"To_Account": ["alice", "bob"]}),
        (Command.REMOVE_TAGS, {"UserTags": [{"To_Account": "carol", "Tags": ["t1"]}]}),
    ]


def test_what_a_probe_has_left_is_not_the_accounts_own() -> None:
    """A later run takes it away."""
    left = Carried(("vip", "asprobe0001"), {"city": "Shenzhen", "asprobe1": "1"})
    assert left.foreign == Carried(("vip",), {"city": "Shenzhen"})
