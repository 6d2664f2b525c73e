"""One line is one event with a constant action, and no library tells what must not be told."""

import json
import logging
import math
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import structlog

from audience_sync.telemetry.logs import QUIET, LastLines, Level, set_up

ADDRESS: Final = "https://host/v4/x?usersig=planted-signature-77"


Written = Callable[[], str]
"""What has been written to standard error since the last call."""


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Written]:
    """What goes to standard error; loggers are as before when the test ends."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in QUIET}
    yield lambda: capsys.readouterr().err
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


def lines(text: str) -> list[dict[str, Any]]:
    """The JSON lines in *text*."""
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_is_an_event_with_fields(written: Written) -> None:
    """Tests and dashboards look at the action."""
    set_up(level="INFO", shape="json")
    structlog.get_logger("audience_sync").warning("commit_failed", error="RebalanceInProgress")

    [line] = lines(written())
    moment = line.pop("timestamp")
    assert line == {"action": "commit_failed", "error": "RebalanceInProgress", "level": "warning"}
    assert moment.endswith("Z")


def test_what_is_below_the_level_is_not_told(written: Written) -> None:
    """DEBUG names users, so it is asked for."""
    set_up(level="INFO", shape="json")
    log = structlog.get_logger("audience_sync")
    log.debug("foreign_key_user", user="alice")
    log.info("assigned")

    text = written()
    assert [line["action"] for line in lines(text)] == ["assigned"]
    assert "alice" not in text


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "aiohttp.client"])
def test_no_library_tells_an_address(written: Written, name: str, level: str) -> None:
    """The HTTP library writes whole addresses at INFO, and a query may carry the signature."""
    set_up(level=level, shape="json")
    logging.getLogger(name).info('HTTP Request: POST %s "HTTP/1.1 200 OK"', ADDRESS)

    assert written() == ""


def test_a_library_that_warns_is_heard_under_a_constant_action(written: Written) -> None:
    """Its text is a field, so that a line of a new version is no new action."""
    set_up(level="INFO", shape="json")
    logging.getLogger("somebody").warning("disk %s is full", "sda")

    [line] = lines(written())
    assert line["action"] == "library_said"
    assert line["text"] == "disk sda is full"
    assert line["logger"] == "somebody"


def test_an_exception_is_one_line(written: Written) -> None:
    """A traceback that fills many lines can't be found again by its action."""
    set_up(level="INFO", shape="json")
    try:
        raise ValueError("lost")  # noqa: TRY301 - it is caught here on purpose
    except ValueError:
        structlog.get_logger("audience_sync").exception("failed")

    [line] = lines(written())
    assert line["action"] == "failed"
    assert "ValueError: lost" in line["exception"]


def test_a_stream_that_is_no_terminal_gets_json(written: Written) -> None:
    """Where a program reads the lines, nobody has to ask for it."""
    set_up(level="INFO", shape="auto")
    structlog.get_logger("audience_sync").info("stopped")
    assert lines(written())[0]["action"] == "stopped"


def test_text_is_for_people(written: Written) -> None:
    """On request also where it is no terminal."""
    set_up(level="INFO", shape="text")
    structlog.get_logger("audience_sync").info("draining", seconds=20)

    [line] = written().splitlines()
    assert "draining" in line
    assert "seconds" in line


def test_a_level_is_changed_for_a_while_and_goes_back(written: Written) -> None:
    """Loggers that were used before obey, too."""
    set_up(level="INFO", shape="json")
    log, level = structlog.get_logger("audience_sync"), Level("INFO")
    log.debug("foreign_key_user", user="alice")
    assert written() == ""

    level.change("DEBUG", seconds=60.0, now=100.0)
    log.debug("foreign_key_user", user="alice")
    assert [line["action"] for line in lines(written())] == ["foreign_key_user"]
    assert (level.now, level.back_at) == ("DEBUG", 160.0)

    assert not level.look(159.9)
    assert level.look(160.0)
    assert not level.look(161.0)
    log.debug("foreign_key_user", user="alice")
    assert written() == ""
    assert (level.now, level.back_at) == ("INFO", None)


def test_at_any_level_no_library_tells_an_address(written: Written) -> None:
    """As when it is set at the start."""
    set_up(level="INFO", shape="json")
    Level("INFO").change("DEBUG", seconds=60.0, now=100.0)
    logging.getLogger("httpx").info("HTTP Request: POST %s", ADDRESS)
    logging.getLogger("aiohttp.client").debug(ADDRESS)

    assert "planted" not in written()


@pytest.mark.parametrize(
    ("level", "seconds"), [("debug", 60.0), ("", 60.0), ("INFO", 0.0), ("INFO", 3601.0), ("INFO", math.nan)]
)
def test_a_level_that_is_none_and_a_time_without_end_are_refused(level: str, seconds: float) -> None:
    """With what could be meant."""
    with pytest.raises(ValueError, match=r"there is|seconds"):
        Level("INFO").change(level, seconds=seconds, now=100.0)


def test_the_last_lines_are_kept_the_last_one_first(written: Written) -> None:
    """So many, from WARNING on, shortened; ours by their action, others by their text."""
    set_up(level="DEBUG", shape="json")
    last = LastLines(most=2, most_characters=5)
    logging.getLogger().addHandler(last)
    log = structlog.get_logger("audience_sync")
    log.error("first")
    log.info("assigned")
    log.warning("commit_failed", error="RebalanceInProgress")
    logging.getLogger("somebody").error("it is %s", "broken")

    assert [(line.level, line.action, line.fields) for line in last.lines] == [
        ("error", "library_said", {"text": "it is"}),
        ("warning", "commit_failed", {"error": "Rebal"}),
    ]
    assert len(lines(written())) == 4
