"""Words for the person at the terminal: safe to print, and counted."""

import sys


def printable(text: str, *, but: str = "") -> str:
    """*text* with what would move a cursor or break a row, such as a tab, written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in but else letter.encode("unicode_escape").decode()
        for letter in text
    )


def say(text: str) -> None:
    """Tell the person something that is no result."""
    print(printable(text, but="\n"), file=sys.stderr)


def counted(number: int, thing: str) -> str:
    """`1 user`, `2,000 users`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
