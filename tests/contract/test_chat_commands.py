"""`audience-sync chat` against the emulator: what is typed is done, what is refused is told, and nothing else."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from audience_sync.commands.stop import ExitCode
from audience_sync.emulator.server import Emulator
from audience_sync.emulator.store import UserState
from audience_sync.emulator.switches import Accounts, Batch, Switches, UnknownRead
from tests.support.shell import ACCOUNT, Shell, account_of, emulated

SUCCESSOR: Final = {"AUDIENCE_SYNC_CHAT__FAMILY": "timpush"}
STRICT: Final = Switches(accounts=Accounts.IMPORTED, batch=Batch.REJECT)
APP_IDS: Final = itertools.count(1400000001)


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    """One emulator for all tests, in which each has an app of its own."""
    with emulated() as emulator:
        yield emulator


def app_of(running: Emulator, **settings: Any) -> Emulator:
    """A new app in the emulator."""
    return running.add_app(replace(ACCOUNT, app_id=next(APP_IDS), **settings))


@pytest.fixture
def emulator(running: Emulator) -> Iterator[Emulator]:
    """An app of the emulated Chat API; whatever a test checks, it checks the promises too."""
    emulator = app_of(running)
    yield emulator
    assert emulator.broken_limits == []
    assert emulator.overlaps == [], "one user was in two requests at the same time"


@pytest.fixture
def shell(emulator: Emulator) -> Shell:
    """A shell with the account of the emulator."""
    return Shell(account_of(emulator))


@pytest.fixture
def strict(running: Emulator) -> Emulator:
    """An app that knows alice and bob, and refuses whole requests for anybody else."""
    return app_of(running, imported=("alice", "bob"), switches=STRICT)


def objects(text: str) -> list[dict[str, Any]]:
    """JSON, an object a line."""
    return [json.loads(line) for line in text.splitlines()]


# What is typed is done


def test_tags_are_added_read_and_removed(emulator: Emulator, shell: Shell) -> None:
    added = shell.chat("add-tags", "alice", "bob", "--tag", "stock:600519", "--tag", "vip")
    assert (added.code, added.out, added.err) == (0, "", "2 users confirmed.\n")
    assert shell.chat("get-tags", "alice", "carol").rows == [
        ["alice", "stock:600519"],
        ["alice", "vip"],
        ["carol", ""],
    ]

    assert shell.chat("remove-tags", "alice", "--tag", "vip").code == 0
    assert shell.chat("remove-all-tags", "bob").code == 0
    assert emulator.state() == {"alice": UserState({}, ["stock:600519"]), "bob": UserState()}


def test_attributes_are_named_set_read_and_removed(emulator: Emulator, shell: Shell) -> None:
    named = shell.chat("set-attribute-names", "2=level")
    assert named.rows == [["0", "membership"], ["1", "city"], ["2", "level"]]
    assert shell.chat("get-attribute-names").rows == named.rows

    assert (
        shell.chat("set-attributes", "alice", "--attribute", "city=深圳", "--attribute", "level=gold").code
        == 0
    )
    assert shell.chat("get-attributes", "alice", "bob").rows == [
        ["alice", "city", "深圳"],
        ["alice", "level", "gold"],
        ["bob", "", ""],
    ]
    assert shell.chat("remove-attributes", "alice", "--attribute", "city").code == 0
    assert emulator.user("alice").attributes == {"level": "gold"}


def test_accounts_are_imported_checked_and_deleted(shell: Shell) -> None:
    assert shell.chat("import-accounts", "alice", "bob", "--nick", "A").code == 0
    assert shell.chat("delete-accounts", "bob", "--yes").code == 0
    checked = shell.chat("check-accounts", "alice", "bob", "carol")
    assert checked.rows == [["alice", "imported"], ["bob", "not imported"], ["carol", "not imported"]]


def test_a_push_reaches_whom_its_condition_means(emulator: Emulator, shell: Shell) -> None:
    for user in ("alice", "bob", "carol"):
        emulator.login(user)
    shell.chat("add-tags", "alice", "bob", "--tag", "a")
    shell.chat("add-tags", "carol", "--tag", "b", "--tag", "d")

    pushed = shell.chat("push", "--tags-or", "b", "c", "--tags-and", "d", "--text", "hi", "--from", "alice")

    [[task, number]] = pushed.rows
    [delivery] = emulator.deliveries()
    assert (delivery.user, delivery.task_id, delivery.sender) == ("carol", task, "alice")
    assert delivery.body == [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]
    assert number.isdigit()


def test_the_successor_replaces_tags_names_devices_and_takes_pushes_back(
    emulator: Emulator, shell: Shell
) -> None:
    emulator.login("alice")
    shell.chat("add-tags", "alice", "--tag", "old")
    assert shell.chat("add-tags", "alice", "--tag", "new", "--replace", **SUCCESSOR).code == 0
    assert emulator.user("alice").tags == ["new"]
    assert shell.chat("set-attribute-names", "5=device", "--type", "5=1", **SUCCESSOR).code == 0
    [[task, _]] = shell.chat("push", "--tags-not", "old", "--text", "hi", **SUCCESSOR).rows
    assert [delivery.task_id for delivery in emulator.deliveries()] == [task]
    assert shell.chat("revoke", task, "--title", "t", "--desc", "d", **SUCCESSOR).rows == [
        [task, "taken back"]
    ]

    again = shell.chat("revoke", task, "--title", "t", "--desc", "d", "--patience", "3", **SUCCESSOR)
    assert (again.code, "90050" in again.err) == (ExitCode.REFUSED, True)


def test_what_only_the_successor_can_is_refused_before(emulator: Emulator, shell: Shell) -> None:
    for words in [
        ("add-tags", "alice", "--tag", "a", "--replace"),
        ("set-attribute-names", "5=device", "--type", "5=1"),
        ("revoke", "some-task"),
        ("push", "--tags-not", "a", "--text", "hi"),
    ]:
        told = shell.chat(*words)
        assert (told.code, "timpush" in told.err) == (ExitCode.BAD_INPUT, True), words
    assert not emulator.counters.calls


# Files and pipes


def test_what_is_read_can_be_written_again(emulator: Emulator, shell: Shell) -> None:
    """JSON out of one command goes into another."""
    shell.chat("add-tags", "alice", "bob", "--tag", "a")
    shell.chat("set-attributes", "alice", "--attribute", "city=x")
    tags = shell.chat("get-tags", "alice", "bob", "carol", "--json").out
    attributes = shell.chat("get-attributes", "alice", "--json").out

    assert objects(tags)[2] == {"user": "carol", "tags": []}
    assert shell.chat("remove-tags", "-", given=tags).err == "2 users confirmed.\n"
    assert shell.chat("set-attributes", "-", given=attributes).code == 0
    assert emulator.state() == {"alice": UserState({"city": "x"}, []), "bob": UserState()}


def test_a_table_is_applied_in_full_requests(emulator: Emulator, shell: Shell, tmp_path: Path) -> None:
    """Rows of one user are one user's part, however they are scattered."""
    users = [f"user-{number}" for number in range(250)]
    rows = [f"{user},{tag}" for tag in "ab" for user in users]
    file = tmp_path / "users.csv"
    file.write_text("\n".join(["user,tag", *rows]))

    told = shell.chat("add-tags", "--file", str(file))

    assert told.err == "250 users confirmed.\n"
    assert emulator.state() == dict.fromkeys(users, UserState({}, ["a", "b"]))
    assert emulator.counters.users_per_request["im_add_tag"] == {100: 2, 50: 1}


