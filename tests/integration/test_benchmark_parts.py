"""The parts of the benchmarks that measure behaviour, in their quick size: what must be true of every run."""

from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from benchmarks.parts import costs, latency, limited, memory, outage, starting
from tests.integration.test_benchmarks import run

pytestmark = pytest.mark.broker
T = TypeVar("T")


def measured(output: Path, broker: str, part: str, figures: type[T]) -> T:
    """The figures of one part."""
    document = run(output / "performance.json", broker, "--only", part)
    return msgspec.convert(document.parts[part], figures, strict=False)


def test_at_its_limit_the_service_sends_what_the_model_sends_and_is_never_refused(
    tmp_path: Path, broker: str
) -> None:
    """How near it comes to the model is a figure; that both had the same work is not."""
    figures = measured(tmp_path, broker, "limited", limited.Figures)

    for each in (figures.backlog, figures.crowd):
        assert each.out_of_step == 0
        assert each.refused_share == 0
        assert each.most_in_a_second <= each.calls_per_second * 2  # the stub's bucket, if somebody was idle
    assert figures.backlog.endpoints["im_set_attr"].parts >= figures.backlog.users
    for endpoint in figures.crowd.endpoints.values():
        assert endpoint.ideal_parts is not None
        assert 0.3 * endpoint.parts < endpoint.ideal_parts <= 3.0 * endpoint.parts


def test_every_event_of_a_steady_stream_has_a_delay_and_none_is_below_the_quiet_time(
    tmp_path: Path, broker: str
) -> None:
    figures = measured(tmp_path, broker, "latency", latency.Figures)

    for level in figures.levels:
        assert level.confirmed == level.events
        assert level.out_of_step == level.refused == 0
        assert figures.quiet_seconds - 0.01 <= level.p50 <= level.p99 <= level.longest


def test_users_who_wait_are_weighed_while_nothing_is_sent(tmp_path: Path, broker: str) -> None:
    figures = measured(tmp_path, broker, "memory", memory.Figures)

    assert figures.sent == 0
    assert figures.in_process.bytes_a_user > 100
    assert figures.waiting_bytes > figures.idle_bytes > 2**20


def test_a_start_is_timed_to_ready_and_to_the_first_confirmation(tmp_path: Path, broker: str) -> None:
    figures = measured(tmp_path, broker, "starting", starting.Figures)

    assert figures.to_ready.lowest > 0
    assert figures.to_first_confirmation.lowest > 0
    assert figures.modules > 100
    assert "faststream" in figures.slowest_imports


def test_after_an_outage_everybody_ends_in_step(tmp_path: Path, broker: str) -> None:
    figures = measured(tmp_path, broker, "outage", outage.Figures)

    assert figures.out_of_step == 0
    assert 0 < figures.backlog_users <= figures.events
    assert 0 <= figures.to_first_confirmation <= figures.to_in_step


def test_without_metrics_the_same_work_is_done(tmp_path: Path, broker: str) -> None:
    figures = measured(tmp_path, broker, "costs", costs.Figures)

    assert figures.out_of_step == 0
    assert figures.histories_kept
    assert figures.histories > 0
