"""All apps of one emulator. A request belongs to the app that its query names."""

from collections import defaultdict
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl

from audience_sync.emulator.api import Api
from audience_sync.emulator.records import Entry
from audience_sync.emulator.settings import AppSettings, Settings

DIGITS: Final = 19
"""No app's id is longer."""


class Apps:
    """The apps by their ids. *record* is told what was applied to any of them."""

    def __init__(self, settings: Settings, *, record: Callable[[Entry], None] = lambda _: None) -> None:
        self._record = record
        self._left_behind: defaultdict[int, list[Entry]] = defaultdict(list)
        self.first = Api(settings, record=record)
        self.by_id: dict[int, Api] = {settings.app_id: self.first}
        for each in settings.more_apps:
            self.by_id[each.app_id] = Api(each, record=record)

    def api_of(self, query: str) -> Api:
        """The app that a query names. Where it names none, the first one: its doorkeeper says what is wrong."""
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name == "sdkappid":
                is_number = value.isascii() and value.isdigit() and len(value) <= DIGITS
                return self.by_id.get(int(value), self.first) if is_number else self.first
        return self.first

    def replay(self, entry: Entry) -> None:
        """Apply what a journal holds, or keep it until its app is added. Raises RefusedError."""
        if entry.app in self.by_id:
            self.by_id[entry.app].replay(entry)
        else:
            self._left_behind[entry.app].append(entry)

    def begin(self) -> None:
        """After the journal: nothing is counted yet, and what the settings ask for is there. Raises ValueError."""
        for api in self.by_id.values():
            api.begin()

    def add(self, settings: AppSettings) -> Api:
        """One more app, with what a journal has of it. Raises ValueError if it is there."""
        if settings.app_id in self.by_id:
            raise ValueError(f"app {settings.app_id} is there already")
        api = Api(settings, record=self._record)
        for entry in self._left_behind.pop(settings.app_id, []):
            api.replay(entry)
        api.begin()
        self.by_id[settings.app_id] = api
        return api
