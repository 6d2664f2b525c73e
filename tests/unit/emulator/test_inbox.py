"""Who gets a push, when, how often, and until when."""

from time import process_time
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from audience_sync.emulator.condition import Condition
from audience_sync.emulator.inbox import KEPT, Delivery, Forgotten, How, Inboxes, LogIn
from audience_sync.emulator.pushing import Pushed
from audience_sync.emulator.refusals import RefusedError
from tests.unit.emulator.pushes import WEEK_SECONDS, Record, Town, received


def pushed(
    number: int, to: list[str], *, at: float = 0.0, expires: float | None = None, **more: Any
) -> Pushed:
    """A push that was taken."""
    given_fields: dict[str, Any] = {"sender": "administrator", "family": "timpush", "delivered": []}
    return Pushed(
        task_id=f"task-{number}",
        random=number,
        condition=Condition(),
        body=[],
        offline=None,
        at=at,
        expires=expires,
        to=to,
        **given_fields | more,
    )


def test_who_is_online_gets_a_push_at_once() -> None:
    """And never again."""
    town = Town()
    town.log_in("alice", 900.0)
    task = town.push(1000.0, MsgLifeTime=60, From_Account="carol")
    (delivery,) = town.inboxes.deliveries
    assert (delivery.user, delivery.task_id, delivery.sender) == ("alice", task, "carol")
    assert (delivery.at, delivery.how, delivery.number) == (1000.0, How.ONLINE, 1)
    assert delivery.body == town.pushing.sent[0].body
    town.log_out("alice", 1001.0)
    assert town.log_in("alice", 1002.0) == []


def test_who_is_offline_gets_it_when_he_logs_in() -> None:
    """Once, however often he comes back."""
    town = Town()
    task = town.push(1000.0, MsgLifeTime=60)
    (delivery,) = town.log_in("bob", 1030.0)
    assert (delivery.task_id, delivery.at, delivery.how) == (task, 1030.0, How.OFFLINE)
    assert town.log_in("bob", 1031.0) == []
    town.log_out("bob", 1032.0)
    assert town.log_in("bob", 1033.0) == []


def test_what_waits_is_delivered_in_the_order_it_was_sent() -> None:
    """Whatever was sent for others in between, and however long each one lives."""
    town = Town()
    town.people["bob"] = ({}, ["vip"])
    asked: list[dict[str, Any]] = [{"MsgLifeTime": 900}, {"MsgLifeTime": 100}, {"MsgLifeTime": 500}]
    tasks = [town.push(1000.0 + 2 * number, MsgRandom=number, **each) for number, each in enumerate(asked)]
    town.push(1010.0, MsgRandom=9, MsgLifeTime=900, Condition={"TagsAnd": ["vip"]})
    assert received(town.log_in("alice", 1020.0)) == [("alice", task) for task in tasks]


def test_a_push_without_a_life_time_is_for_those_online() -> None:
    """It waits for nobody."""
    ways: list[tuple[str, dict[str, Any]]] = [("all_member_push", {}), ("timpush", {"OnlineOnlyFlag": 1})]
    for family, fields in ways:
        town = Town()
        town.log_in("alice", 900.0)
        task = town.push(1000.0, family=family, **fields)
        assert received(town.inboxes.deliveries) == [("alice", task)]
        assert town.log_in("bob", 1000.0) == []


def test_a_push_is_gone_after_its_life_time() -> None:
    """It is there until just before, and not in the moment itself."""
    for later, count in ((59.999, 1), (60.0, 0), (60.001, 0)):
        town = Town()
        town.push(1000.0, MsgLifeTime=60)
        assert len(town.inboxes.waiting("alice", 1000.0 + later)) == count
        assert len(town.log_in("alice", 1000.0 + later)) == count


def test_the_longest_life_is_a_week() -> None:
    """In both families."""
    ways: list[tuple[str, dict[str, Any]]] = [
        ("all_member_push", {"MsgLifeTime": WEEK_SECONDS}),
        ("timpush", {}),
    ]
    for family, fields in ways:
        town = Town()
        town.push(1000.0, family=family, **fields)
        assert len(town.log_in("alice", 999.0 + WEEK_SECONDS)) == 1
        assert town.log_in("bob", 1000.0 + WEEK_SECONDS) == []


def test_whoever_meets_the_condition_later_gets_nothing() -> None:
    """Whom a push is for is settled when it is sent."""
    town = Town()
    town.people["alice"] = ({}, ["vip"])
    town.push(1000.0, MsgLifeTime=60, Condition={"TagsOr": ["vip"]})
    town.people["bob"], town.people["alice"] = ({}, ["vip"]), ({}, [])
    assert town.log_in("bob", 1001.0) == []
    assert len(town.log_in("alice", 1001.0)) == 1


def test_a_deleted_account_has_no_inbox() -> None:
    """Not even when it is imported again; others keep theirs."""
    town = Town()
    town.log_in("bob", 999.0)
    town.push(1000.0, MsgLifeTime=60)
    town.carry_out(Forgotten(["alice", "bob", "nobody"], 1001.0))
    assert town.inboxes.online == set()
    assert town.log_in("alice", 1002.0) == []


