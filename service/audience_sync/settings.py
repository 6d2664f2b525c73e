"""Every setting: type, unit, default, range, what it changes.

Read from the environment (`AUDIENCE_SYNC_KAFKA__GROUP_ID`), from a YAML file (`AUDIENCE_SYNC_SETTINGS_FILE`),
and secrets also from files. The environment wins over the file.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from audience_sync.core.debouncer import DebounceTimes
from audience_sync.core.limits import CALLS_PER_SECOND, SERVER_TIMEOUT_SECONDS

PREFIX: Final = "AUDIENCE_SYNC_"
FILE_VARIABLE: Final = f"{PREFIX}SETTINGS_FILE"

LEAST_TOKEN_CHARACTERS: Final = 16

_SERVICE_LINK: Final = re.compile(
    r"(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT_\d+_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?)"
)
"""What Kubernetes sets for a Service in the same namespace, without the Service's name."""


class SettingsError(ValueError):
    """Settings that can't be used. The message names each one that is wrong, and the way out."""


class Group(BaseModel):
    """Settings that belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class KafkaSettings(Group):
    """Where events come from, and how long a replica may be silent."""

    bootstrap_servers: str = Field(default="127.0.0.1:9092", min_length=1)
    """Addresses of brokers, `host:port` with commas between them."""

    group_id: str = Field(default="audience-sync", min_length=1)
    """The consumer group. Its commits carry notes: another group begins at the earliest record."""

    client_id: str = Field(default="audience-sync", min_length=1)
    """What brokers call this client in their logs and quotas."""

    instance_id: str | None = None
    """For static membership: a name of this replica that outlives its restarts. None: a new member each time."""

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How connections are protected and authenticated."""

    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = None
    """How this client proves who it is. Needed with the SASL protocols."""

    sasl_username: str | None = None
    """For PLAIN and SCRAM."""

    sasl_username_file: Path | None = None
    """A file with it instead, for where it changes together with the password."""

    sasl_password: SecretStr | None = None
    """For PLAIN and SCRAM. Better from a file: `sasl_password_file`."""

    sasl_password_file: Path | None = None
    """A file with the password for PLAIN and SCRAM. A changed one counts for new connections, within seconds; the
    same goes for the certificates' files."""

    sasl_token_file: Path | None = None
    """For OAUTHBEARER: a file with the token, read again for each connection."""

    ssl_ca_file: Path | None = None
    """Certificates of the authorities that brokers are checked against. None: the system's."""

    ssl_certificate_file: Path | None = None
    """This client's certificate, where brokers ask for one."""

    ssl_key_file: Path | None = None
    """The key of that certificate."""

    create_topics: bool = False
    """Create topics that are missing, instead of refusing to start."""

    create_partitions: int = Field(default=8, ge=1, le=1000)
    """How many partitions a created topic has."""

    create_replication: int = Field(default=-1, ge=-1, le=10)
    """How many replicas a created topic has. -1: as the brokers are set up."""

    rekeyed_topic: str = Field(default="audience-sync-rekeyed", min_length=1)
    """The service's own topic, for events of sources that are not keyed by the user (`rekey` in the rules). Made at
    start if there are such sources. Two services never share one."""

    isolation_level: Literal["read_committed", "read_uncommitted"] = "read_committed"
    """`read_committed`: what a producer's transaction took back never becomes a change. Re-keying needs it."""

    session_timeout_seconds: float = Field(default=30.0, ge=1, le=300)
    """A replica that is silent for this long loses its partitions. Longer: others take over later."""

    heartbeat_seconds: float = Field(default=3.0, gt=0, le=60)
    """How often a replica says that it lives. At most a third of the session time-out."""

    rebalance_timeout_seconds: float = Field(default=60.0, ge=1, le=600)
    """How long a replica may take to settle what is under way before its partitions move."""

    lease_seconds: float = Field(default=15.0, gt=0, le=300)
    """How long an accepted commit proves that partitions are ours. Nothing is sent with an older one.
    Shorter: others may go on sooner after a crash. With the request time-out, at most the session time-out."""

    commit_interval_seconds: float = Field(default=1.0, gt=0, le=60)
    """How often positions are committed, at least. At most a third of the lease."""

    max_batch_records: int = Field(default=2000, ge=1, le=100_000)
    """Records taken in at one turn. More: slightly faster, and requests leave less evenly."""

    max_unsettled_records: int = Field(default=100_000, ge=100)
    """Records a partition between the committed position and the one read next: what is read again after a
    crash, at most. Less: less memory and re-reading, but one slow user stops his partition sooner."""

    lost_records: Literal["go_on", "stop"] = "go_on"
    """What follows when a topic has deleted records before they were read. Each loss is counted and told either
    way; `stop` also ends the service, and the same when it is started again, until this says `go_on`."""

    preflight_seconds: float = Field(default=10.0, gt=0, le=120)
    """How long the brokers may take to answer at start."""

    @model_validator(mode="after")
    def _the_user_is_given_once(self) -> Self:
        if self.sasl_username is not None and self.sasl_username_file is not None:
            raise ValueError("of sasl_username and sasl_username_file only one may be given")
        return self

    @model_validator(mode="after")
    def _the_lease_ends_before_the_session(self) -> Self:
        if self.commit_interval_seconds > self.lease_seconds / 3:
            raise ValueError(
                f"commit_interval_seconds ({self.commit_interval_seconds}) must be at most a third of "
                f"lease_seconds ({self.lease_seconds}): a lease is renewed by commits"
            )
        if self.heartbeat_seconds > self.session_timeout_seconds / 3:
            raise ValueError(
                f"heartbeat_seconds ({self.heartbeat_seconds}) must be at most a third of "
                f"session_timeout_seconds ({self.session_timeout_seconds})"
            )
        return self


