"""The rules file as YAML: what it holds, and in which line each part stands."""

from collections.abc import Sequence

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

Place = tuple[str | int, ...]
"""The keys and list positions that lead to a part of the file."""


class NotYamlError(Exception):
    """The text is no YAML; the message says why, and *line* where (from 1), if the parser knows."""

    def __init__(self, why: str, line: int | None) -> None:
        super().__init__(why)
        self.line = line


class Document:
    """A parsed YAML file that remembers its lines."""

    def __init__(self, text: str) -> None:
        """Parse *text*. Raises NotYamlError; a key that stands twice is an error as well."""
        parser = YAML(typ="rt", pure=True)
        try:
            self.content: object = parser.load(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            why = " ".join(str(part) for part in (error.context, error.problem) if part)
            raise NotYamlError(why, None if mark is None else mark.line + 1) from error
        except YAMLError as error:
            raise NotYamlError(str(error).splitlines()[0], None) from error
        except ValueError as error:  # a scalar that looks like a date, say, and is none
            raise NotYamlError(str(error), None) from error
        except RecursionError as error:
            raise NotYamlError("lists or maps are nested too deeply", None) from error

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


def _line_of(node: object, step: str | int) -> int | None:
    """The line, from 0, of one member of a map or list; None if it has no such member."""
    if isinstance(node, CommentedMap) and step in node and step in node.lc.data:
        return int(node.lc.key(step)[0])
    if isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
        return int(node.lc.item(step)[0])
    return None
