"""The operator's page, put together: what may be asked of a replica, and who may ask it."""

import asyncio
import logging
import secrets
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence

from pydantic import SecretStr

from audience_sync.admin.access import Access, TokenFile
from audience_sync.admin.operator import NotReadError, Operator, Watch
from audience_sync.admin.operator_app import OperatorApp
from audience_sync.admin.replay_job import ReplayJob
from audience_sync.admin.status import Status
from audience_sync.core.last_confirmed import LastConfirmed
from audience_sync.core.pauses import Pauses
from audience_sync.core.tenure import Tenure
from audience_sync.events.kafka_admin import KafkaAddress, KafkaAdminError
from audience_sync.events.log_reading import LogReader
from audience_sync.events.newest_letters import Newest, newest_letters
from audience_sync.settings import Settings, operator_token
from audience_sync.telemetry.logs import LastLines, Level

PROGRAM: tuple[str, ...] = (sys.executable, "-m", "audience_sync")
"""How `audience-sync` is called from here, for replays."""

READ_SECONDS = 20.0
"""So long the newest dead letters may take to be read. Ours: somebody waits for them."""


class OperatorsPage:
    """What assembly needs of it: where to remember, what to serve, what to run. Only there if a token is set."""

    def __init__(self, token: SecretStr, settings: Settings, address: Callable[[], KafkaAddress]) -> None:
        self._settings = settings
        self._address = address
        file = settings.admin.token_file
        self._token = (lambda: token) if file is None else TokenFile(file, token)
        self.last_confirmed = LastConfirmed(most_users=settings.admin.confirmed_users)
        self._lines = LastLines()
        logging.getLogger().addHandler(self._lines)
        self._reading = asyncio.Lock()

    @classmethod
    def of(cls, settings: Settings, address: Callable[[], KafkaAddress]) -> "OperatorsPage | None":
        """The page, if the settings switch it on. Raises SettingsError."""
        token = operator_token(settings.admin)
        return None if token is None else cls(token, settings, address)

    def open(
        self,
        *,
        status: Status,
        tenure: Callable[[], Tenure | None],
        pauses: Pauses,
        resumed: Callable[[], None],
        totals: Callable[[], dict[str, int]],
        clock: Callable[[], float],
        watch: Watch,
    ) -> tuple[OperatorApp, Sequence[Callable[[], Awaitable[None]]]]:
        """The application to serve, and what has to run for it."""
        replay = ReplayJob(PROGRAM, clock=clock)
        operator = Operator(
            replica=self._settings.kafka.instance_id or socket.gethostname(),
            status=status,
            tenure=tenure,
            pauses=pauses,
            resumed=resumed,
            last_confirmed=self.last_confirmed,
            letters=self._letters,
            replay=replay,
            level=Level(self._settings.log.level),
            lines=self._lines,
            totals=totals,
            clock=clock,
            watch=watch,
        )
        access = Access(
            self._token,
            new_secret=lambda: secrets.token_urlsafe(32),
            clock=clock,
            refused=watch.operator_refused,
        )
        return OperatorApp(operator, access), (operator.run, replay.run)

    async def _letters(self, *, most: int, users: frozenset[str], codes: frozenset[int]) -> Newest:
        """One reading at a time: the memory of one is what it costs."""
        letters, kafka, address = self._settings.dead_letters, self._settings.kafka, self._address()
        try:
            async with (
                asyncio.timeout(READ_SECONDS),
                self._reading,
                LogReader(address, isolation_level=kafka.isolation_level) as reader,
            ):
                return await newest_letters(
                    reader,
                    topic=letters.topic,
                    replays=letters.replays,
                    most=most,
                    users=users,
                    codes=codes,
                )
        except KafkaAdminError as error:
            raise NotReadError(str(error)) from error
        except TimeoutError as error:
            raise NotReadError(
                f"Kafka at {address.bootstrap} did not hand over the dead letters within {READ_SECONDS:g} s; "
                "`audience-sync dead-letters list` waits longer"
            ) from error