class ChatSettings(Group):
    """The Chat API: whose account, how fast, how patient."""

    region: Literal["china", "singapore", "seoul", "tokyo", "frankfurt", "silicon_valley", "jakarta"] = (
        "china"
    )
    """Where the app's data is kept. It decides on the host that is called, and on the one that is turned to for a
    minute when the first can't be reached."""

    base_url: str | None = Field(default=None, pattern=r"^https?://[^/?#]+/?$")
    """Scheme and host instead of the region's two, such as an emulator's."""

    family: Literal["all_member_push", "timpush"] = "all_member_push"
    """Which of the two families of commands is called; `timpush` is the successor."""

    profile_file: Path | None = None
    """What `audience-sync probe` has found out about the app, where the documentation leaves it open."""

    app_id: int = Field(default=0, ge=0)
    """The SDKAppID. Required."""

    admin: str = Field(default="administrator", min_length=1)
    """The account that calls; it must be an administrator of the app."""

    signing_key: SecretStr | None = None
    """The app's secret key. Better from a file: `signing_key_file`."""

    signing_key_file: Path | None = None
    """A file with the app's secret key; a changed one is taken over within seconds."""

    signature_life_seconds: int = Field(default=86_400, ge=600, le=15_552_000)
    """How long a signature is valid; it is renewed well before its end. A day: what the vendor advises at least."""

    calls_per_second: float = Field(default=float(CALLS_PER_SECOND), gt=0, le=10_000)
    """What the API allows each endpoint, over all replicas. 97 % of it are used."""

    calls_per_second_of_app: float | None = Field(default=None, gt=0, le=10_000)
    """What the API allows all endpoints together, over all replicas. None: no limit of this kind is documented."""

    request_timeout_seconds: float = Field(default=5.0, gt=SERVER_TIMEOUT_SECONDS, le=60)
    """How long a request may take, connecting included. Longer than the server's own 3 s."""

    unknown_accounts: Literal["dead_letter", "drop", "import"] = "dead_letter"
    """What becomes of changes of a user who does not exist in the app: kept in the dead letters, dropped and
    counted, or sent again after the user was imported."""

    attribute_names: Literal["check", "add", "off"] = "check"
    """What becomes of attribute names that the rules need and the app does not have. `check`: the service does not
    start, and says which. `add`: it puts them into free slots; an app has ten, for everybody. `off`: nobody looks."""

    most_in_flight: int = Field(default=32, ge=1, le=1000)
    """Requests of one endpoint that may be under way at once. Little's law: pace times the answer's time."""


class DebounceSettings(Group):
    """How long a user's changes are gathered before they are sent."""

    quiet_seconds: float = Field(default=2.0, ge=0, le=600)
    """A user is ready after this long without a change. Longer: fewer requests, more delay."""

    longest_wait_seconds: float = Field(default=30.0, gt=0, le=600)
    """A user who never goes quiet is ready this long after the first unsent change."""

    fill_seconds: float = Field(default=0.1, ge=0, le=10)
    """How long a ready user waits for others to fill his request. Longer: fuller requests when little happens."""

    max_waiting_users: int = Field(default=1_000_000, ge=100)
    """Users with unsettled changes in one replica, from which on nothing more is read."""

    @model_validator(mode="after")
    def _the_longest_wait_covers_the_quiet_time(self) -> Self:
        if self.longest_wait_seconds < self.quiet_seconds:
            raise ValueError(
                f"longest_wait_seconds ({self.longest_wait_seconds}) must not be below "
                f"quiet_seconds ({self.quiet_seconds})"
            )
        return self

    @property
    def times(self) -> DebounceTimes:
        """How long changes are gathered."""
        return DebounceTimes(
            quiet_seconds=self.quiet_seconds,
            longest_wait_seconds=self.longest_wait_seconds,
            fill_seconds=self.fill_seconds,
        )


