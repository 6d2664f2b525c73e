"""The service itself, as it is installed: `audience-sync run`."""

import re
import sys
from pathlib import Path

from audience_sync.rules.file import DEFAULT_RULES
from benchmarks.contestants.contestant import APP_ID, SIGNING_KEY, Command, Task

NO_LIMIT = "10000"
"""Calls a second that the service takes as no limit: the highest that its settings allow."""


class Ours:
    """Settings are the defaults but for addresses, names and, unless a task says otherwise, no limit of calls."""

    commits_what_is_confirmed = True

    def __init__(self, name: str = "audience-sync", *, profile: Path | None = None) -> None:
        self.name = name
        self.configuration = "One process with its default settings; the three rules that ship."
        self._profile = profile

    def command(self, task: Task) -> Command:
        """How to start it. With a profile, pyinstrument runs it and writes the file when it ends."""
        key, rules = task.folder / "signing-key", task.folder / "rules.yaml"
        key.write_text(SIGNING_KEY)
        rules.write_text(
            re.sub(
                r"topic: (\S+)", lambda found: f"topic: {task.topics[found[1]]}", DEFAULT_RULES.read_text()
            )
        )
        watched = (
            []
            if self._profile is None
            else ["-m", "pyinstrument", "-i", "0.004", "-r", "session", "-o", str(self._profile)]
        )
        return Command(
            argv=[sys.executable, *watched, "-m", "audience_sync", "run"],
            environment={
                "AUDIENCE_SYNC_KAFKA__BOOTSTRAP_SERVERS": task.broker,
                "AUDIENCE_SYNC_KAFKA__GROUP_ID": task.group,
                "AUDIENCE_SYNC_KAFKA__CREATE_TOPICS": "true",
                "AUDIENCE_SYNC_DEAD_LETTERS__TOPIC": f"{task.group}-dead-letters",
                "AUDIENCE_SYNC_RULES_FILE": str(rules),
                "AUDIENCE_SYNC_CHAT__BASE_URL": task.chat_url,
                "AUDIENCE_SYNC_CHAT__APP_ID": str(APP_ID),
                "AUDIENCE_SYNC_CHAT__SIGNING_KEY_FILE": str(key),
                "AUDIENCE_SYNC_CHAT__CALLS_PER_SECOND": NO_LIMIT,
                "AUDIENCE_SYNC_ADMIN__BIND_HOST": "127.0.0.1",
                "AUDIENCE_SYNC_ADMIN__BIND_PORT": "0",
                **task.settings,
            },
        )