def test_deliveries_are_numbered_and_the_last_ones_kept() -> None:
    """The numbers go on when the oldest are dropped."""
    inboxes = Inboxes()
    users = [f"user-{number}" for number in range(KEPT + 1)]
    inboxes.apply(pushed(1, users, delivered=users))
    assert inboxes.count == KEPT + 1
    assert [each.number for each in inboxes.deliveries] == list(range(2, KEPT + 2))


def test_subscribers_are_told_of_each_delivery() -> None:
    """Until they end it, which one of them may do while he is told."""
    inboxes, all_of_them, first_only = Inboxes(), list[Delivery](), list[Delivery]()
    inboxes.subscribe(all_of_them.append)

    def once(delivery: Delivery) -> None:
        first_only.append(delivery)
        end()

    end = inboxes.subscribe(once)
    last = list[Delivery]()
    inboxes.subscribe(last.append)
    inboxes.apply(pushed(1, ["alice", "bob"], delivered=["alice", "bob"]))
    assert [each.user for each in all_of_them] == [each.user for each in last] == ["alice", "bob"]
    assert [each.user for each in first_only] == ["alice"]


def test_each_push_is_counted() -> None:
    """Who got it, and for whom it waits: until he comes, it expires, or it is revoked."""
    town = Town()
    town.people["carol"] = ({}, [])
    town.log_in("alice", 999.0)
    task = town.push(1000.0, family="timpush")
    counts = town.inboxes.counts
    assert (town.inboxes.is_online("alice"), town.inboxes.is_online("bob")) == (True, False)
    assert counts(task, 1000.0) == (1, 2)
    town.log_in("bob", 1001.0)
    assert counts(task, 1001.0) == (2, 1)
    assert counts(task, 1000.0 + WEEK_SECONDS) == (2, 0)
    town.revoke(task, 1002.0)
    assert town.pushing.is_revoked(task)
    assert counts(task, 1002.0) == (2, 0)
    online_only = town.push(1003.0, MsgRandom=2)
    assert (town.pushing.sent[1].online_only, town.pushing.sent[0].online_only) == (True, False)
    assert counts(online_only, 1003.0) == (2, 0)
    assert counts("no task", 1003.0) == (0, 0)


def test_nothing_is_kept_for_those_who_never_come() -> None:
    """What has expired leaves the inboxes with the next push."""
    inboxes = Inboxes()
    inboxes.apply(pushed(1, ["alice", "bob"], at=0.0, expires=10.0))
    inboxes.apply(pushed(2, ["alice"], at=5.0, expires=50.0))
    inboxes.apply(pushed(3, [], at=10.0))
    assert {user: list(waiting) for user, waiting in inboxes._waiting.items()} == {"alice": ["task-2"]}


def test_a_log_in_costs_what_the_own_inbox_costs() -> None:
    """Not what the inboxes of 100,000 others hold. In processor time, against that of a push, on a loose leash."""
    inboxes = Inboxes()
    crowd = [f"user-{number}" for number in range(100_000)]
    began = process_time()
    for number in range(3):
        inboxes.apply(pushed(number, crowd, expires=1000.0))
    pushing = (process_time() - began) / 3
    began = process_time()
    for number in range(100):
        assert len(inboxes.log_in(f"user-{number}", 1.0)) == 3
    assert (process_time() - began) / 100 < pushing / 100


# --- properties -------------------------------------------------------------------------------------------------

users = st.sampled_from(["alice", "bob", "carol", "dave"])


class Task(NamedTuple):
    """A push that was taken."""

    name: str
    at: float
    family: str


