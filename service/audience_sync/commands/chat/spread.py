"""Options that take several values one after the other: `--tags-or a b` is `--tags-or a --tags-or b`."""

from collections.abc import Container, Iterator, Sequence
from typing import Any

from typer.core import TyperCommand


class ManyValues(TyperCommand):
    """A command without arguments, so that what follows an option that may be repeated is another value of it."""

    def parse_args(
        self, ctx: Any, args: list[str]
    ) -> list[str]:  # Any: the library does not name its context
        """Parse *args*, spread out."""
        repeatable = {
            name for option in self.params if getattr(option, "multiple", False) for name in option.opts
        }
        return super().parse_args(ctx, [*spread(args, repeatable)])


def spread(args: Sequence[str], repeatable: Container[str]) -> Iterator[str]:
    """*args* with each value of a repeatable option behind an option of its own."""
    option: str | None = None
    has_value = True
    for word in args:
        if not has_value:
            has_value = True
        elif word.startswith("-"):
            name, divided, _ = word.partition("=")
            option = name if name in repeatable else None
            has_value = option is None or bool(divided)
        elif option is not None:
            yield option
        yield word
