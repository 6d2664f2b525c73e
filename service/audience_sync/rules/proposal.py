"""A sample event into rules that may fit it: where user, type and time stand, and what could become an attribute."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from audience_sync.core.event import Fields
from audience_sync.core.limits import ATTRIBUTE_NAME_BYTES, ATTRIBUTE_VALUE_BYTES, USER_ID_BYTES
from audience_sync.core.rule import Format

_USERS: Final = (
    *("userid", "user", "uid", "memberid", "member", "customerid", "customer", "accountid", "account"),
    *("openid", "identifier", "username", "login", "ownerid", "buyerid", "profileid"),
)
"""Likely names of the field with the user, the likeliest first; case, dots and underscores left out."""

_TYPES: Final = ("type", "eventtype", "kind", "event", "eventname", "name", "action", "op")
_TIMES: Final = (
    "time",
    "timestamp",
    "occurredat",
    "happenedat",
    "eventtime",
    "createdat",
    "updatedat",
    "at",
    "ts",
)
_ENVELOPE: Final = frozenset(
    {"specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema"}
)

MOST_ATTRIBUTES: Final = 3
"""So many attributes are proposed. Ours: an app has ten, for all its rules."""


class Leaf(msgspec.Struct, frozen=True):
    """A field that a rule can use: its path, and its text in the sample."""

    path: str
    text: str

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit(".", 1)[-1]


class Proposal(msgspec.Struct, kw_only=True):
    """What a rule could say; whoever knows better changes it before it is `written`."""

    topic: str
    format: Format
    type_field: str | None
    event: str
    time_field: str | None
    user: str | None
    attributes: list[str]
    tags: list[str]
    leaves: Sequence[Leaf]


def proposed(fields: Fields, *, topic: str) -> Proposal:
    """What fits the sample event *fields*, as far as names tell."""
    leaves = [leaf for leaf in _leaves(fields, ()) if leaf.text]
    is_cloudevent = "specversion" in fields and isinstance(fields.get("type"), str)
    inner = [leaf for leaf in leaves if not (is_cloudevent and leaf.path in _ENVELOPE)]
    kind = "type" if is_cloudevent else _likeliest(inner, _TYPES)
    moment = None if is_cloudevent else _likeliest([leaf for leaf in inner if _is_moment(leaf.text)], _TIMES)
    fits = [leaf for leaf in inner if leaf.path != kind and len(leaf.text.encode()) <= USER_ID_BYTES]
    user = _likeliest(fits, _USERS)
    event = next((leaf.text for leaf in leaves if leaf.path == kind), topic)
    attributes = {leaf.name: leaf.path for leaf in inner if _may_be_attribute(leaf, {kind, moment, user})}
    return Proposal(
        topic=topic,
        format=Format.CLOUDEVENTS if is_cloudevent else Format.JSON,
        type_field=None if is_cloudevent else kind,
        event=event,
        time_field=moment,
        user=user,
        attributes=list(attributes.values())[:MOST_ATTRIBUTES],
        tags=[],
        leaves=inner,
    )


def written(proposal: Proposal, *, sample: str) -> str:
    """The rules file that says what *proposal* proposes; *sample* is the name of what it was made from."""
    source = [f"  - topic: {_quoted(proposal.topic)}", f"    format: {proposal.format.value}"]
    if proposal.format is Format.JSON:
        kind = proposal.type_field
        source.append(f"    type_field: {kind}" if kind else f"    type: {_quoted(proposal.event)}")
        if proposal.time_field is not None:
            source.append(f"    time_field: {proposal.time_field}")
    changes = [
        f"      - set_attribute: {{name: {_quoted(path.rsplit('.', 1)[-1])}, value: {_quoted(f'{{{path}}}')}}}"
        for path in proposal.attributes
    ]
    changes += [f"      - add_tag: {_quoted(tag)}" for tag in proposal.tags]
    used = {proposal.user, proposal.type_field, proposal.time_field, *proposal.attributes}
    others = [leaf.path for leaf in proposal.leaves if leaf.path not in used]
    return "\n".join(
        [
            f"# Proposed for {sample}. What each key means: docs/rules.md.",
            "sources:",
            *source,
            "",
            "rules:",
            f"  - name: {_quoted(proposal.event)}",
            f"    event: {_quoted(proposal.event)}",
            f"    topic: {_quoted(proposal.topic)}",
            f"    user: {_quoted(f'{{{proposal.user}}}')}",
            "    changes:",
            *changes,
            *([f"# Not used: {', '.join(others)}"] if others else []),
            "",
        ]
    )


def _leaves(fields: Mapping[str, object], path: tuple[str, ...]) -> Iterator[Leaf]:
    """What a template can reach: texts and integers under names without dots and braces."""
    for key, value in fields.items():
        if not key or key != key.strip() or any(sign in key for sign in ".{}"):
            continue
        match value:
            case dict():
                yield from _leaves(value, (*path, key))
            case str():
                yield Leaf(".".join((*path, key)), value)
            case int() if not isinstance(value, bool):
                yield Leaf(".".join((*path, key)), str(value))


def _likeliest(leaves: Sequence[Leaf], names: Sequence[str]) -> str | None:
    """The path of the leaf whose last name, or last two names, stand first among *names*."""
    ranked = [
        (names.index(name), len(leaf.path), leaf.path)
        for leaf in leaves
        for parts in (leaf.path.split("."),)
        for name in {_bare(parts[-1]), _bare("".join(parts[-2:]))}
        if name in names
    ]
    return min(ranked)[2] if ranked else None


def _is_moment(text: str) -> bool:
    """Whether it is RFC 3339 with an offset, which is what `time_field` reads."""
    try:
        return "T" in text and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _may_be_attribute(leaf: Leaf, used: set[str | None]) -> bool:
    name = _bare(leaf.name)
    is_number_of_something = (
        name == "id" or leaf.name.lower().endswith(("_id", "_at")) or leaf.name.endswith(("Id", "At"))
    )
    fits = (
        len(leaf.text.encode()) <= ATTRIBUTE_VALUE_BYTES and len(leaf.name.encode()) <= ATTRIBUTE_NAME_BYTES
    )
    return leaf.path not in used and fits and not is_number_of_something


def _bare(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _quoted(text: str) -> str:
    """As YAML takes it whatever it looks like: JSON's quotes are YAML's."""
    return json.dumps(text, ensure_ascii=False)
