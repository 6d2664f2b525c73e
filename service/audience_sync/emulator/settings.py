"""What an emulator is told when it starts."""

from dataclasses import dataclass, field
from pathlib import Path

from audience_sync.emulator.limits import ATTRIBUTES_PER_APP, NAME_BYTES
from audience_sync.emulator.switches import Switches


@dataclass(frozen=True, kw_only=True)
class AppSettings:
    """One app: its admins, its key, how it stands to what is open, how it behaves.

    Raises ValueError, naming the value, for what cannot be. The key is in no repr.
    """

    key: str = field(repr=False)
    app_id: int = 1400000000
    admins: tuple[str, ...] = ("administrator",)
    """The identifiers that may call."""

    attribute_names: tuple[str, ...] = ()
    """Defined at start, in free slots, unless they are defined already."""

    switches: Switches = field(default_factory=Switches)
    imported: tuple[str, ...] = ()
    """Users there from the start."""

    calls_per_second: float = 100.0
    """For each endpoint. A bucket of the same size: after a pause, that many may come at once."""

    calls_per_second_of_app: float | None = None
    """For all endpoints together; None: any number."""

    pushes_per_day: int = 100
    latency_seconds: float = 0.0
    """Between applying a request and answering it."""

    seed: int = 0
    """Of everything that is left to chance: the order of answers, and faults by chance."""

    version_separator: str | None = None
    """An attribute value `name~7` has version 7 if this is "~"; lower versions after it are counted."""

    plain: bool = False
    """Answers in the order asked, with ErrorInfo always and no field beyond the documented ones."""

    @property
    def admin(self) -> str:
        """One who may call."""
        return self.admins[0]

    def __post_init__(self) -> None:
        names = self.attribute_names
        if len(names) > ATTRIBUTES_PER_APP or len(set(names)) != len(names):
            raise ValueError(f"attribute names {names}: at most {ATTRIBUTES_PER_APP}, each once")
        for name in names:
            if not 1 <= len(name.encode()) <= NAME_BYTES:
                raise ValueError(f"attribute name {name!r}: 1 to {NAME_BYTES} bytes of UTF-8")
        if not (self.admins and all(self.admins)):
            raise ValueError(f"admins {self.admins}: at least one, and none without a name")
        if self.app_id < 1:
            raise ValueError(f"app_id {self.app_id}: at least 1")
        if not self.calls_per_second >= 1:
            raise ValueError(f"calls_per_second {self.calls_per_second}: at least 1")
        if self.calls_per_second_of_app is not None and not self.calls_per_second_of_app >= 1:
            raise ValueError(f"calls_per_second_of_app {self.calls_per_second_of_app}: at least 1, or none")
        if self.pushes_per_day < 0:
            raise ValueError(f"pushes_per_day {self.pushes_per_day}: at least 0")
        if not 0 <= self.latency_seconds <= 3600:
            raise ValueError(f"latency_seconds {self.latency_seconds}: 0 to 3600")
        if self.version_separator == "":
            raise ValueError("version_separator is empty; leave it out to compare no versions")
        if not self.key:
            raise ValueError("the key is empty")


@dataclass(frozen=True, kw_only=True)
class Settings(AppSettings):
    """The first app, the others, and where their state is kept."""

    more_apps: tuple[AppSettings, ...] = ()
    state: Path | None = None
    """The file that what is applied is written to before it is answered."""

    def __post_init__(self) -> None:
        super().__post_init__()
        ids = [self.app_id, *(app.app_id for app in self.more_apps)]
        if len(set(ids)) != len(ids):
            raise ValueError(f"app ids {ids}: each once")
