"""What a question is: what it needs, what it asks, and what its answers decide."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from audience_sync.chat_api.profile import Seen
from audience_sync.chat_api.wire import Command, Family, path
from audience_sync.probe.answer import Answer
from audience_sync.probe.bodies import Body
from audience_sync.probe.calling import PUSH_SECONDS, Asks, Caller, UnansweredError
from audience_sync.probe.slots import Slots
from audience_sync.probe.switches import Value

Answers = Mapping[str, Answer]
"""{what was asked for: the answer}."""

NO_SLOTS: Final = Slots({}, {})


@dataclass(frozen=True, kw_only=True)
class Permissions:
    """What may be done beyond writing to the accounts and defining two attribute names."""

    push: bool = False
    fill: bool = False
    delete: str | None = None
    """The account that may be deleted."""

    other: str | None = None
    """Somebody who is no administrator, and may be signed for."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a question can count on: whom it may write to, and what is known by now."""

    accounts: tuple[str, ...]
    unknown: str
    """An account that does not exist."""

    family: Family = Family.ALL_MEMBER_PUSH
    permissions: Permissions = Permissions()
    other_chat: Asks | None = None
    """A client that signs for `permissions.other`."""

    bare: tuple[str, ...] = ()
    """Those accounts that carry no tags of their own."""

    attributes: tuple[str, ...] = ()
    """Names of attributes that no account has a value of."""

    slots: Slots = NO_SLOTS
    random: int = 0
    """For whatever must not be there twice: 32 bits."""

    push_seconds: float = PUSH_SECONDS
    """From one push to the next."""

    known: Mapping[str, Value] = field(default_factory=dict)
    """What was found by now."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What answers decide, and why they do not decide the rest."""

    switches: Mapping[str, Value] = field(default_factory=dict)
    open: Mapping[str, str] = field(default_factory=dict)


def found(**switches: Value) -> Findings:
    """What was found."""
    return Findings(switches=switches)


def left_open(why: str, *switches: str) -> Findings:
    """What stays open, all for one reason."""
    return Findings(open=dict.fromkeys(switches, why))


def joined(*findings: Findings) -> Findings:
    """All of them in one."""
    switches = {name: value for each in findings for name, value in each.switches.items()}
    reasons = {name: why for each in findings for name, why in each.open.items()}
    return Findings(switches=switches, open=reasons)


def codes_of(user: str, answers: Answers) -> str:
    """What answers say of *user*, as evidence in a sentence."""
    return ", ".join(f"{what} {answer.code_of(user)}" for what, answer in answers.items())


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a question can't do without."""

    accounts: int = 1
    bare: int = 0
    attributes: int = 0
    own_slots: bool = False
    permission: str | None = None
    """The field of `Permissions`."""

    family: Family | None = None
    found: Mapping[str, Value] = field(default_factory=dict)

    def told_before(self, given: Given) -> str | None:
        """Why the question can't be asked, as far as can be told without asking the app; or None."""
        if self.permission and not getattr(given.permissions, self.permission):
            return f"needs {OPTIONS[self.permission]}"
        if len(given.accounts) < self.accounts:
            return f"needs {self.accounts} accounts, {len(given.accounts)} were given"
        if self.family not in (None, given.family):
            return f"is about {self.family}; {given.family} was asked"
        return None

    def missing(self, given: Given) -> str | None:
        """Why the question can't be asked; or None."""
        if reason := self.told_before(given):
            return reason
        for name, value in self.found.items():
            if name not in given.known:
                return f"needs {name} to be known"
            if given.known[name] != value:
                return f"needs {name}={value}, and it is {given.known[name]}"
        if len(given.bare) < self.bare:
            return f"needs {self.bare} accounts without tags of their own, {len(given.bare)} were given"
        if len(given.attributes) < self.attributes:
            return f"needs {self.attributes} attribute names that none of the accounts has a value of"
        if self.own_slots and given.slots.own is None:
            return "needs two free slots for attribute names, and to know that they are free"
        return None


OPTIONS: Final[Mapping[str, str]] = {
    "push": "--may-push",
    "fill": "--may-fill",
    "delete": "--may-delete NAME",
    "other": "--other-identifier NAME",
}
"""{permission: the option that gives it}."""


class Interview:
    """The calls of one question: bounded, with the answers kept under what they were asked for."""

    def __init__(self, caller: Caller, question: str, *, most_calls: int) -> None:
        self.caller = caller
        self.answers: dict[str, Answer] = {}
        self.seen: list[Seen] = []
        self._question, self._calls_left = question, most_calls

    async def ask(
        self,
        what: str,
        command: Command,
        body: Body,
        *,
        family: Family | None = None,
        via: Asks | None = None,
        whatever: bool = False,
    ) -> Answer:
        """Make a call, and keep its answer under *what*. The arguments after it are those of `Caller.call`."""
        if self._calls_left == 0:
            raise UnansweredError("needed more calls than it was planned to make")
        self._calls_left -= 1
        answer = await self.caller.call(command, body, family=family, via=via, whatever=whatever)
        self.answers[what] = answer
        asked = path(family or self.caller.chat.family, command).rpartition("/")[2]
        self.seen.append(
            Seen(
                question=self._question,
                command=asked,
                code=answer.code,
                info=answer.info,
                asked=what,
                named=answer.named,
            )
        )
        return answer


@dataclass(frozen=True, kw_only=True)
class Question:
    """One thing that the documentation leaves open."""

    name: str
    decides: tuple[str, ...]
    """The switches."""

    asks: str
    """How it is found out, in a sentence or two."""

    most_calls: int
    """It never makes more; repeats of calls that may pass later are not counted."""

    most_pushes: int = 0
    needs: Needs
    ask: Callable[[Interview, Given], Awaitable[None]]
    """Makes the calls."""

    judge: Callable[[Given, Answers], Findings]
    """What the answers decide. Pure; never a guess."""