class EventTimeSettings(Group):
    """Sources whose events are ordered by their own times: `event_time` in the rules."""

    known_names: int = Field(default=1_000_000, ge=1000)
    """Attributes and tags of users whose last event's time is remembered, in each replica: up to 500 bytes of memory
    each. Beyond, the users of whom nothing was read for longest are forgotten: a late event of theirs is applied."""


class RepeatsSettings(Group):
    """Changes that say what the Chat API has confirmed already."""

    known_seconds: float = Field(default=0.0, ge=0, le=604_800)
    """So long after a user's first confirmation, changes that repeat what was confirmed are not sent. 0: all are.
    Longer: fewer requests; but what somebody changes by hand meanwhile stays so, whatever events repeat."""

    known_names: int = Field(default=1_000_000, ge=1000)
    """Attributes and tags of users that are remembered for it, in each replica: up to 300 bytes of memory each.
    Beyond, those that are known longest are forgotten, and sent again."""


class DeadLetterSettings(Group):
    """Where goes what can't be applied."""

    topic: str = Field(default="audience-sync-dead-letters", min_length=1)
    """The topic. It should keep records for ever (`retention.ms=-1`); it is created so where that is allowed."""

    unsafe_topic: Literal["warn", "refuse"] = "warn"
    """What becomes of a start where the topic may lose letters: by age or size, by compaction, or because
    `min.insync.replicas` is below 2 although it has replicas."""

    replay_topic: str | None = Field(default=None, min_length=1)
    """The topic that letters are replayed through. It is read like the topics of the rules, and has as many
    partitions as they have. None: the name of the dead letters' with `-replay`."""

    @property
    def replays(self) -> str:
        """The topic that letters are replayed through."""
        return self.replay_topic or f"{self.topic}-replay"

    most_per_minute: int = Field(default=1000, ge=1)
    """When more go there, something on the whole must be wrong: reading stops, everything is kept, and one at a
    time is let through at growing intervals until events can be used again. For each replica."""


class RegistrySettings(Group):
    """Where schemas are, for events in Confluent's wire format (Avro, Protobuf, JSON Schema)."""

    url: str | None = None
    """Address of the schema registry, `https://host:port`; several with commas between them are tried in turn.
    None: no rules may read such events. For Apicurio Registry, the path `/apis/ccompat/v7` belongs to it."""

    username: str | None = None
    """For basic authentication."""

    password: SecretStr | None = None
    """For basic authentication. Better from a file: `password_file`."""

    password_file: Path | None = None
    """A file with the password."""

    ca_file: Path | None = None
    """Certificates of the authorities that the registry is checked against. None: the well-known ones."""

    certificate_file: Path | None = None
    """This client's certificate, where the registry asks for one."""

    key_file: Path | None = None
    """The key of that certificate, if it is not in the same file."""

    timeout_seconds: float = Field(default=10.0, gt=0, le=120)
    """How long an answer may take. After that it is asked again, and records that need the schema wait."""

    @field_validator("url")
    @classmethod
    def _it_is_an_address_without_a_secret(cls, url: str | None) -> str | None:
        for each in (url or "").split(",") if url is not None else ():
            parts = urlsplit(each.strip())
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("it must be http://host:port or https://host:port")
            if parts.username is not None or parts.password is not None:
                raise ValueError(
                    "it must hold no user or password: they would stand in messages; use username"
                )
        return url

    @model_validator(mode="after")
    def _credentials_are_whole(self) -> Self:
        given = (self.password is not None) + (self.password_file is not None)
        if given > 1 or given != (self.username is not None):
            raise ValueError("username needs one of password and password_file, and they need username")
        if self.key_file is not None and self.certificate_file is None:
            raise ValueError("key_file needs certificate_file")
        return self


