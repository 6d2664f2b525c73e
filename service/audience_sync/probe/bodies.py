"""The bodies of calls, as plain JSON: the wire's own models would refuse what a probe has to send."""

from collections.abc import Mapping, Sequence
from typing import Final

from audience_sync.chat_api.wire import Family

Body = Mapping[str, object]

OWN: Final = "asprobe"
"""All that a probe adds begins with this, so that a later run knows what an earlier one has left."""

OWN_NAMES: Final = (f"{OWN}1", f"{OWN}2", f"{OWN}3")
"""The names of attributes that a probe defines: two, and another one for the first."""

READABLE: Final = "A question of audience-sync probe. Nobody needs to read this."


def tag(number: int) -> str:
    """One of a probe's tags: few and always the same, for an app may have a limit of distinct ones."""
    return f"{OWN}{number:04d}"


def tags(first: int, last: int) -> list[str]:
    """Those from *first* to *last*."""
    return [tag(number) for number in range(first, last + 1)]


def of_tags(*entries: tuple[str, Sequence[str]]) -> Body:
    """Adds or removes tags of users."""
    return {"UserTags": [{"To_Account": user, "Tags": list(each)} for user, each in entries]}


def of_attributes(*entries: tuple[str, Mapping[str, object] | Sequence[str]]) -> Body:
    """Sets attributes of users, or removes them: a mapping stays an object, a sequence an array."""
    return {
        "UserAttrs": [
            {"To_Account": user, "Attrs": dict(each) if isinstance(each, Mapping) else list(each)}
            for user, each in entries
        ]
    }


def of_users(*users: str) -> Body:
    """Reads users, or removes all their tags."""
    return {"To_Account": list(users)}


def of_accounts(field: str, *users: str) -> Body:
    """Checks accounts (`CheckItem`), or deletes them (`DeleteItem`)."""
    return {field: [{"UserID": user} for user in users]}


def of_push(condition: Mapping[str, Sequence[str]], *, random: int, family: Family) -> Body:
    """A push to those of a condition who are online."""
    online_only = {"OnlineOnlyFlag": 1} if family is Family.TIMPUSH else {"MsgLifeTime": 0}
    message = {"MsgType": "TIMTextElem", "MsgContent": {"Text": READABLE}}
    return {"MsgRandom": random, **online_only, "Condition": condition, "MsgBody": [message]}


def users_in(body: object) -> set[str]:
    """Everybody whom a body names, whatever its shape."""
    if isinstance(body, list):
        return {user for each in body for user in users_in(each)}
    if not isinstance(body, Mapping):
        return set()
    named = {user for value in body.values() for user in users_in(value)}
    for field in ("To_Account", "UserID"):
        value = body.get(field)
        named.update(
            user for user in (value if isinstance(value, list) else [value]) if isinstance(user, str)
        )
    return named