def test_rows_come_out_in_the_order_of_the_lines(shell: Shell) -> None:
    """Answers come in any order, and several at once."""
    users = [f"user-{number}" for number in range(350)]
    shell.chat("add-tags", *users, "--tag", "a")
    assert [row[0] for row in shell.chat("get-tags", "-", given="\n".join(users)).rows] == users


def test_more_tags_than_a_request_takes_leave_in_several(emulator: Emulator, shell: Shell) -> None:
    tags = [f"tag-{number}" for number in range(25)]
    assert shell.chat("add-tags", "alice", *(word for tag in tags for word in ("--tag", tag))).code == 0
    assert emulator.user("alice").tags == tags


def test_an_empty_pipe_is_nothing_to_do(emulator: Emulator, shell: Shell) -> None:
    """A job that found nobody has not failed."""
    told = shell.chat("add-tags", "-", "--tag", "a", given="")
    assert (told.code, told.err) == (0, "Nothing to do.\n")
    assert not emulator.counters.calls


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        (("add-tags", "-"), "alice\n", "standard input, line 1: a user alone"),
        (("add-tags", "-", "--format", "csv"), "user,tag\nalice\n", "standard input, line 2: 1 cell "),
        (("add-tags", "alice"), "", "what of 'alice'?"),
        (("add-tags", "--tag", "a"), "", "Which users?"),
        (("add-tags", "x" * 33, "--tag", "a"), "", "has 33 bytes"),
        (("set-attributes", "alice", "--attribute", "city"), "", 'has no "="'),
        (("set-attributes", "alice", "--attribute", "ctiy=x"), "", "the app has no attribute 'ctiy'; it has city,"),
        (("remove-attributes", "-", "--attribute", "ctiy"), "alice", "the app has no attribute 'ctiy'"),
        (("set-attribute-names", "10=a", "1=", "2=b", "3=b"), "", "there is no slot '10'"),
        (("set-attribute-names", "1=a", "1=b"), "", "is given twice"),
        (("set-attribute-names", "1=membership"), "", "membership"),
        (("delete-accounts", "alice"), "", "--yes"),
        (("push", "--everyone", "--text", "hi"), "", "--yes"),
        (("push", "--text", "hi"), "", "who is it for?"),
        (("push", "--body", "-", "--everyone"), "{", "standard input is no JSON"),
    ],
)  # fmt: skip
def test_wrong_input_writes_nothing(
    emulator: Emulator, shell: Shell, words: tuple[str, ...], given: str, said: str
) -> None:
    """It is told with exit code 2; at most the names of attributes were read."""
    told = shell.chat(*words, given=given)
    assert (told.code, told.out) == (ExitCode.BAD_INPUT, "")
    assert said in told.err
    assert not emulator.counters.calls.keys() - {"im_get_attr_name"}


