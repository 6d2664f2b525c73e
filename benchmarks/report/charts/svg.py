"""The paper that is drawn on: elements, texts, and a document with its colours for light and dark."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

WIDTH: Final = 880
"""In pixels at full size: as wide as a page of text on the usual hosts."""

MARGIN: Final = 28
HEAD: Final = 78
"""What the title and the line below it take, from the top."""

_LIGHT: Final = {
    "paper": "#ffffff",
    "edge": "#d8dee6",
    "ink": "#1a2330",
    "soft": "#5b6877",
    "grid": "#e8ecf1",
    "goal": "#b42318",
    "zone": "#1a7f4e",
    "hues": ("#2f6fdb", "#94a1b2", "#c9720a", "#0e8f83", "#8a4fc7"),
}
_DARK: Final = {
    "paper": "#11161e",
    "edge": "#2b3441",
    "ink": "#e8edf4",
    "soft": "#9aa7b7",
    "grid": "#232b36",
    "goal": "#ff8a7a",
    "zone": "#4fc98a",
    "hues": ("#6aa5ff", "#6c7a8c", "#f0a444", "#3fc9bb", "#c195f5"),
}
HUES: Final = len(_LIGHT["hues"])
"""So many series can be told apart by their colours, also by who sees few; more repeat."""

_SHAPES: Final = """
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-size:13px;
font-variant-numeric:tabular-nums}
.title{font-size:18px;font-weight:650}
.small{font-size:11.5px}
.strong{font-weight:650}
.end{text-anchor:end}
.middle{text-anchor:middle}
.axis,.spread{stroke-width:1.25}
.goal{stroke-width:1.5;stroke-dasharray:4 3}
.zone{opacity:.13}
.line{fill:none;stroke-width:2.5;stroke-linejoin:round;stroke-linecap:round}
.dot{stroke-width:1.5}
.halo{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}
"""


def _colours(of: Mapping[str, Any]) -> str:
    """Rules of style, and no variables: not everything that shows pictures knows them."""
    hues = "".join(
        f".f{hue},.t{hue}{{fill:{colour}}}.s{hue}{{stroke:{colour}}}\n"
        for hue, colour in enumerate(of["hues"])
    )
    return (
        f"text{{fill:{of['ink']}}}\n.soft{{fill:{of['soft']}}}\n.card{{fill:{of['paper']};stroke:{of['edge']}}}\n"
        f".grid{{stroke:{of['grid']}}}\n.axis{{stroke:{of['edge']}}}\n.spread{{stroke:{of['ink']}}}\n"
        f".goal{{stroke:{of['goal']}}}\n.goal-text{{fill:{of['goal']}}}\n"
        f".zone,.zone-text{{fill:{of['zone']}}}\n.dot,.halo{{stroke:{of['paper']}}}\n{hues}"
    )


_STYLE: Final = f"{_SHAPES}{_colours(_LIGHT)}@media (prefers-color-scheme:dark){{\n{_colours(_DARK)}}}\n"


def element(name: str, *inner: str, **attributes: str | float) -> str:
    """An element. *inner* is XML already. Attributes are plain values; `class_` becomes `class`."""
    given = "".join(
        f" {key.rstrip('_').replace('_', '-')}={quoteattr(_number(value))}"
        for key, value in attributes.items()
    )
    return f"<{name}{given}>{''.join(inner)}</{name}>" if inner else f"<{name}{given}/>"


def text(x: float, y: float, words: str, class_: str = "") -> str:
    """Words with their base line at *y*."""
    classes = {"class_": class_} if class_ else {}
    return element("text", escape(words), x=x, y=y, **classes)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def dot(x: float, y: float, hue: int, radius: float = 5) -> str:
    """A point of a series."""
    return element("circle", cx=x, cy=y, r=radius, class_=f"dot f{hue % HUES}")


def bar(x: float, y: float, width: float, height: float, class_: str) -> str:
    """A bar with slightly rounded corners."""
    return element("rect", x=x, y=y, width=width, height=height, rx=min(3.0, width / 2), class_=class_)


def document(*, title: str, below: str, description: str, height: float, body: Iterable[str]) -> str:
    """A whole picture: a card with its *title*, a line *below* it, and the *description* that is read out."""
    return (
        element(
            "svg",
            f"<title>{escape(title)}</title>\n",
            f"<desc>{escape(description)}</desc>\n",
            f"<style>{_STYLE}</style>\n",
            element("rect", x=0.5, y=0.5, width=WIDTH - 1, height=height - 1, rx=10, class_="card") + "\n",
            text(MARGIN, 36, title, "title") + "\n",
            text(MARGIN, 58, below, "soft") + "\n",
            *(f"{each}\n" for each in body),
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {WIDTH} {_number(height)}",
            width=WIDTH,
            height=height,
            role="img",
        )
        + "\n"
    )


def width_of(words: str, size: float = 13) -> float:
    """About how wide *words* are, in pixels: nobody measures fonts here, so rather a little too much."""
    narrow = sum(letter in "il.,:;|'!()[] fjt1" for letter in words)
    return (0.62 * (len(words) - narrow) + 0.36 * narrow) * size


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{round(value, 2):g}"
