"""What an emulator is told when it starts."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from audience_sync.emulator.limits import ATTRIBUTES_PER_APP, NAME_BYTES


class Accounts(StrEnum):
    """Which users may be written to. Not documented for this API, hence a choice."""

    AUTO = "auto"
    """A user comes into being when first written to."""

    IMPORTED = "imported"
    """Only users imported before; any other refuses the whole request with 90048."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One app, its admin and its key; what is defined at start; how the emulator behaves.

    Raises ValueError, naming the value, for what cannot be. The key is in no repr.
    """

    key: str = field(repr=False)
    app_id: int = 1400000000
    admin: str = "administrator"
    attribute_names: tuple[str, ...] = ()
    """Defined at start, in free slots, unless they are defined already."""

    accounts: Accounts = Accounts.AUTO
    imported: tuple[str, ...] = ()
    """Users there from the start."""

    calls_per_second: float = 100.0
    """For each endpoint. A bucket of the same size: after a pause, that many may come at once."""

    latency_seconds: float = 0.0
    """Between applying a request and answering it."""

    seed: int = 0
    """Of everything that is left to chance: the order of answers, and faults by chance."""

    version_separator: str | None = None
    """An attribute value `name~7` has version 7 if this is "~"; lower versions after it are counted."""

    plain: bool = False
    """Answers in the order asked, with ErrorInfo always and no field beyond the documented ones."""

    state: Path | None = None
    """The file that what is applied is written to before it is answered."""

    def __post_init__(self) -> None:
        names = self.attribute_names
        if len(names) > ATTRIBUTES_PER_APP or len(set(names)) != len(names):
            raise ValueError(f"attribute names {names}: at most {ATTRIBUTES_PER_APP}, each once")
        for name in names:
            if not 1 <= len(name.encode()) <= NAME_BYTES:
                raise ValueError(f"attribute name {name!r}: 1 to {NAME_BYTES} bytes of UTF-8")
        if not self.calls_per_second >= 1:
            raise ValueError(f"calls_per_second {self.calls_per_second}: at least 1")
        if not 0 <= self.latency_seconds <= 3600:
            raise ValueError(f"latency_seconds {self.latency_seconds}: 0 to 3600")
        if self.version_separator == "":
            raise ValueError("version_separator is empty; leave it out to compare no versions")
        if not self.key:
            raise ValueError("the key is empty")
