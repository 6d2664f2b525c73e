"""Processes of tests that end with the test run, however it ends."""

import subprocess


def end_with_us(number: int) -> subprocess.Popen[bytes]:
    """A process that kills process *number* when ours is gone, however it went: its input is then at its end."""
    command = ["sh", "-c", 'cat >/dev/null; kill -KILL "$1"', "watcher", str(number)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