# Users who are refused


@pytest.mark.parametrize("batch", [Batch.REJECT, Batch.PREFIX, Batch.PARTIAL])
def test_refused_users_are_listed_and_the_others_are_served(strict: Emulator, batch: Batch) -> None:
    """Whether the API names them or refuses the whole request: then they are found by halving."""
    strict.switch(batch=batch)
    shell = Shell(account_of(strict))
    code = "70107" if batch is Batch.PARTIAL else "90048"

    told = shell.chat("add-tags", "alice", "ghost", "bob", "--tag", "a")

    assert told.code == ExitCode.REFUSED
    assert told.rows == [["ghost", code, "the account does not exist"]]
    assert told.err == "2 users confirmed, 1 refused.\n"
    assert {user: strict.user(user).tags for user in ("alice", "bob")} == {"alice": ["a"], "bob": ["a"]}


def test_refused_users_are_told_in_json(strict: Emulator) -> None:
    """With the API's own words."""
    told = Shell(account_of(strict)).chat("add-tags", "ghost", "alice", "--tag", "a", "--json")
    [refused] = objects(told.out)
    assert refused.keys() == {"user", "code", "meaning", "info"}
    assert (refused["user"], refused["code"]) == ("ghost", 90048)


@pytest.mark.parametrize("unknown", [UnknownRead.OMIT, UnknownRead.REFUSE])
def test_users_that_reading_does_not_find_are_told_beside_the_others(
    strict: Emulator, unknown: UnknownRead
) -> None:
    """Not among the rows that another program reads."""
    strict.switch(unknown_read=unknown)
    told = Shell(account_of(strict)).chat("get-tags", "ghost", "alice")
    assert (told.code, told.rows) == (ExitCode.REFUSED, [["alice", ""]])
    assert told.err.startswith("ghost\t")
    assert told.err.endswith("1 user found, 1 refused.\n")


def test_a_file_of_nobody_ends_early(running: Emulator) -> None:
    """When all of a full request are refused, it is hardly the users: the rest is not sent."""
    users = "\n".join(f"ghost-{number}" for number in range(5000))
    emulator = app_of(running, switches=STRICT, calls_per_second=1000.0)
    shell = Shell(account_of(emulator) | {"AUDIENCE_SYNC_CHAT__CALLS_PER_SECOND": "1000"})

    told = shell.chat("remove-all-tags", "-", given=users)

    assert told.code == ExitCode.REFUSED
    assert "90048" in told.err
    assert "import-accounts" in told.err
    assert emulator.counters.calls["im_remove_all_tags"] < 250


def test_who_could_not_be_imported_is_told_with_the_reason(strict: Emulator) -> None:
    """The answer for many names them without one."""
    shell = Shell(account_of(strict))
    shell.chat("delete-accounts", "bob", "--yes")
    told = shell.chat("import-accounts", "alice", "bob", "carol")
    assert (told.code, [row[:2] for row in told.rows]) == (ExitCode.REFUSED, [["bob", "70399"]])
    assert told.err == "2 users confirmed, 1 refused.\n"


