"""A running emulator, seen from the test that started it."""

from collections.abc import Callable

from audience_sync.emulator.api import Api, Seen
from audience_sync.emulator.apps import Apps
from audience_sync.emulator.counters import BrokenLimit, Counters, WentBack
from audience_sync.emulator.faults import FailNext, FaultSettings
from audience_sync.emulator.inbox import Delivery
from audience_sync.emulator.overlaps import Overlap
from audience_sync.emulator.settings import AppSettings
from audience_sync.emulator.store import UserState


class Emulator:
    """One app of a running emulator: the first one, or what `app` returns."""

    def __init__(self, apps: Apps, api: Api, *, url: str, clock: Callable[[], float]) -> None:
        self.apps, self.api, self.url, self._clock = apps, api, url, clock

    @property
    def settings(self) -> AppSettings:
        """What this app was started with."""
        return self.api.settings

    @property
    def counters(self) -> Counters:
        """What was called, refused and struck."""
        return self.api.counters

    @property
    def overlaps(self) -> list[Overlap]:
        """Users who were in two writing requests at the same time."""
        return self.api.overlaps.found

    @property
    def broken_limits(self) -> list[BrokenLimit]:
        """Requests that a careful client does not send."""
        return self.api.counters.broken_limits

    @property
    def went_back(self) -> list[WentBack]:
        """Attributes written with a lower version than before; empty without a version separator."""
        return self.api.counters.went_back

    def app(self, app_id: int) -> "Emulator":
        """The same emulator, seen from another of its apps. Raises KeyError if there is none."""
        return Emulator(self.apps, self.apps.by_id[app_id], url=self.url, clock=self._clock)

    def add_app(self, settings: AppSettings) -> "Emulator":
        """One more app. Raises ValueError if its id is taken."""
        self.apps.add(settings)
        return self.app(settings.app_id)

    def state(self) -> dict[str, UserState]:
        """All users who exist."""
        return self.api.store.users()

    def user(self, user: str) -> UserState:
        """One user; nobody has nothing."""
        return self.api.store.user(user)

    def attribute_names(self) -> dict[str, str]:
        """{slot: name}."""
        return self.api.store.attribute_names()

    def requests(self) -> list[Seen]:
        """The last requests that ended, oldest first."""
        return list(self.api.last)

    def most_calls_in_a_second(self) -> dict[str, int]:
        """{endpoint: calls in its busiest second}."""
        return self.api.most_calls_in_a_second()

    def deliveries(self) -> list[Delivery]:
        """What pushes have brought to whom, oldest first; the last 10,000."""
        return list(self.api.inboxes.deliveries)

    def delivered(self, user: str) -> list[Delivery]:
        """What pushes have brought to one user, oldest first."""
        return [each for each in self.api.inboxes.deliveries if each.user == user]

    def login(self, user: str) -> list[Delivery]:
        """Somebody comes online, and gets what waited for him. Raises ValueError."""
        return self.api.log_in(user, self._clock())

    def logout(self, user: str) -> None:
        """Somebody goes offline. Raises ValueError."""
        self.api.log_out(user, self._clock())

    def fail_next(self, kind: str, *, endpoint: str | None = None, count: int = 1) -> None:
        """Let the next sound requests end in this way, instead of what was listed. Raises ValueError."""
        self.set_faults(FaultSettings(fail_next=[FailNext(kind, endpoint, count)]))

    def set_faults(self, settings: FaultSettings) -> None:
        """Change what goes wrong. Raises ValueError."""
        self.api.faults.change(settings, now=self._clock())

    def switch(self, **changed: object) -> None:
        """Let the app stand otherwise to what is open. Raises ValueError."""
        self.api.change_switches(**changed)

    def bad_users(self, **codes: int) -> None:
        """These users, and no others, are always refused with these codes."""
        self.api.bad_users = codes
        self.api.revision += 1

    def feature(self, on: bool) -> None:
        """Whether the app has the push feature."""
        self.api.feature_on = on
        self.api.revision += 1

    def import_accounts(self, *users: str) -> None:
        """Make users exist."""
        self.api.import_accounts(users)

    def reset_counters(self) -> None:
        """Forget what was counted and found; users and faults stay."""
        self.api.reset_counters()
