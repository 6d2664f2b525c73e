"""The Chat API: the app, its key, and the client for them."""

from collections.abc import Callable
from random import Random

from pydantic import SecretStr

from audience_sync.chat_api.client import ChatApi
from audience_sync.chat_api.hosts import Hosts, Region
from audience_sync.chat_api.profile import Profile, ProfileError, read_profile
from audience_sync.chat_api.signature import Signature
from audience_sync.chat_api.wire import Family
from audience_sync.core.changes import Endpoint
from audience_sync.settings import ChatSettings, SettingsError, secret


def signing_key(settings: ChatSettings) -> SecretStr:
    """The app's secret key. Raises SettingsError."""
    key = secret(settings.signing_key, settings.signing_key_file, name="AUDIENCE_SYNC_CHAT__SIGNING_KEY_FILE")
    if key is None or not key.get_secret_value():
        raise SettingsError("AUDIENCE_SYNC_CHAT__SIGNING_KEY: the key is empty")
    return key


def signature_of(settings: ChatSettings, *, wall_clock: Callable[[], float]) -> Signature:
    """The signature of every call. Raises SettingsError.

    wall_clock: epoch seconds as the host has them now, corrections included: the server compares with its own.
    """
    return Signature(
        settings.app_id,
        settings.admin,
        signing_key(settings),
        life_seconds=settings.signature_life_seconds,
        clock=wall_clock,
    )


def chat_api(settings: ChatSettings, *, signature: Signature, chance: Random) -> ChatApi:
    """The client for the account that the settings name. Raises SettingsError."""
    try:
        profile = Profile() if settings.profile_file is None else read_profile(settings.profile_file)
    except ProfileError as error:
        raise SettingsError(f"AUDIENCE_SYNC_CHAT__PROFILE_FILE: {error}") from error
    return ChatApi(
        app_id=settings.app_id,
        signature=signature,
        hosts=Hosts.at(settings.base_url) if settings.base_url else Hosts.of(Region(settings.region)),
        family=Family(settings.family),
        profile=profile,
        calls_per_second=settings.calls_per_second,
        request_timeout_seconds=settings.request_timeout_seconds,
        connections=settings.most_in_flight * len(Endpoint),
        random=chance,
    )