# What may pass later, and what may not


@pytest.mark.parametrize("kind", ["code:60007", "http:429"])
def test_what_may_pass_later_is_repeated(emulator: Emulator, shell: Shell, kind: str) -> None:
    """Without a word of the person."""
    emulator.fail_next(kind, count=2)
    assert shell.chat("add-tags", "alice", "--tag", "a").code == 0
    assert emulator.counters.calls["im_add_tag"] == 3


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("code:60007", ExitCode.UNAVAILABLE),
        ("code:91000", ExitCode.UNAVAILABLE),
        ("code_after:60008", ExitCode.UNAVAILABLE),
        ("http:502", ExitCode.UNAVAILABLE),
        ("reset", ExitCode.UNAVAILABLE),
        ("code:90045", ExitCode.REFUSED),
        ("code:70009", ExitCode.REFUSED),
        ("code:90001", ExitCode.REFUSED),
        ("http:403", ExitCode.REFUSED),
    ],
)
def test_a_call_that_fails_as_a_whole_says_what_to_do_next(
    emulator: Emulator, shell: Shell, kind: str, code: ExitCode
) -> None:
    """What happened, the way out, how far it got."""
    emulator.fail_next(kind, count=5)
    told = shell.chat("add-tags", "alice", "--tag", "a", "--patience", "0")
    happened, way_out, so_far = told.err.splitlines()
    assert (told.code, told.out) == (code, "")
    assert happened.startswith("add_tag ")
    assert way_out
    assert so_far == "Until then: 0 users confirmed. The whole can be repeated safely."


def test_an_api_that_is_gone_is_not_reached() -> None:
    """Settings are named that may be wrong."""
    with emulated() as emulator:
        shell = Shell(account_of(emulator))
    told = shell.chat("get-tags", "alice", "--patience", "0")
    assert told.code == ExitCode.UNAVAILABLE
    assert "AUDIENCE_SYNC_CHAT__BASE_URL" in told.err


def test_a_wrong_key_is_told_and_not_shown(shell: Shell) -> None:
    told = shell.chat("get-tags", "alice", AUDIENCE_SYNC_CHAT__SIGNING_KEY="planted-wrong-key-2c8e")
    assert (told.code, "70009" in told.err) == (ExitCode.REFUSED, True)
    assert "AUDIENCE_SYNC_CHAT__SIGNING_KEY" in told.err
    assert "planted-wrong-key" not in told.err


def test_settings_that_are_wrong_are_told_like_everywhere(shell: Shell) -> None:
    told = shell.chat("get-tags", "alice", AUDIENCE_SYNC_CHAT__APP_ID="0", AUDIENCE_SYNC_CHAT__FAMILY="x")
    assert told.code == ExitCode.BAD_INPUT
    assert "CHAT__FAMILY" in told.err


