"""What is planned with: what settings say of the service, and how long an answer takes."""

from audience_sync.core.planner import READING_SECONDS, Assumed
from audience_sync.settings import Settings


def assumed(
    settings: Settings, *, answer_seconds: float, reading_seconds: float = READING_SECONDS
) -> Assumed:
    """What the settings say of the service, and how long an answer is taken to need."""
    return Assumed(
        times=settings.debounce.times,
        calls_per_second=settings.chat.calls_per_second,
        calls_per_second_of_app=settings.chat.calls_per_second_of_app,
        most_in_flight=settings.chat.most_in_flight,
        dead_letters_per_minute=settings.dead_letters.most_per_minute,
        answer_seconds=answer_seconds,
        reading_seconds=reading_seconds,
        confirmed_seconds=settings.repeats.known_seconds,
        confirmed_names=settings.repeats.known_names,
    )
