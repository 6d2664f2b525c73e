"""What can be called: the paths of both families of the push API, and those of the accounts."""

from enum import StrEnum
from typing import Final

import msgspec


class Family(StrEnum):
    """Which group of pages an endpoint is documented on. Its name stands in the path."""

    ALL_MEMBER_PUSH = "all_member_push"
    TIMPUSH = "timpush"
    """The successor: the same bodies, and users who were not served are named in ErrorList."""

    ACCOUNTS = "im_open_login_svc"


class Endpoint(msgspec.Struct, frozen=True):
    """One path. *command* is what the call does, the same word in both families of the push API."""

    name: str
    """As counters, faults and the list of requests have it."""

    family: Family
    command: str

    @property
    def path(self) -> str:
        """Where it is called."""
        return f"/v4/{self.family}/{self.name.rpartition('/')[2]}"


COMMANDS: Final = (
    "set_attr_name",
    "get_attr_name",
    "set_attr",
    "remove_attr",
    "get_attr",
    "add_tag",
    "remove_tag",
    "remove_all_tags",
    "get_tag",
    "push",
)
"""Of both families."""

ACCOUNT_COMMANDS: Final = ("account_import", "multiaccount_import", "account_check", "account_delete")


def _of_the_successor(command: str) -> Endpoint:
    last = "clear_all_tags" if command == "remove_all_tags" else command
    return Endpoint(f"{Family.TIMPUSH}/{last}", Family.TIMPUSH, command)


_ALL: Final = (
    *(Endpoint(f"im_{command}", Family.ALL_MEMBER_PUSH, command) for command in COMMANDS),
    *(_of_the_successor(command) for command in (*COMMANDS, "revoke")),
    *(Endpoint(command, Family.ACCOUNTS, command) for command in ACCOUNT_COMMANDS),
)

ENDPOINTS: Final = tuple(endpoint.name for endpoint in _ALL)
"""The names of all."""

BY_PATH: Final = {endpoint.path: endpoint for endpoint in _ALL}
"""{path: endpoint}."""
