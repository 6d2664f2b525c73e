"""What part of the API's limit is whose: its calls are dealt out to partitions, and the group deals those out."""

from collections.abc import Collection, Mapping

from audience_sync.core.ownership import PartitionKey


class Shares:
    """The limit's whole calls, dealt out to all partitions in a row, once somebody has counted them.

    Shares add up to whole calls: even in a second in which each replica makes the most that it may, all of them
    together keep the limit. In the row, the same numbers of all topics stand side by side: whoever owns numbers that
    follow each other gets what is due to him, give or take less than a call. Who would have no call at all has his
    fraction of one; then the limit may be passed by a call.
    """

    def __init__(self) -> None:
        self._place: dict[PartitionKey, int] = {}

    def learn(self, partitions: Mapping[str, int]) -> None:
        """So many partitions were counted in each topic."""
        every = [
            PartitionKey(topic, number) for topic, count in partitions.items() for number in range(count)
        ]
        self._place = {key: place for place, key in enumerate(sorted(every, key=lambda key: key.number))}

    def of(self, own: Collection[PartitionKey], calls_per_second: float) -> float:
        """The part of the limit that is the owner's.

        Partitions that came since they were counted add nothing. Who owns only such has one call, which may be one
        too many: with none, nothing of theirs would ever be sent.
        """
        count = len(self._place)
        if not count:
            return 1.0
        places = [self._place[key] for key in own if key in self._place]
        whole = int(calls_per_second)
        calls = sum((place + 1) * whole // count - place * whole // count for place in places)
        if calls:
            return calls / calls_per_second
        return len(places) / count if places or not own else min(1.0, 1 / calls_per_second)
