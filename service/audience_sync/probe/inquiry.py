"""Asks all questions, goes on after one that failed, and leaves the app as it was."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from audience_sync.chat_api.profile import Seen
from audience_sync.probe.calling import FEATURE_OFF, Caller, StoppedError, UnansweredError
from audience_sync.probe.ground import Ground
from audience_sync.probe.question import Findings, Given, Interview, Question, left_open
from audience_sync.probe.questions import QUESTIONS
from audience_sync.probe.switches import ASKED, NOT_ASKED, Value


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

    def stop(self, why: str, *, code: int = 0) -> None:
        """Ask no more: what was neither found nor left open is open for this reason."""
        self.stopped = why
        if code == FEATURE_OFF:
            self.switches["feature_off"] = "all"
            self.open.pop("feature_off", None)
            self.decided_by["feature_off"] = "looking"
        for name in ASKED:
            if name not in self.switches:
                self.open.setdefault(name, f"not asked: {why}")

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
            progress(question.name)
            await _ask(caller, ground, given, question, result)
    except StoppedError as error:
        result.stop(str(error), code=error.code)
    except UnansweredError as error:
        result.stop(str(error))
    except asyncio.CancelledError:  # once: what was begun is put back before it ends
        result.stop("interrupted")
    finally:
        if caller.has_changed:
            progress("putting everything back")
            result.remains = await ground.leave()
    return result


async def _ask(caller: Caller, ground: Ground, given: Given, question: Question, result: Found) -> None:
    now = replace(
        given, bare=ground.bare, attributes=ground.attributes, slots=ground.slots, known=result.switches
    )
    if reason := question.needs.missing(now):
        if not set(question.decides) <= result.switches.keys():
            result.add(question, left_open(f"not asked: {reason}", *question.decides))
        return
    interview = Interview(caller, question.name, most_calls=question.most_calls)
    try:
        await question.ask(interview, now)
        result.add(question, question.judge(now, interview.answers))
    except UnansweredError as error:
        result.add(question, left_open(f"{question.name}: {error}", *question.decides))
    finally:
        result.seen += interview.seen
    await ground.tidy()
