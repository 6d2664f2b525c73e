"""Settings that can't be meant are refused, with the variable's name and the way out, and never with a secret."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from pydantic import SecretStr

from audience_sync.settings import (
    FILE_VARIABLE,
    PREFIX,
    AdminSettings,
    Settings,
    SettingsError,
    load,
    operator_token,
    secret,
    variables,
)

SECRET: Final = "planted-secret-0f3a"
GIVEN: Final = {"CHAT__APP_ID": "1400000000", "CHAT__SIGNING_KEY": SECRET}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with nothing of ours in it."""
    for name in [FILE_VARIABLE, *variables()]:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def load_with(environment: pytest.MonkeyPatch, given: Mapping[str, str]) -> Settings:
    """The settings of an environment that holds only *given*, whose names lack the prefix."""
    named = {f"{PREFIX}{name}": value for name, value in given.items()}
    for name, value in named.items():
        environment.setenv(name, value)
    return load(named)


REFUSED: Final[list[tuple[str, dict[str, str], tuple[str, ...]]]] = [
    (
        "nothing of the account",
        {"CHAT__APP_ID": "0", "CHAT__SIGNING_KEY_FILE": "key"},
        ("CHAT__APP_ID", "SDKAppID", "exactly one"),
    ),
    ("a number that is none", {"CHAT__APP_ID": "one"}, ("CHAT__APP_ID", "integer")),
    (
        "a token twice",
        GIVEN | {"ADMIN__TOKEN": SECRET, "ADMIN__TOKEN_FILE": "token"},
        ("ADMIN", "only one"),
    ),
    (
        "a request time-out below the server's own",
        {"CHAT__REQUEST_TIMEOUT_SECONDS": "2"},
        ("CHAT__REQUEST_TIMEOUT_SECONDS", "greater than 3"),
    ),
    (
        "an address with a path",
        {"CHAT__BASE_URL": "https://host/v4"},
        ("CHAT__BASE_URL", "pattern"),
    ),
    (
        "a lease that outlives the session",
        {"KAFKA__LEASE_SECONDS": "26"},
        (
            "KAFKA__LEASE_SECONDS (26.0)",
            "CHAT__REQUEST_TIMEOUT_SECONDS (5.0)",
            "KAFKA__SESSION_TIMEOUT_SECONDS",
            "shorten",
        ),
    ),
    (
        "a lease that outlives the rebalance",
        {"KAFKA__REBALANCE_TIMEOUT_SECONDS": "19"},
        ("KAFKA__REBALANCE_TIMEOUT_SECONDS (19.0)", "lengthen"),
    ),
    (
        "commits too rare to renew the lease",
        {"KAFKA__COMMIT_INTERVAL_SECONDS": "6"},
        ("KAFKA: commit_interval_seconds (6.0)", "third of lease_seconds (15.0)"),
    ),
    (
        "heartbeats too rare for the session",
        {"KAFKA__HEARTBEAT_SECONDS": "11"},
        ("KAFKA: heartbeat_seconds (11.0)", "third of session_timeout_seconds (30.0)"),
    ),
    (
        "quiet that is longer than the longest wait",
        {"DEBOUNCE__QUIET_SECONDS": "31"},
        ("DEBOUNCE: longest_wait_seconds (30.0)", "not be below quiet_seconds (31.0)"),
    ),
    (
        "a protocol that Kafka does not have",
        {"KAFKA__SECURITY_PROTOCOL": "TLS"},
        ("KAFKA__SECURITY_PROTOCOL", "'SASL_SSL'"),
    ),
    ("a port beyond the last", {"ADMIN__BIND_PORT": "65536"}, ("ADMIN__BIND_PORT", "65535")),
    ("a level that is none", {"LOG__LEVEL": "LOUD"}, ("LOG__LEVEL", "'WARNING'")),
    (
        "a misspelt setting",
        {"DEBOUNCE__QIET_SECONDS": "1"},
        ("DEBOUNCE__QIET_SECONDS: there is no such setting", f"did you mean {PREFIX}DEBOUNCE__QUIET_SECONDS"),
    ),
    (
        "a misspelt group",
        {"DEBONCE__QUIET_SECONDS": "1"},
        ("DEBONCE__QUIET_SECONDS: there is no such setting", f"did you mean {PREFIX}DEBOUNCE__QUIET_SECONDS"),
    ),
    ("a plain setting that is none", {"COLOUR": "red"}, ("COLOUR: there is no such setting",)),
    (
        "a group that is no JSON",
        {"DEBOUNCE": "{quiet: " + SECRET},
        ("DEBOUNCE: a group is a JSON object", "DEBOUNCE__..."),
    ),
    ("a settings file that is not there", {"SETTINGS_FILE": "absent.yaml"}, ("SETTINGS_FILE", "absent.yaml")),
]


