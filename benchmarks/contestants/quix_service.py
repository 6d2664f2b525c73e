"""What who knows Quix Streams writes: a sink of his own, which folds a checkpoint and sends it in hundreds.

    python -m benchmarks.contestants.quix_service BROKER GROUP ADDRESS COMMIT-SECONDS TOPIC...

It runs in an environment of its own; see `quix`.
"""

import sys
from typing import Any

import httpx
from quixstreams import Application
from quixstreams.sinks import BatchingSink, SinkBatch

from benchmarks.contestants.by_hand import Folded, tell


class ChatSink(BatchingSink):  # type: ignore[misc]  # quixstreams is not where types are checked
    """Collects until the checkpoint, and sends then."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address, self._client = address, httpx.Client(timeout=30)
        self._folded = Folded()

    def write(self, batch: SinkBatch) -> None:
        """Fold what one partition gave."""
        for item in batch:
            self._folded.add(item.value)

    def flush(self) -> None:
        """Send what all partitions gave together: partition by partition would be more and emptier requests."""
        super().flush()
        for command, body in self._folded.requests():
            tell(command, self._client.post(self._address.replace("COMMAND", command), json=body).content)
        self._folded = Folded()


def run(broker: str, group: str, address: str, commit_seconds: str, *topics: str) -> None:
    """Work until SIGTERM."""
    app = Application(
        broker_address=broker,
        consumer_group=group,
        commit_interval=float(commit_seconds),
        auto_offset_reset="earliest",
        auto_create_topics=False,
        loglevel="WARNING",
    )
    sink = ChatSink(address)
    for topic in topics:
        stream: Any = app.dataframe(app.topic(topic, value_deserializer="json"))
        stream.sink(sink)
    app.run()


if __name__ == "__main__":
    run(*sys.argv[1:])
