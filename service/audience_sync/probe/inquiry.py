"""Asks all questions, goes on after one that failed, and leaves the app as it was."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from audience_sync.chat_api.errors import ChatApiError
from audience_sync.chat_api.profile import Seen
from audience_sync.probe.answer import INFO_CHARACTERS
from audience_sync.probe.calling import FEATURE_OFF, Caller, StoppedError, UnansweredError
from audience_sync.probe.ground import Ground
from audience_sync.probe.question import Findings, Given, Interview, Question, left_open
from audience_sync.probe.questions import QUESTIONS
from audience_sync.probe.switches import ASKED, NOT_ASKED, Value

INTERRUPTED: Final = "interrupted"
"""Why the asking ended when a person ended it."""

STOP: Final = "stop"
"""Called so among the evidence: the answer that ended the asking."""


@dataclass
class Found:
    """What a probe has found out."""

    switches: dict[str, Value] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=lambda: dict(NOT_ASKED))
    seen: list[Seen] = field(default_factory=list)
    decided_by: dict[str, str] = field(default_factory=dict)
    """{switch: the question}."""

    remains: list[str] = field(default_factory=list)
    """What is not as it was."""

    stopped: str | None = None
    """Why the asking ended early."""

    cause: ChatApiError | None = None
    """What the app said then."""

    def stop(self, why: str, cause: BaseException | None = None) -> None:
        """Ask no more: what was neither found nor left open is open for this reason."""
        self.stopped = why
        if isinstance(cause, ChatApiError):
            self.cause = cause
            info = cause.info[:INFO_CHARACTERS]
            self.seen.append(Seen(question=STOP, command=cause.endpoint, code=cause.code, info=info))
            if cause.code == FEATURE_OFF:
                self.switches["feature_off"] = "all"
                self.open.pop("feature_off", None)
                self.decided_by["feature_off"] = STOP
        for name in ASKED:
            if name not in self.switches:
                self.open.setdefault(name, f"not asked: {why}")

    def leave_out(self, question: Question, reason: str) -> None:
        """A question can't be asked; of no interest where another one found all that it decides."""
        if not self.switches.keys() >= set(question.decides):
            self.add(question, left_open(f"not asked: {reason}", *question.decides))

    def add(self, question: Question, findings: Findings) -> None:
        """Take what a question has found. What an earlier one found stays."""
        for name, value in findings.switches.items():
            self.switches.setdefault(name, value)
            self.decided_by.setdefault(name, question.name)
            self.open.pop(name, None)
        for name, why in findings.open.items():
            if name not in self.switches and why not in self.open.get(name, ""):
                self.open[name] = "; ".join(filter(None, (self.open.get(name), why)))


async def inquire(
    caller: Caller,
    given: Given,
    *,
    they_may_carry: bool,
    questions: Sequence[Question] = QUESTIONS,
    progress: Callable[[str], None] = lambda _: None,
) -> Found:
    """Ask *questions* about the app that *caller* calls, with the accounts of *given*.

    Raises UnfitError before anything was changed. Whatever else happens, the app is put back as it was, and
    what could not be is told.
    """
    ground = Ground(caller, accounts=given.accounts, unknown=given.unknown, doomed=given.permissions.delete)
    result = Found()
    try:
        progress("looking who is there")
        await ground.look(they_may_carry=they_may_carry)
        for question in questions:
            now = _given_now(given, caller, ground, result)
            if reason := question.needs.missing(now):
                result.leave_out(question, reason)
            else:
                progress(question.name)
                await _ask(caller, now, question, result)
                await ground.tidy()
    except (StoppedError, UnansweredError) as error:
        result.stop(str(error), error.__cause__)
    except asyncio.CancelledError:  # once: what was begun is put back before it ends
        result.stop(INTERRUPTED)
    finally:
        if caller.has_changed:
            progress("putting everything back")
            result.remains = await ground.leave()
    return result


def _given_now(given: Given, caller: Caller, ground: Ground, result: Found) -> Given:
    return replace(
        given,
        bare=ground.bare,
        attributes=ground.attributes,
        slots=ground.slots,
        push_seconds=caller.push_seconds,
        known=result.switches,
    )


async def _ask(caller: Caller, given: Given, question: Question, result: Found) -> None:
    interview = Interview(caller, question.name, most_calls=question.most_calls)
    try:
        await question.ask(interview, given)
        result.add(question, question.judge(given, interview.answers))
    except UnansweredError as error:
        result.add(question, left_open(f"{question.name}: {error}", *question.decides))
    finally:
        result.seen += interview.seen
