"""What may not be sent yet after an assignment, and the note that a commit leaves for the next owner.

The part of the log that is read again may hold values older than what was confirmed just before. So nothing
is sent for a partition until it has been read up to where its last owner may have sent from.
"""

import msgspec


class Note(msgspec.Struct, frozen=True):
    """What a commit says besides its position.

    sent_below: nothing whose last folded position is at or above it has been sent.
    clean: it was its owner's last commit, and none of his requests may still be applied by the API.
    """

    sent_below: int
    clean: bool
    v: int = 1

    def text(self) -> str:
        """The note as the commit's metadata."""
        return msgspec.json.encode(self).decode()


class Start(msgspec.Struct, frozen=True):
    """Where a partition is read from after an assignment, and what its last owner left.

    target: nothing may be sent before all below it has been read. Equal to `position`: no hold.
    """

    position: int
    target: int
    note: Note | None
    clean: bool


def start_from(*, committed: tuple[int, str] | None, beginning: int, end: int, bound: int) -> Start:
    """Where to start, from the commit found (position and metadata) and the partition's first and end position.

    Without a commit: at the earliest record, with no hold, since nothing was ever sent. With a commit that
    some tool has made: held as far as an owner may have gone, `bound` (max_unsettled_records) beyond it. With a
    commit above the end (the topic was made anew, or its log was cut): all of it again, held up to its end.
    """
    if committed is None:
        return Start(beginning, beginning, None, clean=True)
    position, metadata = committed
    if position > end:
        return Start(beginning, end, Note(sent_below=end, clean=False), clean=False)
    note = _read(metadata) or Note(sent_below=position + bound, clean=False)
    start = max(position, beginning)
    return Start(start, max(start, min(note.sent_below, end)), note, clean=note.clean)


def _read(metadata: str) -> Note | None:
    try:
        note = msgspec.json.decode(metadata.encode(), type=Note)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    return note if note.v == 1 else None