class AdminSettings(Group):
    """Where metrics, probes and status are served."""

    bind_host: str = "0.0.0.0"  # noqa: S104 - probes and Prometheus come from other hosts; nothing secret is served
    """The address to listen on."""

    bind_port: int = Field(default=8080, ge=0, le=65_535)
    """The port to listen on. 0: a free one."""

    token: SecretStr | None = None
    """Switches the operator's page on, and opens it: whoever shows it may see users, pause, and replay. At least 16
    characters. Better from a file: `token_file`. None, and no file: there is no such page."""

    token_file: Path | None = None
    """A file with that token; it is read again when it is asked for, so a new one needs no restart."""

    confirmed_users: int = Field(default=10_000, ge=0, le=1_000_000)
    """For so many users it is remembered what was confirmed last, for the operator's page; about 1 KB of memory each.
    Beyond, whoever was confirmed longest ago is forgotten."""

    @model_validator(mode="after")
    def _the_token_is_given_once(self) -> Self:
        if self.token is not None and self.token_file is not None:
            raise ValueError("of token and token_file only one may be given")
        return self


class LogSettings(Group):
    """What is told, and in which shape."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """DEBUG names users."""

    shape: Literal["auto", "json", "text"] = "auto"
    """`auto`: text on a terminal, JSON otherwise."""


class Settings(BaseSettings):
    """Everything that can be set, validated as a whole."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    kafka: KafkaSettings = KafkaSettings()
    chat: ChatSettings = ChatSettings()
    debounce: DebounceSettings = DebounceSettings()
    event_time: EventTimeSettings = EventTimeSettings()
    repeats: RepeatsSettings = RepeatsSettings()
    dead_letters: DeadLetterSettings = DeadLetterSettings()
    registry: RegistrySettings = RegistrySettings()
    admin: AdminSettings = AdminSettings()
    log: LogSettings = LogSettings()

    rules_file: Path | None = None
    """Which changes an event causes. None: the three rules that ship."""

    rules_reload_seconds: float = Field(default=10.0, ge=0, le=3600)
    """How often it is looked whether the rules file has changed; 0: never. New rules apply from the next record on;
    what waits already is sent as it was understood. Topics can't change without a restart."""

    drain_seconds: float = Field(default=20.0, ge=0, le=600)
    """How long a stop may take to send what waits. Below the grace period of whoever stops the service."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file."""
        return (init_settings, env_settings, InitSettingsSource(settings_cls, _in_the_file()))

    @field_validator("chat")
    @classmethod
    def _the_account_is_named(cls, chat: ChatSettings) -> ChatSettings:
        missing = [] if chat.app_id else [f"{PREFIX}CHAT__APP_ID, the SDKAppID, is required"]
        if (chat.signing_key is None) == (chat.signing_key_file is None):
            names = f"{PREFIX}CHAT__SIGNING_KEY and {PREFIX}CHAT__SIGNING_KEY_FILE"
            missing.append(f"of {names} exactly one is required")
        if missing:
            raise ValueError("; ".join(missing))
        return chat

    @model_validator(mode="after")
    def _nothing_is_sent_after_the_partitions_are_lost(self) -> Self:
        kafka, request = self.kafka, self.chat.request_timeout_seconds
        limit = min(kafka.session_timeout_seconds, kafka.rebalance_timeout_seconds)
        if kafka.lease_seconds + request > limit:
            raise ValueError(
                f"{PREFIX}KAFKA__LEASE_SECONDS ({kafka.lease_seconds}) and {PREFIX}CHAT__REQUEST_TIMEOUT_SECONDS "
                f"({request}) must together not exceed the lower of {PREFIX}KAFKA__SESSION_TIMEOUT_SECONDS and "
                f"{PREFIX}KAFKA__REBALANCE_TIMEOUT_SECONDS ({limit}), or a replica that lost its partitions could "
                "still send: shorten the first two, or lengthen the others"
            )
        return self


class _SettingsOfAnybody(Settings):
    """The same, without an account that would have to be named."""

    @field_validator("chat")
    @classmethod
    def _the_account_is_named(cls, chat: ChatSettings) -> ChatSettings:
        return chat


def load(environment: Mapping[str, str] = os.environ, *, account: bool = True, **values: Any) -> Settings:
    """The settings as they stand in the environment and the file. Raises SettingsError, all problems at once.

    account: whether one must be named; what never calls the API needs none.
    """
    problems = [*_unknown(environment), *_no_json(environment)]
    try:
        settings = Settings(**values) if account else _SettingsOfAnybody(**values)
    except ValidationError as error:
        problems += [_told(problem) for problem in error.errors(include_url=False, include_input=False)]
    except SettingsError as error:
        problems.append(str(error))
    except ValueError:  # a group that is no JSON: told above, by name
        if not problems:
            raise
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


