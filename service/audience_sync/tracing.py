"""Whether traces are wanted. OpenTelemetry's own variables say so; without them nothing of it is imported."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from audience_sync import __version__
from audience_sync.settings import SettingsError

if TYPE_CHECKING:
    from audience_sync.telemetry.traces import Traces

EXPORTERS: Final = ("otlp", "none")
PROTOCOL: Final = "http/protobuf"
PACKAGES: Final = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether traces are asked for: an exporter is named, or an address for its spans. Raises SettingsError."""

    def said(*names: str) -> str:
        return next((environment[name].strip() for name in names if environment.get(name, "").strip()), "")

    if said("OTEL_SDK_DISABLED").lower() == "true":
        return False
    address = said("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    exporter = said("OTEL_TRACES_EXPORTER") or ("otlp" if address else "none")
    if exporter not in EXPORTERS:
        raise SettingsError(
            f"OTEL_TRACES_EXPORTER: there is no {exporter!r} here; use {' or '.join(EXPORTERS)}"
        )
    if exporter == "none":
        return False
    protocol = said("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL") or PROTOCOL
    if protocol != PROTOCOL:
        raise SettingsError(
            f"OTEL_EXPORTER_OTLP_PROTOCOL: spans leave by {PROTOCOL} only, not {protocol!r}; a collector takes "
            "them on port 4318"
        )
    if not all(map(_is_installed, PACKAGES)):
        raise SettingsError(
            "OTEL_TRACES_EXPORTER: traces need packages that are not installed; install audience-sync[traces], or "
            "set OTEL_TRACES_EXPORTER=none"
        )
    return True


def traces(environment: Mapping[str, str], *, group_id: str, replica: str) -> "Traces | None":
    """What makes spans; None: nobody asks for any. Raises SettingsError."""
    if not wanted(environment):
        return None
    from audience_sync.telemetry.traces import Traces, provider_of

    try:
        provider = provider_of(version=__version__, replica=replica)
    except ValueError as error:
        raise SettingsError(f"OTEL_*: {error}") from error
    return Traces(provider, group_id=group_id, version=__version__)


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # a package above it
        return False
