"""The signature of every call: made from the key, and renewed. The only module that holds the key."""

import base64
import hashlib
import hmac
import json
import time
import zlib
from collections.abc import Callable
from typing import Final

from pydantic import SecretStr

RENEWED_AFTER: Final = 0.5
"""Share of its life after which a signature is replaced. Ours: half leaves hours for a clock that is off."""

_ALPHABET: Final = str.maketrans("+/=", "*-_")


class Signature:
    """A UserSig (TLSSigAPIv2) of one administrator of one app, always fit for use.

    Whoever has the text may do in the app what the administrator may: it is handed out wrapped, and shown by
    nothing but `get_secret_value`.

    Source: docs/chat-api.md#signature.
    """

    def __init__(
        self,
        app_id: int,
        admin: str,
        key: SecretStr,
        *,
        life_seconds: int = 86_400,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the parts; *clock* gives epoch seconds. ValueError for a life not above 0, or no key.

        A life of a day: what the vendor advises at least.
        """
        if life_seconds <= 0:
            raise ValueError(f"life_seconds is {life_seconds}; a signature must live longer than 0 seconds")
        _demand(key)
        self.admin = admin
        self._app_id, self._key = app_id, key
        self._life_seconds, self._clock = life_seconds, clock
        self._made_at = self._clock()
        self._current = self._made()

    def current(self) -> SecretStr:
        """The signature to use now: made new when half its life is over, or when the clock was set back."""
        age = self._clock() - self._made_at
        if not 0 <= age < self._life_seconds * RENEWED_AFTER:
            self._renew()
        return self._current

    def renew(self, instead_of: SecretStr) -> SecretStr:
        """A signature to use instead of one that was refused. Safe to repeat: of many callers one renews."""
        if self._current is instead_of:
            self._renew()
        return self._current

    def take(self, key: SecretStr) -> None:
        """Sign with another key from now on. ValueError for an empty one: then the last one goes on counting."""
        _demand(key)
        self._key = key
        self._renew()

    def _renew(self) -> None:
        self._made_at = self._clock()
        self._current = self._made()

    def _made(self) -> SecretStr:
        made_at = int(self._made_at)
        signed = (
            f"TLS.identifier:{self.admin}\n"
            f"TLS.sdkappid:{self._app_id}\n"
            f"TLS.time:{made_at}\n"
            f"TLS.expire:{self._life_seconds}\n"
        )
        key = self._key.get_secret_value().encode()  # the text as it is: hexadecimal only to the eye
        fields = {
            "TLS.ver": "2.0",
            "TLS.identifier": self.admin,
            "TLS.sdkappid": self._app_id,
            "TLS.expire": self._life_seconds,
            "TLS.time": made_at,
            "TLS.sig": base64.b64encode(hmac.digest(key, signed.encode(), hashlib.sha256)).decode(),
        }
        packed = base64.b64encode(zlib.compress(json.dumps(fields).encode()))
        return SecretStr(packed.decode().translate(_ALPHABET))  # not base64's own alphabet for URLs


def _demand(key: SecretStr) -> None:
    if not key.get_secret_value():
        raise ValueError("the signing key is empty; the app's console shows it under basic information")
