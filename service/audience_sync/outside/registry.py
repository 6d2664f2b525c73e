"""The schema registry."""

from audience_sync.events.schema_registry import RegistryAddress, SchemaRegistry
from audience_sync.settings import RegistrySettings, SettingsError, secret


def schema_registry(settings: RegistrySettings) -> SchemaRegistry:
    """A client for the registry that the settings name. Raises SettingsError."""
    assert settings.url is not None
    address = RegistryAddress(
        url=settings.url,
        username=settings.username,
        password=secret(
            settings.password, settings.password_file, name="AUDIENCE_SYNC_REGISTRY__PASSWORD_FILE"
        ),
        ca_file=settings.ca_file,
        certificate_file=settings.certificate_file,
        key_file=settings.key_file,
        timeout_seconds=settings.timeout_seconds,
    )
    try:
        return SchemaRegistry(address)
    except ImportError as error:
        raise SettingsError(
            f"AUDIENCE_SYNC_REGISTRY__URL: {error.name} is not installed; install audience-sync[registry]"
        ) from error
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or str(error)
        raise SettingsError(
            f"AUDIENCE_SYNC_REGISTRY: {what}; correct ca_file, certificate_file or key_file"
        ) from error