class Deliveries(RuleBasedStateMachine):
    """Anything that can happen to pushes, beside a second book that is kept push by push and user by user."""

    @initialize(window=st.sampled_from([0.0, 5.0, 604_800.0]))
    def begin(self, window: float) -> None:
        """Four users, half of whom are vip."""
        self.town = Town(pushes_per_day=10**6, repeat_window_seconds=window)
        self.town.people = {
            name: ({}, ["vip"] * (name in "alice bob")) for name in ("alice", "bob", "carol", "dave")
        }
        self.window, self.now = window, 1000.0
        self.online: set[str] = set()
        self.seen: list[tuple[str, str]] = []  # (user, task), as it should have been delivered
        self.open: dict[str, tuple[float, set[str]]] = {}  # {task: (expires, who still waits)}
        self.randoms: dict[int, tuple[str, float]] = {}
        self.tasks: list[Task] = []
        self.revoked: list[Task] = []
        self.last_revocation = -1.0

    @rule(seconds=st.sampled_from([0.5, 1.5, 4.0, 30.0, 90_000.0]))
    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.now += seconds

    @rule(
        random=st.integers(0, 5),
        vip=st.booleans(),
        life=st.sampled_from([0, 1, 5, 60, WEEK_SECONDS]),
        family=st.sampled_from(["all_member_push", "timpush"]),
    )
    def push(self, random: int, vip: bool, life: int, family: str) -> None:
        """Somebody pushes; maybe too soon, maybe what was pushed before."""
        condition: dict[str, Any] = {"Condition": {"TagsOr": ["vip"]}} if vip else {}
        fields: dict[str, Any] = (
            {"MsgLifeTime": life} if family == "all_member_push" else {"OnlineOnlyFlag": int(life == 0)}
        )
        known = self.randoms.get(random)
        if known is not None and self.now - known[1] < self.window:
            assert (
                self.town.push(self.now, family=family, MsgRandom=random, **condition, **fields) == known[0]
            )
            return
        if self.tasks and self.now - self.tasks[-1].at <= 1:
            with pytest.raises(RefusedError, match="90024"):
                self.town.push(self.now, family=family, MsgRandom=random, **condition, **fields)
            return
        task = self.town.push(self.now, family=family, MsgRandom=random, **condition, **fields)
        assert task not in [each.name for each in self.tasks]
        self.tasks.append(Task(task, self.now, family))
        self.randoms[random] = (task, self.now)
        meant = [name for name in ("alice", "bob", "carol", "dave") if not vip or name in ("alice", "bob")]
        self.seen += [(name, task) for name in meant if name in self.online]
        lasts = life if family == "all_member_push" else (life and WEEK_SECONDS)
        self.open[task] = (self.now + lasts, {name for name in meant if name not in self.online})

    @rule(user=users)
    def log_in(self, user: str) -> None:
        """He gets what is not over, in order."""
        self.online.add(user)
        due = []
        for task, (expires, waiting) in self.open.items():
            if user in waiting:
                waiting.remove(user)
                if self.now < expires:
                    due.append((user, task))
        assert received(self.town.log_in(user, self.now)) == due
        self.seen += due

    @rule(user=users)
    def log_out(self, user: str) -> None:
        """He goes."""
        self.online.discard(user)
        self.town.log_out(user, self.now)

    @rule(user=users)
    def delete(self, user: str) -> None:
        """His account is deleted and imported again."""
        self.online.discard(user)
        for _, waiting in self.open.values():
            waiting.discard(user)
        self.town.carry_out(Forgotten([user], self.now))

    @precondition(lambda self: self.tasks)
    @rule(back=st.integers(1, 3))
    def revoke(self, back: int) -> None:
        """One of the last pushes is taken back, if it may be."""
        task = self.tasks[-min(back, len(self.tasks))]
        if self.now - self.last_revocation < 1:
            expected = "90051"
        elif task.family == "all_member_push":
            expected = "90049"
        elif task in self.revoked:
            expected = "90050"
        elif self.now - task.at > 86_400:
            expected = "90052"
        else:
            self.town.revoke(task.name, self.now, has_offline=True)
            self.last_revocation = self.now
            self.revoked.append(task)
            self.open.pop(task.name)
            return
        with pytest.raises(RefusedError, match=expected):
            self.town.revoke(task.name, self.now, has_offline=True)

    @invariant()
    def everybody_got_what_was_meant_for_him(self) -> None:
        """No more, no less, in this order."""
        assert received(self.town.inboxes.deliveries) == self.seen

    @invariant()
    def nobody_got_anything_twice(self) -> None:
        """Whatever happened."""
        assert len(set(self.seen)) == len(self.seen)
        assert len(set(received(self.town.inboxes.deliveries))) == self.town.inboxes.count

    @invariant()
    def each_push_is_counted(self) -> None:
        """As the second book has it."""
        for task in self.tasks:
            expires, waiting = self.open.get(task.name, (0.0, set()))
            expected = (
                sum(1 for _, name in self.seen if name == task.name),
                len(waiting) * (self.now < expires),
            )
            assert self.town.inboxes.counts(task.name, self.now) == expected

    def teardown(self) -> None:
        """What a journal of it makes is the same, to the last delivery."""
        if not hasattr(self, "town"):
            return
        again = self.town.replayed()
        for name in ("alice", "bob", "carol", "dave"):
            assert again.inboxes.waiting(name, self.now) == self.town.inboxes.waiting(name, self.now)
        assert again.inboxes.deliveries == self.town.inboxes.deliveries
        assert (again.inboxes.online, again.inboxes.count) == (
            self.town.inboxes.online,
            self.town.inboxes.count,
        )
        assert again.pushing.sent == self.town.pushing.sent
        assert again.pushing.revoked == self.town.pushing.revoked
        assert again.push(self.now + 10, MsgRandom=99) == self.town.push(self.now + 10, MsgRandom=99)


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(max_examples=150, stateful_step_count=30)


@given(st.text(min_size=1, max_size=32), st.floats(0, 2e9))
def test_records_survive_their_journal(user: str, at: float) -> None:
    """They are written as JSON and told apart by their tag."""
    for record in (LogIn(user, at), Forgotten([user], at), pushed(1, [user], at=at, expires=at)):
        assert msgspec.json.decode(msgspec.json.encode(record), type=Record) == record
