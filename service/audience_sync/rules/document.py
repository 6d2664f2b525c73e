"""The rules file as YAML: what it holds, and in which line each part stands."""

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

Place = tuple[str | int, ...]
"""The keys and list positions that lead to a part of the file."""


class UnreadableError(Exception):
    """The file can't be read; the message says why, with the way out, and *line* where (from 1), if known."""

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why)
        self.line = line


def _no_yaml(why: str, line: int | None = None) -> UnreadableError:
    return UnreadableError(f"this is no YAML: {why}; indentation and quotes are the usual cause", line)


MOST_BYTES: Final = 256 * 1024
"""Ours: over a thousand rules. A parser that remembers lines needs seconds for more."""

MOST_LEVELS: Final = 30
"""Ours: rules need nine."""

MOST_BRACKETS: Final = 500
"""Ours: open at once, in quotes and comments as well, where a template may have a few."""

MOST_PARTS: Final = 50_000
"""Ours: what aliases stand for counts each time, or ten lines of them would fill the memory."""


class Document:
    """A parsed YAML file that remembers its lines."""

    def __init__(self, text: str) -> None:
        """Parse *text*. Raises UnreadableError; a key that stands twice is an error as well."""
        if len(text) > MOST_BYTES:
            raise UnreadableError(
                f"the file has more than {MOST_BYTES} characters; split it, one service each", None
            )
        if _brackets_open(text) > MOST_BRACKETS:  # the parser would need seconds for them
            raise _too_deep()
        parser = YAML(typ="rt", pure=True)
        try:
            self.content: object = parser.load(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            why = " ".join(str(part) for part in (error.context, error.problem) if part)
            raise _no_yaml(why, None if mark is None else mark.line + 1) from error
        except YAMLError as error:
            raise _no_yaml(str(error).splitlines()[0]) from error
        except ValueError as error:  # a scalar that looks like a date, say, and is none
            raise _no_yaml(str(error)) from error
        except RecursionError as error:
            raise _too_deep() from error
        version = parser.version
        if version is not None and tuple(version) != (1, 2):
            why = (
                "the file says that it is YAML 1.1, where no, on and 0123 are no texts; remove the line %YAML"
            )
            raise UnreadableError(why, 1)
        _bounded(self.content)

    def line(self, place: Sequence[str | int]) -> int:
        """The line, from 1, of the part at *place*, or of the innermost part around it that is there."""
        node = self.content
        line = 0
        for step in place:
            found = _line_of(node, step)
            if found is None or not isinstance(node, CommentedMap | CommentedSeq):
                break
            line = found
            node = node[step]
        return line + 1

    def rule_name(self, place: Place) -> str | None:
        """The name of the rule that *place* is in, if it is in one that has a name."""
        if len(place) < 2 or place[0] != "rules" or not isinstance(self.content, CommentedMap):
            return None
        rules = self.content.get("rules")
        if not isinstance(rules, CommentedSeq) or not isinstance(place[1], int) or place[1] >= len(rules):
            return None
        rule = rules[place[1]]
        name = rule.get("name") if isinstance(rule, CommentedMap) else None
        return name if isinstance(name, str) else None


def _brackets_open(text: str) -> int:
    """How many brackets and braces are open at once, at most."""
    steps = (1 if bracket in "[{" else -1 for bracket in re.findall(r"[\[\]{}]", text))
    return max(accumulate(steps, lambda depth, step: max(depth + step, 0)), default=0)


def _bounded(content: object) -> None:
    """Raise UnreadableError for what is small as text, by its aliases, and huge as a document, or without an end."""
    level = [content]
    parts = 0
    for _ in range(MOST_LEVELS):
        level = [
            member
            for node in level
            for member in (
                node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
            )
        ]
        parts += len(level)
        if not level:
            return
        if parts > MOST_PARTS:
            raise UnreadableError(
                f"with its aliases the file has more than {MOST_PARTS} parts; write fewer", None
            )
    raise _too_deep()


def _too_deep() -> UnreadableError:
    return UnreadableError(f"lists or maps are nested deeper than {MOST_LEVELS} levels; rules need nine")


def _line_of(node: object, step: str | int) -> int | None:
    """The line, from 0, of one member of a map or list; None if it has no such member."""
    if isinstance(node, CommentedMap) and step in node and step in node.lc.data:
        return int(node.lc.key(step)[0])
    if isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
        return int(node.lc.item(step)[0])
    return None
