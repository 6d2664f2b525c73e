"""`audience-sync demo`: what it refuses, and how it takes a signal."""

import os
import signal
import sys

import pytest

from audience_sync.commands.demo import demo
from audience_sync.commands.demonstration.broker import NoBrokerError, embedded_broker
from audience_sync.commands.demonstration.stopping import SIGNALS, ToldToStopError, signals_end_waiting
from audience_sync.commands.stop import ExitCode, Stop


def test_more_than_the_broker_keeps_is_refused_before_anything_starts() -> None:
    """Or records would be gone before they are read, and users out of step for no fault of the service."""
    with pytest.raises(Stop, match="keeps no more than 200,000") as stop:
        demo(seconds=600.0, rate=2000)
    assert stop.value.code is ExitCode.BAD_INPUT


def test_without_its_package_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker is an extra."""
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(NoBrokerError, match=r"pip install 'audience-sync\[demo\]'"), embedded_broker():
        pytest.fail("there is no broker")


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_the_wait_and_nothing_else(number: signal.Signals) -> None:
    """What is between two waits, cleaning up above all, is never cut short."""
    before = signal.getsignal(number)
    with signals_end_waiting() as stopping:
        stopping.wait(0.0)
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGTERM)  # an impatient second one
        with pytest.raises(ToldToStopError) as told:
            stopping.wait(60.0)
        assert told.value.number == number
    assert signal.getsignal(number) is before
