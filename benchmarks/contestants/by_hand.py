"""What everybody writes who writes it by hand: events into changes, changes folded, requests of a hundred users.

For peers in Python, whichever framework they read with. Standard library only, for some run in an environment of
their own. It does no more than the task needs: nothing is checked, and whoever is refused is told of on standard
error and forgotten.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Final

USERS: Final = 100
TAGS: Final = 10

Request = tuple[str, dict[str, Any]]
"""Command of the Chat API, and body."""


class Folded:
    """The last word on each attribute and tag of each user."""

    def __init__(self) -> None:
        self._attributes: dict[str, dict[str, str]] = {}
        self._tags: dict[str, dict[str, bool]] = {}

    def add(self, event: Mapping[str, Any]) -> None:
        """Take in one event, decoded."""
        match event.get("type"):
            case None:
                self._attributes.setdefault(event["user_id"], {})["city"] = event["city"]
            case "com.example.membership.changed":
                data = event["data"]
                self._attributes.setdefault(data["user_id"], {})["membership"] = data["tier"]
            case followed:
                data = event["data"]
                tags = self._tags.setdefault(data["user_id"], {})
                tags[f"stock:{data['symbol']}"] = followed == "com.example.stock.followed"

    def requests(self) -> Iterator[Request]:
        """What says it all. No user is in two that contradict each other, so their order does not matter."""
        users = [{"To_Account": user, "Attrs": values} for user, values in self._attributes.items()]
        yield from (("im_set_attr", {"UserAttrs": some}) for some in _hundreds(users))
        for command, carried in (("im_add_tag", True), ("im_remove_tag", False)):
            for some in _hundreds(list(self._tagged(carried))):
                yield command, {"UserTags": some}

    def _tagged(self, carried: bool) -> Iterator[dict[str, Any]]:
        names = {
            user: [tag for tag, whether in tags.items() if whether is carried]
            for user, tags in self._tags.items()
        }
        for begin in count(0, TAGS):
            some = [(user, tags[begin : begin + TAGS]) for user, tags in names.items() if len(tags) > begin]
            if not some:
                return
            yield from ({"To_Account": user, "Tags": tags} for user, tags in some)


def tell(command: str, answer: bytes) -> None:
    """Say so on standard error if a request was refused, or somebody in it."""
    said = json.loads(answer)
    if said["ErrorCode"] or said.get("ErrorList"):
        print(f"{command} was refused: {said}", file=sys.stderr, flush=True)


def _hundreds(users: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    return (users[begin : begin + USERS] for begin in range(0, len(users), USERS))
