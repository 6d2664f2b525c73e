"""A failure of the whole: stop, look again, go on."""

from audience_sync.core.changes import Endpoint
from audience_sync.core.halt import Halt

ADD, SET = Endpoint.ADD_TAGS, Endpoint.SET_ATTRIBUTES


def test_it_is_looked_again_at_growing_intervals_up_to_a_minute() -> None:
    halt, now, intervals = Halt(), 1000.0, []
    for _ in range(6):
        halt.stop(ADD, "not allowed", now)
        intervals.append(halt.look_at - now)
        now = halt.look_at

    assert intervals == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


def test_requests_that_were_under_way_do_not_move_the_next_look() -> None:
    halt = Halt()
    halt.stop(ADD, "not allowed", 1000.0)
    halt.stop(SET, "not allowed either", 1001.0)

    assert (halt.endpoint, halt.reason, halt.look_at) == (ADD, "not allowed", 1005.0)


def test_a_confirmation_on_the_endpoint_that_stopped_ends_it() -> None:
    """Other endpoints may never have been refused: their confirmations say nothing."""
    halt = Halt()
    halt.stop(ADD, "not allowed", 1000.0)

    assert not halt.confirmed(SET, sent_at=3000.0)
    assert halt
    assert halt.confirmed(ADD, sent_at=3000.0)
    assert not halt
    assert not halt.confirmed(ADD, sent_at=3000.0)


def test_the_next_stop_begins_with_a_short_interval() -> None:
    halt = Halt()
    halt.stop(ADD, "not allowed", 1000.0)
    halt.stop(ADD, "not allowed", 1005.0)
    halt.confirmed(ADD, sent_at=3000.0)
    halt.stop(ADD, "not allowed", 2000.0)

    assert halt.look_at == 2005.0


def test_a_stop_that_was_lifted_and_comes_again_is_looked_at_later() -> None:
    """Nobody knows yet whether it is over; only a confirmation there says so."""
    halt = Halt()
    halt.stop(ADD, "not allowed", 1000.0)
    halt.lift()
    assert not halt
    assert not halt.confirmed(SET, sent_at=3000.0)
    halt.stop(ADD, "not allowed", 1010.0)
    assert halt.look_at == 1020.0

    halt.lift()
    assert not halt.confirmed(ADD, sent_at=3000.0), "it was not stopped any more"
    halt.stop(ADD, "not allowed", 1030.0)

    assert halt.look_at == 1035.0


def test_a_stop_for_one_name_ends_with_a_confirmation_that_speaks_of_it() -> None:
    """That another attribute can be set says nothing of the one that is not defined."""
    halt = Halt()
    halt.stop(SET, "not defined", 1000.0, names=frozenset({"tier"}))

    assert not halt.confirmed(SET, frozenset({"city"}), sent_at=3000.0)
    assert halt
    assert halt.confirmed(SET, frozenset({"city", "tier"}), sent_at=3000.0)
    assert not halt


def test_a_request_that_left_before_the_stop_does_not_end_it() -> None:
    """It may have been judged before the failure began, however late its answer comes."""
    halt = Halt()
    halt.stop(ADD, "not allowed", 1000.0)

    assert not halt.confirmed(ADD, sent_at=999.0)
    assert halt
    assert halt.confirmed(ADD, sent_at=1005.0)


def test_a_request_that_passes_elsewhere_brings_the_next_look_forward() -> None:
    """Its user comes to the endpoint that stopped, and may look there."""
    halt = Halt()
    halt.stop(ADD, "not allowed", 1000.0)

    assert not halt.confirmed(SET, sent_at=1005.0)
    halt.stop(ADD, "not allowed", 1005.5)
    assert halt.look_at == 1015.5
    assert not halt.confirmed(SET, sent_at=1006.0)
    assert halt.look_at == 1006.0


def test_another_code_where_it_stopped_shows_that_what_stopped_it_is_over() -> None:
    """Another one elsewhere says nothing."""
    halt = Halt()
    halt.stop(ADD, "the feature is off", 1000.0, code=90045)

    assert halt.ended_by(ADD, 90048)
    assert not halt.ended_by(ADD, 90045)
    assert not halt.ended_by(SET, 90048)


def test_what_may_be_put_right_is_looked_at_at_once_and_at_short_intervals_again() -> None:
    halt, now = Halt(), 1000.0
    for _ in range(5):
        halt.stop(ADD, "not allowed", now)
        now = halt.look_at

    halt.stop(ADD, "not allowed", now)
    halt.look_now(now + 1.0)
    looked_at = halt.look_at
    halt.stop(ADD, "not allowed", now + 1.0)

    assert (looked_at, halt.look_at) == (now + 1.0, now + 6.0)
