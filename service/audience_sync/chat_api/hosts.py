"""Where the API is: a host for each region, and another to turn to when it can't be reached."""

from enum import StrEnum
from typing import Final, Self

import httpx
import msgspec

BACKUP_SECONDS: Final = 60.0
"""After the main host could not be reached, the backup is called for so long before it is looked at again. Ours."""


class Region(StrEnum):
    """Where an app's data is kept; chosen when the app is made. Source: docs/chat-api.md#hosts."""

    CHINA = "china"
    SINGAPORE = "singapore"
    SEOUL = "seoul"
    TOKYO = "tokyo"
    FRANKFURT = "frankfurt"
    SILICON_VALLEY = "silicon_valley"
    JAKARTA = "jakarta"


_DOMAINS: Final = {
    Region.CHINA: ("console.tim.qq.com", "adminapi.my-imcloud.com"),
    Region.SINGAPORE: ("adminapisgp.im.qcloud.com", "adminapisgp.my-imcloud.com"),
    Region.SEOUL: ("adminapikr.im.qcloud.com", "adminapikr.my-imcloud.com"),
    Region.TOKYO: ("adminapijpn.im.qcloud.com", "adminapijpn.my-imcloud.com"),
    Region.FRANKFURT: ("adminapiger.im.qcloud.com", "adminapiger.my-imcloud.com"),
    Region.SILICON_VALLEY: ("adminapiusa.im.qcloud.com", "adminapiusa.my-imcloud.com"),
    Region.JAKARTA: ("adminapiidn.im.qcloud.com", "adminapiidn.my-imcloud.com"),
}
"""The main host and its backup, of a domain of its own: for when the first one's names are not resolved."""


class Hosts(msgspec.Struct, frozen=True):
    """Scheme and host of an app's API, and those of its backup."""

    main: str
    backup: str | None = None

    def __post_init__(self) -> None:
        for url in (self.main, self.backup):
            if url is not None and not _is_scheme_and_host(url):
                example = f"https://{_DOMAINS[Region.CHINA][0]}"
                raise ValueError(f"the API's address must be a scheme and a host, such as {example}")

    @classmethod
    def of(cls, region: Region) -> Self:
        """Those of *region*."""
        main, backup = _DOMAINS[region]
        return cls(f"https://{main}", f"https://{backup}")

    @classmethod
    def at(cls, url: str) -> Self:
        """One address without a backup, such as an emulator's."""
        return cls(url)


class Choice:
    """Which of the hosts to call. Moments are seconds on any clock that never goes back."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._main_again_at = 0.0

    def first(self, now: float) -> str:
        """The one to try first."""
        if self._hosts.backup is not None and now < self._main_again_at:
            return self._hosts.backup
        return self._hosts.main

    def instead_of(self, url: str, now: float) -> str | None:
        """The one to try after *url* could not be reached, or None."""
        if self._hosts.backup is None:
            return None
        if url == self._hosts.main:
            self._main_again_at = now + BACKUP_SECONDS
            return self._hosts.backup
        self._main_again_at = 0.0
        return self._hosts.main


def _is_scheme_and_host(text: str) -> bool:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    is_plain = url.raw_path in {b"", b"/"} and not url.userinfo and not url.fragment
    return url.scheme in {"http", "https"} and bool(url.host) and is_plain