def _in_the_file() -> dict[str, Any]:
    """What the settings file holds, if one is named. Raises SettingsError, which quotes nothing of the file."""
    name = os.environ.get(FILE_VARIABLE)
    if name is None:
        return {}
    try:
        content = YAML(typ="safe", pure=True).load(Path(name))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{FILE_VARIABLE}: {name} can't be read: {type(error).__name__}") from None
    except (YAMLError, ValueError) as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        line = f", line {mark.line + 1}" if mark else ""
        raise SettingsError(
            f"{FILE_VARIABLE}: {name}{line}: this is no YAML; see indentation and quotes"
        ) from None
    if content is not None and not isinstance(content, dict):
        raise SettingsError(
            f"{FILE_VARIABLE}: {name} must hold a map: keys, each followed by a colon and a value"
        )
    return dict(content or {})


def secret(value: SecretStr | None, file: Path | None, *, name: str) -> SecretStr | None:
    """A secret as it was given, or from its file, without the line's end. Raises SettingsError, never the secret."""
    if file is None:
        return value
    try:
        return SecretStr(file.read_text().strip())
    except (OSError, UnicodeDecodeError) as error:
        reason = type(
            error
        ).__name__  # no path: who gives the secret itself for its file must not see it told
        raise SettingsError(
            f"{name}: the file can't be read ({reason}); give the path of a readable one"
        ) from None


def operator_token(admin: AdminSettings) -> SecretStr | None:
    """The token that opens the operator's page; None: there is none. Raises SettingsError, never the token."""
    name = f"{PREFIX}ADMIN__TOKEN_FILE"
    token = secret(admin.token, admin.token_file, name=name)
    if token is None:
        return None
    text = token.get_secret_value()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise SettingsError(
            f"{name}: the token has characters that no header holds; use ASCII letters, digits and signs, no spaces"
        )
    if len(text) < LEAST_TOKEN_CHARACTERS:
        raise SettingsError(
            f"{name}: the token has fewer than {LEAST_TOKEN_CHARACTERS} characters, so it could be guessed; "
            "`openssl rand -hex 32` makes a good one"
        )
    return token


def _told(problem: Any) -> str:
    names = [str(part).upper() for part in problem["loc"]]
    if problem["type"] == "extra_forbidden":
        return _no_such(PREFIX + "__".join(names))
    text = str(problem["msg"]).removeprefix("Value error, ")
    return text if PREFIX in text else f"{PREFIX}{'__'.join(names)}: {text}"


def _no_such(name: str) -> str:
    near = get_close_matches(name.upper(), list(variables()), n=1, cutoff=0.85)
    return f"{name}: there is no such setting" + (f"; did you mean {near[0]}?" if near else "")


def variables(group: type[BaseModel] | None = None, prefix: str = PREFIX) -> Iterator[str]:
    """The name of each setting in the environment."""
    for name, field in (group or Settings).model_fields.items():
        if isinstance(field.default, Group):
            yield from variables(type(field.default), f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}"


def _groups() -> set[str]:
    return {name.upper() for name, field in Settings.model_fields.items() if isinstance(field.default, Group)}


def _unknown(environment: Mapping[str, str]) -> Iterator[str]:
    """Names with our prefix that set nothing: the library ignores a misspelt group in silence."""
    groups = _groups()
    plain = {name.upper() for name in Settings.model_fields} | {"SETTINGS_FILE"}
    for name in sorted(environment):
        if not name.upper().startswith(PREFIX):
            continue
        rest = name.upper().removeprefix(PREFIX)
        if rest.startswith(("TEST_", "EMULATOR_")) or _is_of_kubernetes(rest, environment[name]):
            continue  # what tests and the emulator read, and what comes with a Service of that name
        if rest not in plain and rest.split("__")[0] not in groups:
            yield _no_such(name)


def _is_of_kubernetes(rest: str, value: str) -> bool:
    return _SERVICE_LINK.fullmatch(rest) is not None or (rest.endswith("PORT") and "://" in value)


def _no_json(environment: Mapping[str, str]) -> Iterator[str]:
    """Whole groups that are given as something else than a JSON object; what they hold is not told."""
    for group in sorted(_groups()):
        for name in (PREFIX + group, (PREFIX + group).lower()):
            if name in environment and not _is_json_object(environment[name]):
                yield f"{name}: a group is a JSON object; better set {PREFIX}{group}__..., one variable a setting"


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