def test_what_is_gone_after_a_lost_answer_is_done(
    emulator: Emulator, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first try deleted, or took back; the second is told that there is nothing any more."""
    monkeypatch.setattr("audience_sync.commands.chat.requests.SETTLING_SECONDS", 0.0)  # held by a unit test
    shell.chat("import-accounts", "alice")
    emulator.fail_next("code_after:91000", endpoint="account_delete")
    deleted = shell.chat("delete-accounts", "alice", "--yes")
    [[task, _]] = shell.chat(
        "push", "--everyone", "--yes", "--text", "hi", "--life-time", "1d", **SUCCESSOR
    ).rows
    emulator.fail_next("code_after:91000", endpoint="timpush/revoke")
    taken_back = shell.chat("revoke", task, "--title", "t", "--desc", "d", **SUCCESSOR)

    assert (deleted.code, deleted.out) == (0, "")
    assert (taken_back.code, taken_back.rows) == (0, [[task, "taken back"]])
    assert emulator.counters.calls["account_delete"] == 2
    assert emulator.counters.calls["timpush/revoke"] >= 2


# Pushes are sent once


def test_a_dry_run_shows_what_would_go_out_and_sends_nothing(emulator: Emulator, shell: Shell) -> None:
    """To the byte; the signature is not part of it."""
    words = ("push", "--attrs-and", "city=x", "level=y", "--text", "hi", "--life-time", "2h", "--random", "7")
    shell.chat("set-attribute-names", "2=level")
    emulator.reset_counters()
    dry = shell.chat(*words, "--dry-run")
    as_json = shell.chat(*words, "--dry-run", "--json")
    assert not emulator.counters.calls

    request, body = dry.out.splitlines()
    assert request == "POST /v4/all_member_push/im_push"
    assert json.loads(body) == {
        "MsgRandom": 7,
        "MsgLifeTime": 7200,
        "Condition": {"AttrsAnd": {"city": "x", "level": "y"}},
        "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}],
    }
    assert objects(as_json.out) == [
        {"method": "POST", "path": "/v4/all_member_push/im_push", "body": json.loads(body)}
    ]
    assert shell.chat("push", "--body", "-", given=body).code == 0, "and it can be sent as it is"


@pytest.mark.parametrize("kind", ["code_after:91000", "reset", "http:502"])
def test_a_push_that_may_have_been_sent_is_not_repeated(emulator: Emulator, shell: Shell, kind: str) -> None:
    """The person is told, and by which number a repeat is recognised."""
    emulator.login("alice")
    emulator.fail_next(kind)

    told = shell.chat("push", "--everyone", "--yes", "--text", "hi")

    assert (told.code, emulator.counters.calls["im_push"]) == (ExitCode.UNAVAILABLE, 1)
    assert "It may have been sent" in told.err
    number = told.err.partition("--random ")[2].partition(":")[0]
    if kind == "http:502":
        return
    again = shell.chat("push", "--everyone", "--yes", "--text", "hi", "--random", number)
    assert again.rows[0][1] == number
    assert len(emulator.delivered("alice")) == 1


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        ("code:90024", ExitCode.UNAVAILABLE, "It was not sent: repeat it"),
        ("code:90047", ExitCode.REFUSED, "It was not sent."),
        ("code:80001", ExitCode.REFUSED, "It was not sent."),
    ],
)
def test_a_push_that_was_not_sent_is_said_not_to_be(
    emulator: Emulator, shell: Shell, kind: str, code: ExitCode, said: str
) -> None:
    """So that it can be repeated without a doubt."""
    emulator.fail_next(kind)
    told = shell.chat("push", "--tags-or", "a", "--text", "hi")
    assert (told.code, emulator.counters.calls["im_push"]) == (code, 1)
    assert said in told.err


def test_the_number_of_a_push_is_told_and_taken(shell: Shell) -> None:
    pushed = shell.chat("push", "--tags-or", "a", "--text", "hi", "--random", "7", "--json")
    [told] = objects(pushed.out)
    assert told == {"task_id": told["task_id"], "random": 7}


# In a process of its own


def started(emulator: Emulator, *words: str) -> subprocess.Popen[str]:
    """The command, as a shell starts it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUDIENCE_SYNC_")}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "audience_sync", "chat", *words],
        env=environment | account_of(emulator),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(is_so: Callable[[], bool]) -> None:
    """Until the command is so far."""
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until, "the command did not get so far"
        time.sleep(0.01)


def test_ctrl_c_says_how_far_it_got(emulator: Emulator, tmp_path: Path) -> None:
    """Of ten requests nine were answered; the last of them began when two answers had been read."""
    file = tmp_path / "users.txt"
    file.write_text("\n".join(f"user-{number}" for number in range(1000)))
    emulator.switch(batch=Batch.PARTIAL)
    emulator.bad_users(**{f"user-{number}": 90048 for number in range(5, 1000, 100)})
    emulator.fail_next("stall:60", count=1)

    with started(emulator, "remove-all-tags", "--file", str(file)) as process:
        wait_until(lambda: len(emulator.requests()) == 9)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    refused = len(out.splitlines())
    assert process.returncode == ExitCode.INTERRUPTED
    assert 2 <= refused <= 9, "who was refused until then is listed"
    assert err.splitlines() == [
        "Interrupted.",
        f"Until then: {99 * refused} users confirmed, {refused} refused. The whole can be repeated safely.",
    ]


def test_ctrl_c_during_a_push_says_that_it_may_have_been_sent(emulator: Emulator) -> None:
    emulator.fail_next("stall:60", count=1)
    with started(emulator, "push", "--tags-or", "a", "--text", "hi", "--random", "7") as process:
        wait_until(lambda: emulator.counters.calls["im_push"] == 1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "It may have been sent" in err
    assert "--random 7" in err


def test_a_failure_is_a_message_and_an_exit_code(emulator: Emulator) -> None:
    """Never a traceback."""
    emulator.feature(on=False)
    with started(emulator, "get-tags", "alice") as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (ExitCode.REFUSED, "")
    assert "Switch the feature on" in err
    assert "Traceback" not in err
