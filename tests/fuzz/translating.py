"""A translator as careless as others write them: what is missing raises, what is odd goes through."""

from audience_sync.translators import Effects, Event, SetAttribute, UnfitError, UserId


def translate(event: Event) -> Effects | None:
    """Points of a user, or of several."""
    points = event.fields["points"]
    if points == 7:
        return None
    if not isinstance(points, int):
        raise UnfitError(f"points are {points!r}")
    return {
        UserId(str(event.fields["id"])): [SetAttribute("points", str(points))],
        UserId("everybody"): [SetAttribute("points", "9" * points)],
    }
