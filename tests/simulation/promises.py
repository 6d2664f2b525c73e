"""The promises, judged by what the log says, what the API sees, and what the coordinator accepts."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, cast

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from audience_sync.core.changes import Endpoint, Part, UserId
from tests.simulation.chat import Call, ChatServer, Judge
from tests.simulation.letters import Letter
from tests.simulation.log import Log, Record

Effect = str | bool | None
"""An attribute's value, whether a tag is carried, or None for no value."""

OF_THE_WHOLE: Final = frozenset({90045, 90033, 60007, 91000, 60008, 70009, 60020, 502, -1})
"""Codes that say nothing of a user."""


class Word:
    """One change of one name of one user, as the log has it."""

    __slots__ = ("effect", "of_all", "record")

    def __init__(self, record: Record, effect: Effect, *, of_all: bool) -> None:
        self.record = record
        self.effect = effect
        self.of_all = of_all


class Promises(Judge):
    """Watches everything, and keeps the first promise that is broken.

    tags: all that there are; one change may be of all of them.
    broken: is told which one, what happened, and whom or what it concerns.
    """

    def __init__(
        self,
        log: Log,
        *,
        tags: Collection[str],
        now: Callable[[], float],
        broken: Callable[[str, str, tuple[str, ...]], None],
        tell: Callable[..., None],
    ) -> None:
        self._log = log
        self._tags = tags
        self._now = now
        self._broken = broken
        self._tell = tell
        self._words: dict[tuple[str, str], list[Word]] = {}
        self._newest: dict[tuple[str, str], int] = {}
        self._settled: dict[TopicPartition, int] = {}
        self._under_way: dict[str, Call] = {}
        self._starts: dict[str, deque[float]] = {}
        self._letters: dict[str, list[Letter]] = {}
        self._unusable: set[tuple[str, int, int]] = set()
        self.server: ChatServer
        self.most_a_second: Callable[[], float] = lambda: 1e9
        """How many calls an endpoint may get in a second as things stand."""
        self.most_a_second_of_app: Callable[[], float] = lambda: 1e9
        """The same of all endpoints together."""
        self.given_up_on_purpose: Callable[[str], bool] = lambda _: False
        """Whether a setting says that this user's changes may be dropped."""
        self.committed_position: Callable[[Record], int] = lambda _: 0
        """What the group has committed of a record's partition."""
        self.ever_bad: set[str] = set()
        self.calls = 0
        self.sent_again = 0

    # the log

    def produced(self, record: Record) -> None:
        """A record is in the log."""
        for name, effect in record.words.items():
            for each in self._tags if name == "*" else (name,):
                word = Word(record, effect, of_all=name == "*")
                self._words.setdefault((record.user, each), []).append(word)

    # what the API sees

    def sent(self, call: Call) -> None:
        """P5: how fast, and what is in it."""
        self.calls += 1
        self._tell(call.process, "sends", call)
        endpoint = call.request.endpoint
        for what, most in ((endpoint, self.most_a_second()), ("all", self.most_a_second_of_app())):
            if (count := self._calls_in_the_last_second(what)) > most:
                self._broken("P5", f"{count} calls of {what} in a second, {most:g} are allowed", (endpoint,))
        users = call.request.parts
        if not 1 <= len(users) <= 100:
            self._broken("P5", f"{call} names {len(users)} users", ())
        for user, part in users.items():
            if (why := _unfit(endpoint, user, part)) is not None:
                self._broken("P5", f"{call}: {why}", (user,))

    def _calls_in_the_last_second(self, what: str) -> int:
        """Counts the present one, too."""
        now = self._now()
        starts = self._starts.setdefault(what, deque())
        starts.append(now)
        while starts[0] <= now - 1.0:
            starts.popleft()
        return len(starts)

    def arrived(self, call: Call) -> None:
        """P2: nobody is in two requests. P10: nothing older than what came before."""
        self._tell("api", f"#{call.number}", "arrives")
        for user, part in call.request.parts.items():
            if (other := self._under_way.get(user)) is not None:
                self._broken(
                    "P2", f"{user} is in {other} of {other.process} and in {call} of {call.process}", (user,)
                )
            self._under_way[user] = call
            if call.request.endpoint is Endpoint.REMOVE_ALL_TAGS:
                self._begins_anew(user)
                continue
            for name, effect in self._effects(call.request.endpoint, part):
                self._goes_on(user, name, effect, call)

    def _effects(self, endpoint: Endpoint, part: Part) -> Iterator[tuple[str, Effect]]:
        match endpoint:
            case Endpoint.SET_ATTRIBUTES:
                yield from cast("Mapping[str, str]", part).items()
            case Endpoint.REMOVE_ATTRIBUTES:
                yield from ((name, None) for name in part)
            case Endpoint.ADD_TAGS | Endpoint.REMOVE_TAGS:
                yield from ((tag, endpoint is Endpoint.ADD_TAGS) for tag in part)
            case Endpoint.REMOVE_ALL_TAGS:
                yield from ((tag, False) for tag in self._tags)

    def _goes_on(self, user: str, name: str, effect: Effect, call: Call) -> None:
        """What comes is the newest that was sent, or a later word of the log.

        The newest one is known at least: of equal words the earliest that fits is taken.
        """
        words, newest = self._words.get((user, name), []), self._newest.get((user, name), -1)
        if newest >= 0 and words[newest].effect == effect:
            self.sent_again += 1
            return
        for index in range(newest + 1, len(words)):
            if words[index].effect == effect:
                self._newest[user, name] = index
                return
        came = words[newest].effect if newest >= 0 else "nothing"
        self._broken(
            "P10", f"{user} {name}: {effect} is sent after {came} ({call} of {call.process})", (user,)
        )

    def _begins_anew(self, user: str) -> None:
        """All tags are removed, maybe by a record that is read again: the named exception of P10.

        So it is the earliest that can be read again, which is not committed yet; or the next one.
        """
        for tag in self._tags:
            words = self._words.get((user, tag), [])
            newest = self._newest.get((user, tag), -1)
            for index, word in enumerate(words):
                is_open = word.record.offset >= self.committed_position(word.record)
                if word.of_all and (is_open or index > newest):
                    self._newest[user, tag] = index
                    break

    def applied(self, call: Call, users: Collection[str]) -> None:
        """P10 once more: what is applied late must not go back either."""
        self._tell("api", f"#{call.number}", "is applied")
        for user in users:
            part = call.request.parts[UserId(user)]
            for name, effect in self._effects(call.request.endpoint, part):
                newest = self._newest.get((user, name), -1)
                words = self._words.get((user, name), [])
                if (
                    newest >= 0
                    and words[newest].effect != effect
                    and call.request.endpoint is not Endpoint.REMOVE_ALL_TAGS
                ):
                    self._broken(
                        "P10",
                        f"{user} {name}: {effect} is applied after {words[newest].effect} was sent",
                        (user,),
                    )

    def ended(self, call: Call) -> None:
        """Nobody is under way with it any more."""
        for user in call.request.parts:
            if self._under_way.get(user) is call:
                del self._under_way[user]

    # dead letters

    def buried(self, process: str, letter: Letter) -> None:
        """P3: only bad users. P4: nothing for a failure of the whole."""
        self._tell("letters", process, letter.user or "", letter.cause, letter.code or "", letter.id)
        if letter.user is None:
            for origin in letter.origins:
                self._unusable.add((origin["topic"], origin["partition"], origin["position"]))
                self._check_original(
                    letter, TopicPartition(origin["topic"], origin["partition"]), origin["position"]
                )
            return
        self._letters.setdefault(letter.user, []).append(letter)
        if letter.code in OF_THE_WHOLE:
            self._broken(
                "P4",
                f"{letter.user} is given up for {letter.code}, which says nothing of him",
                (letter.user,),
            )
        if letter.user not in self.ever_bad:
            self._broken(
                "P3", f"{letter.user} is given up with {letter.code}, and was never bad", (letter.user,)
            )

    def _check_original(self, letter: Letter, at: TopicPartition, offset: int) -> None:
        record = self._log.partitions[at].records[offset]
        if record is None or not record.unusable or record.value != letter.original():
            self._broken("P3", f"{at.topic}/{at.partition}/{offset} is a dead letter, and could be used", ())

    def _is_buried(self, user: str, name: str, word: Word) -> bool:
        told = _told(name, word)
        return any(told in letter.changes for letter in self._letters.get(user, ()))

    # positions

    def committed(self, member: str, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """P1: nothing is committed before it is settled."""
        self._tell(
            member,
            "commits",
            *(f"{at.topic}/{at.partition}={o.offset}{_note(o)}" for at, o in offsets.items()),
        )
        for at, offset in offsets.items():
            position = offset.offset
            if position > self._log.visible_end(at):
                self._broken(
                    "P1", f"{at.topic}/{at.partition}: {position} is committed, beyond the end", (_of(at),)
                )
            for record in self._log.visible(at, self._settled.get(at, 0), position):
                self._see_that_it_is_settled(record, at, position)
            self._settled[at] = max(position, self._settled.get(at, 0))

    def _see_that_it_is_settled(self, record: Record, at: TopicPartition, position: int) -> None:
        if record.is_deleted:
            return
        where = f"{at.topic}/{at.partition}/{record.offset}"
        if record.unusable:
            if (at.topic, at.partition, record.offset) not in self._unusable:
                self._broken("P1", f"{where} is committed, and is no dead letter yet", (_of(at),))
            return
        names = self._tags if "*" in record.words else ()
        for name in (*names, *(name for name in record.words if name != "*")):
            if not self._holds(record.user, name, below=position):
                self._broken(
                    "P1",
                    f"{where} is committed, and {record.user} {name} is {self._found(record.user, name)}",
                    (record.user, _of(at)),
                )

    def _found(self, user: str, name: str) -> Effect:
        found = self.server.words.get(user, {}).get(name)
        return found is True if _is_tag(name) else found

    def has_the_last_word(self, user: str, name: str) -> bool:
        """Whether the API has what the log says last, whatever the dead letters say."""
        words = [word for word in self._words[user, name] if self._log.is_visible(word.record)]
        return not words or (words[-1].effect or None) == (self._found(user, name) or None)

    def _holds(self, user: str, name: str, *, below: int | None) -> bool:
        """Whether the API has the last word on a name below that position, or a later one."""
        if self.given_up_on_purpose(user):
            return True
        words = [word for word in self._words[user, name] if self._log.is_visible(word.record)]
        found = self._found(user, name)
        while words:
            word = words.pop()
            if word.effect == found or self._is_buried(user, name, word):
                return True
            if (below is None or word.record.offset < below) and not word.record.is_deleted:
                return False
        return found in (None, False)

    def all_in_step(self) -> None:
        """P1, at the end: every user is as the log says, or a dead letter says why not."""
        for user, name in self._words:
            if not self._holds(user, name, below=None):
                last = self._words[user, name][-1].effect
                self._broken(
                    "P1", f"{user} {name} is {self._found(user, name)} in the end, and not {last}", (user,)
                )
        for at, partition in self._log.partitions.items():
            for record in self._log.visible(at, 0, partition.end):
                place = (at.topic, at.partition, record.offset)
                if record.unusable and not record.is_deleted and place not in self._unusable:
                    self._broken("P1", f"{place} can't be used, and is no dead letter", (_of(at),))


def _is_tag(name: str) -> bool:
    return name.startswith("t:")


def _of(at: TopicPartition) -> str:
    return f"{at.topic}/{at.partition}"


def _note(offset: OffsetAndMetadata) -> str:
    return str(offset.metadata).replace('"', "").replace("sent_below", "below").replace(",v:1", "")


def _told(name: str, word: Word) -> list[str]:
    """How a dead letter tells the change."""
    if word.of_all:
        return ["RemoveAllTags"]
    match word.effect:
        case True:
            return ["AddTag", name]
        case False:
            return ["RemoveTag", name]
        case None:
            return ["RemoveAttribute", name]
        case value:
            return ["SetAttribute", name, value]


def _unfit(endpoint: Endpoint, user: str, part: Part) -> str | None:
    """Why the API would not take a user's part, by its documented limits."""
    if not 1 <= len(user.encode()) <= 32:
        return f"the user {user!r}"
    if endpoint is Endpoint.REMOVE_ALL_TAGS:
        return None if not part else "remove_all_tags says more than the user"
    texts = [*part, *part.values()] if isinstance(part, Mapping) else [*part]
    if not 1 <= len(part) <= 10:
        return f"{len(part)} names for {user}"
    if any(not 1 <= len(text.encode()) <= 50 for text in texts):
        return f"a text of {user} has another length than 1 to 50 bytes"
    return None