@pytest.mark.parametrize(("_why", "given", "said"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_cannot_be_meant_is_refused(
    environment: pytest.MonkeyPatch, _why: str, given: dict[str, str], said: tuple[str, ...]
) -> None:
    """The message names the variable, what is wrong with it, and the way out; and no secret."""
    with pytest.raises(SettingsError) as refused:
        load_with(environment, GIVEN | given)

    message = str(refused.value)
    assert all(part in message for part in said), message
    assert PREFIX in message
    assert SECRET not in message


def test_an_empty_environment_says_what_is_required(environment: pytest.MonkeyPatch) -> None:
    """Defaults are validated too: nobody starts without an account."""
    with pytest.raises(SettingsError, match="CHAT__APP_ID"):
        load_with(environment, {})


def test_all_problems_are_told_at_once(environment: pytest.MonkeyPatch) -> None:
    """One look at the message is enough."""
    given = {"DEBONCE__X": "1", "LOG__LEVEL": "LOUD", "ADMIN__BIND_PORT": "-1", "KAFKA__FOO": "1"}
    with pytest.raises(SettingsError) as refused:
        load_with(environment, GIVEN | given)

    assert len(str(refused.value).splitlines()) == len(given)


def test_the_lease_may_use_the_whole_session(environment: pytest.MonkeyPatch) -> None:
    """At the bound itself nothing can be sent too late."""
    loaded = load_with(environment, GIVEN | {"KAFKA__LEASE_SECONDS": "25"})
    assert (
        loaded.kafka.lease_seconds + loaded.chat.request_timeout_seconds
        == loaded.kafka.session_timeout_seconds
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SERVICE_HOST", "10.0.0.1"),
        ("SERVICE_PORT", "8080"),
        ("SERVICE_PORT_HTTP", "8080"),
        ("PORT", "tcp://10.0.0.1:8080"),
        ("PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("METRICS_SERVICE_HOST", "10.0.0.1"),
        ("METRICS_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("TEST_BROKER", "127.0.0.1:9092"),
        ("EMULATOR_KEY", "key"),
    ],
)
def test_what_others_set_under_our_prefix_is_left_alone(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Kubernetes adds variables for a Service of our name; the tests and the emulator have their own."""
    assert load_with(environment, GIVEN | {name: value}).chat.app_id


def test_a_port_that_was_meant_for_us_is_refused(environment: pytest.MonkeyPatch) -> None:
    """One underscore too few, and it looks nearly like a variable of Kubernetes."""
    with pytest.raises(SettingsError, match=f"did you mean {PREFIX}ADMIN__BIND_PORT"):
        load_with(environment, GIVEN | {"ADMIN_BIND_PORT": "8081"})


def test_the_environment_wins_over_the_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Setting by setting, not group by group."""
    file = tmp_path / "settings.yaml"
    file.write_text("debounce:\n  quiet_seconds: 3\n  longest_wait_seconds: 40\ndrain_seconds: 9\n")

    loaded = load_with(environment, GIVEN | {"SETTINGS_FILE": str(file), "DEBOUNCE__QUIET_SECONDS": "4"})

    assert (loaded.debounce.quiet_seconds, loaded.debounce.longest_wait_seconds) == (4, 40)
    assert loaded.drain_seconds == 9


FILES: Final[list[tuple[str, str, str]]] = [
    ("broken YAML", f"chat:\n  signing_key: {SECRET}\n   admin: [", "line 3: this is no YAML"),
    ("a key that stands twice", f"chat:\n  admin: a\n  admin: {SECRET}\n", "this is no YAML"),
    ("a list", f"- {SECRET}\n", "must hold a map"),
    ("an unknown key", f"chat:\n  signing_kee: {SECRET}\n", f"did you mean {PREFIX}CHAT__SIGNING_KEY?"),
    ("a secret of another type", "chat:\n  signing_key: 1234567\n", "CHAT__SIGNING_KEY"),
    ("not UTF-8", "chat: \udcff\n", "this is no YAML"),
]


@pytest.mark.parametrize(("_why", "text", "said"), FILES, ids=[row[0] for row in FILES])
def test_a_file_that_cannot_be_used_is_refused(
    environment: pytest.MonkeyPatch, tmp_path: Path, _why: str, text: str, said: str
) -> None:
    """With the line where it is known, and without quoting the file: it may hold a secret."""
    file = tmp_path / "settings.yaml"
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(SettingsError) as refused:
        load_with(environment, {"CHAT__APP_ID": "1", "SETTINGS_FILE": str(file)})

    assert said in str(refused.value)
    assert SECRET not in str(refused.value)
    assert "1234567" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_an_empty_file_sets_nothing(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All of it commented out, say."""
    file = tmp_path / "settings.yaml"
    file.write_text("# nothing yet\n")
    assert load_with(environment, GIVEN | {"SETTINGS_FILE": str(file)}).chat.app_id


def test_a_group_may_be_one_variable(environment: pytest.MonkeyPatch) -> None:
    """As the library allows."""
    group = json.dumps({"app_id": 7, "signing_key": SECRET})
    assert load_with(environment, {"CHAT": group}).chat.app_id == 7


def test_secrets_are_not_shown(environment: pytest.MonkeyPatch) -> None:
    """Neither printed, nor in a traceback's locals, nor dumped."""
    loaded = load_with(environment, GIVEN | {"KAFKA__SASL_PASSWORD": SECRET})

    assert loaded.chat.signing_key is not None
    assert loaded.chat.signing_key.get_secret_value() == SECRET
    for shown in (
        str(loaded),
        repr(loaded),
        repr(loaded.chat),
        repr(loaded.model_dump()),
        loaded.model_dump_json(),
    ):
        assert SECRET not in shown


def test_a_secret_comes_from_its_file(tmp_path: Path) -> None:
    """Without the line's end that editors leave."""
    file = tmp_path / "key"
    file.write_text(f"{SECRET}\n")

    read = secret(None, file, name="X_FILE")

    assert read is not None
    assert read.get_secret_value() == SECRET
    assert secret(SecretStr(SECRET), None, name="X_FILE") == read
    assert secret(None, None, name="X_FILE") is None


def test_the_secret_itself_given_for_its_file_is_not_told() -> None:
    """The mistake is easy to make, and the message ends in a log."""
    with pytest.raises(SettingsError) as refused:
        secret(None, Path(SECRET), name="X_FILE")

    assert str(refused.value).startswith("X_FILE")
    assert "readable" in str(refused.value)
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "16 characters"),
        (b"0123456789", "16 characters"),
        (SECRET.encode() + b" x", "header"),
        (SECRET.encode() + b"\nx", "header"),
        (f"{SECRET}-é".encode(), "header"),
        (b"\xff" * 20, "can't be read"),
    ],
)
def test_a_token_that_no_header_holds_or_anybody_guesses_is_refused(
    environment: pytest.MonkeyPatch, tmp_path: Path, content: bytes, said: str
) -> None:
    """With the setting and the reason, and without the token."""
    file = tmp_path / "token"
    file.write_bytes(content)
    settings = load_with(environment, GIVEN | {"ADMIN__TOKEN_FILE": str(file)})
    with pytest.raises(SettingsError) as caught:
        operator_token(settings.admin)

    assert said in str(caught.value)
    assert "ADMIN__TOKEN_FILE" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_the_token_comes_from_its_file_or_there_is_none(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without the line's end. Off by default."""
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    settings = load_with(environment, GIVEN | {"ADMIN__TOKEN_FILE": str(file)})
    token = operator_token(settings.admin)

    assert token is not None
    assert token.get_secret_value() == SECRET
    assert operator_token(AdminSettings()) is None
