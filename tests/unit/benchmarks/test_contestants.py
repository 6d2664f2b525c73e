"""How contestants are started, and what becomes of one that ends or hangs."""

import sys
from pathlib import Path

import pytest

from audience_sync.rules.file import load_rules
from audience_sync.settings import DebounceSettings, KafkaSettings, load
from benchmarks.contestants.ceiling import Ceiling
from benchmarks.contestants.contestant import SIGNING_KEY, Command, Task
from benchmarks.contestants.ours import NO_LIMIT, Ours
from benchmarks.rig import BenchmarkError, Process
from benchmarks.workloads import KINDS


def a_task(folder: Path, **settings: str) -> Task:
    """Work in topics with a prefix."""
    return Task(
        broker="127.0.0.1:1",
        topics={kind: f"run-7-{kind}" for kind in KINDS},
        group="run-7",
        chat_url="http://127.0.0.1:2",
        folder=folder,
        settings=settings,
    )


def test_ours_is_started_with_default_settings_but_for_names_and_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the settings make of its environment; the key stands in a file."""
    command = Ours().command(a_task(tmp_path))
    for name, value in command.environment.items():
        monkeypatch.setenv(name, value)
    settings = load()

    assert settings.debounce == DebounceSettings()
    assert settings.kafka.max_batch_records == KafkaSettings().max_batch_records
    assert settings.chat.calls_per_second == float(NO_LIMIT)
    assert settings.rules_file is not None
    assert set(load_rules(settings.rules_file).topics) == {f"run-7-{kind}" for kind in KINDS}
    assert SIGNING_KEY not in " ".join([*command.argv, *command.environment.values()])


def test_a_task_may_set_what_it_needs(tmp_path: Path) -> None:
    """Its word is the last one."""
    name = "AUDIENCE_SYNC_CHAT__CALLS_PER_SECOND"
    assert Ours().command(a_task(tmp_path, **{name: "100"})).environment[name] == "100"


def test_both_commit_as_often(tmp_path: Path) -> None:
    """Else the end of one would be seen later than that of the other."""
    name = "AUDIENCE_SYNC_KAFKA__COMMIT_INTERVAL_SECONDS"
    assert "200" in Ceiling().command(a_task(tmp_path, **{name: "0.2"})).argv
    assert "1000" in Ceiling().command(a_task(tmp_path)).argv


def test_a_profile_is_asked_for_around_the_same_command(tmp_path: Path) -> None:
    """And nothing else changes."""
    file = tmp_path / "one.pyisession"
    profiled = Ours(profile=file).command(a_task(tmp_path))
    plain = Ours().command(a_task(tmp_path))
    assert profiled.environment == plain.environment
    assert str(file) in profiled.argv
    assert [each for each in profiled.argv if each in plain.argv] == [plain.argv[0], "-m", *plain.argv[1:]]


def program(text: str) -> Command:
    """A contestant in a line of Python."""
    return Command(argv=[sys.executable, "-c", text], environment={"GIVEN": "1"})


def test_one_that_ends_too_early_is_told_with_its_last_words(tmp_path: Path) -> None:
    """At once: nobody waits for what can't come any more."""
    process = Process(program("import os; print('no', os.environ['GIVEN'])"), tmp_path / "log")
    try:
        with pytest.raises(BenchmarkError, match=r"it is done: the process ended. Its last words:\nno 1"):
            process.wait_for(lambda: None, "it is done", seconds=600)
    finally:
        process.end()


def test_one_that_hangs_is_told_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it does not listen to SIGTERM; and none of our variables reach it."""
    monkeypatch.setenv("AUDIENCE_SYNC_KAFKA__GROUP_ID", "not for it")
    text = (
        "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(sorted(name for name in os.environ if name.startswith('AUDIENCE')), flush=True)\n"
        "while True: signal.pause()"
    )
    process = Process(program(text), tmp_path / "log")
    try:
        process.wait_for(lambda: process.text() or None, "it speaks", seconds=600)
        with pytest.raises(BenchmarkError, match=r"did not come so far in 0 s. Its last words:\n\[\]"):
            process.wait_for(lambda: None, "it is done", seconds=0)
    finally:
        process.end(seconds=0)
    assert not process.running
