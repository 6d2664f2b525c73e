"""Which keys name their user, and which would let his events lie in several partitions."""

import pytest

from audience_sync.core.changes import UserId
from audience_sync.events.keys import is_keyed_by


@pytest.mark.parametrize(
    ("key", "user", "is_so"),
    [
        (b"alice", "alice", True),
        (b"bob", "alice", False),
        (None, "alice", False),
        (b'{"id": "alice"}', "alice", True),
        (b'{"id": 7}', "7", True),
        (b'{"schema": {"type": "struct"}, "payload": {"id": "alice"}}', "alice", True),
        (b'{"id": "bob"}', "alice", False),
        (b'{"id": true}', "True", False),
        (b'{"id": {"id": "alice"}}', "alice", False),
        (b'{"id": "alice", "symbol": "000001.SZ"}', "alice", False),
        (b'{"schema": {"type": "struct"}, "payload": {"id": "alice", "n": 1}}', "alice", False),
        (b'{"schema": {"type": "struct"}, "payload": "alice"}', "alice", False),
        (b"{}", "alice", False),
        (b"{alice}", "{alice}", True),
        (b"{alice", "alice", False),
        (b"\x00\x00\x00\x00\x01\x0aalice", "alice", False),
    ],
)
def test_a_key_that_holds_the_user_alone_names_him(key: bytes | None, user: str, *, is_so: bool) -> None:
    """One user, one key, one partition. With a second column he would have several."""
    assert is_keyed_by(key, UserId(user)) is is_so
