"""Whether traces are wanted, as OpenTelemetry's variables say."""

import subprocess
import sys

import pytest

from audience_sync import tracing
from audience_sync.settings import SettingsError
from audience_sync.tracing import traces, wanted

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.mark.parametrize(
    ("environment", "answer"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "audience-sync", "OTEL_TRACES_SAMPLER": "always_on"}, False),
        ({ENDPOINT: ""}, False),
        ({ENDPOINT: "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", ENDPOINT: "http://collector:4318"}, False),
        ({"OTEL_SDK_DISABLED": "TRUE", ENDPOINT: "http://collector:4318"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "zipkin"}, False),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", ENDPOINT: "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, False),
    ],
)
def test_traces_are_wanted_where_an_exporter_or_its_address_is_named(
    environment: dict[str, str], answer: bool
) -> None:
    """What only shapes traces does not switch them on."""
    assert wanted(environment) is answer


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "no 'zipkin' here; use otlp or none"),
        (
            {ENDPOINT: "http://collector:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "http/protobuf only, not 'grpc'; a collector takes them on port 4318",
        ),
    ],
)
def test_what_can_not_be_had_is_told_with_the_way_out(environment: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        wanted(environment)


def test_packages_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Traces that were asked for and never come would be looked for in the wrong place."""
    monkeypatch.setattr(tracing, "PACKAGES", ("nobody.has.this",))

    with pytest.raises(
        SettingsError, match=r"install audience-sync\[traces\], or set OTEL_TRACES_EXPORTER=none"
    ):
        wanted({"OTEL_TRACES_EXPORTER": "otlp"})


def test_without_traces_nothing_of_the_library_is_imported() -> None:
    """Whoever wants none pays nothing."""
    assert traces({}, group_id="group", replica="replica") is None
    program = "import sys, audience_sync.assembly; print('opentelemetry.trace' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"
