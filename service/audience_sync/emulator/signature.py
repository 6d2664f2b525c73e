"""Whether a call comes from an admin of our app: its query, and the signature in it (TLSSigAPIv2).

No message here repeats what the caller sent as a signature.
"""

import base64
import hashlib
import hmac
import zlib
from collections.abc import Collection
from typing import Final, NoReturn
from urllib.parse import parse_qsl

import msgspec

from audience_sync.emulator.limits import RANDOM_MOST
from audience_sync.emulator.refusals import Cause, Code, RefusedError

ALPHABET: Final = bytes.maketrans(b"*-_+/=", b"+/=???")
"""The signature's own spelling of base64, not the one usual in addresses; the common one is refused."""

TICKET_BYTES: Final = 4096
"""No signature unpacks to more; the longest of the official tools stay below 400."""


class Ticket(msgspec.Struct, frozen=True):
    """What a signature says once it is unpacked. Moments and lives are unix seconds."""

    identifier: str = msgspec.field(name="TLS.identifier")
    app_id: int = msgspec.field(name="TLS.sdkappid")
    expire: int = msgspec.field(name="TLS.expire")
    time: int = msgspec.field(name="TLS.time")
    sig: str = msgspec.field(name="TLS.sig")
    ver: str = msgspec.field(name="TLS.ver")
    userbuf: str | None = msgspec.field(name="TLS.userbuf", default=None)


class Doorkeeper:
    """Lets the admins of one app in. Holds the key; has no repr that shows it."""

    def __init__(self, *, app_id: int, admins: Collection[str], key: str) -> None:
        self._app_id, self._admins, self._key = app_id, frozenset(admins), key.encode()

    def check(self, query: str, now: float, *, not_admin_code: int = Code.NOT_ADMIN) -> str:
        """The admin whose call it is. Raises RefusedError if it is nobody's. *now* is in unix seconds."""
        given = dict(reversed(parse_qsl(query, keep_blank_values=True)))  # of a name given twice, the first
        app_id, identifier = given.get("sdkappid"), given.get("identifier")
        if not app_id:
            _refuse(Code.APP_MISSING, "sdkappid is missing")
        if app_id != str(self._app_id):
            _refuse(Code.APP_UNKNOWN, "sdkappid is not an app of this emulator")
        if given.get("contenttype") != "json":
            _refuse(Code.BAD_ADDRESS, "contenttype is not json")
        if not _is_uint32(given.get("random", "")):
            _refuse(Code.BAD_ADDRESS, f"random is not an integer from 0 to {RANDOM_MOST}")
        if not identifier:
            _refuse(Code.BAD_ADDRESS, "identifier is missing")
        self.verify(given.get("usersig", ""), identifier=identifier, now=now)
        if identifier not in self._admins:
            _refuse(not_admin_code, "the identifier is not an admin")
        return identifier

    def verify(self, usersig: str, *, identifier: str, now: float) -> None:
        """Return if *usersig* is good for *identifier*, or raise RefusedError. The official order."""
        ticket = unpack(usersig)
        if ticket.app_id != self._app_id:
            _refuse(Code.SIGNATURE_OF_ANOTHER_APP, "the signature is another app's")
        if ticket.identifier != identifier:
            _refuse(Code.SIGNATURE_OF_ANOTHER_USER, "the signature is another user's")
        if now > ticket.time + ticket.expire:
            _refuse(Code.SIGNATURE_EXPIRED, "the signature has expired")
        if not hmac.compare_digest(self._sign(ticket).encode(), ticket.sig.encode()):
            _refuse(Code.SIGNATURE_WRONG, "the signature does not match the key")

    def _sign(self, ticket: Ticket) -> str:
        signed = (
            f"TLS.identifier:{ticket.identifier}\nTLS.sdkappid:{ticket.app_id}\n"
            f"TLS.time:{ticket.time}\nTLS.expire:{ticket.expire}\n"
        )
        if ticket.userbuf is not None:
            signed += f"TLS.userbuf:{ticket.userbuf}\n"
        return base64.b64encode(hmac.digest(self._key, signed.encode(), hashlib.sha256)).decode()


def unpack(usersig: str) -> Ticket:
    """What a signature says, whether true or not. Raises RefusedError if it cannot be read."""
    try:
        packed = base64.b64decode(usersig.encode().translate(ALPHABET), validate=True)
        return msgspec.json.decode(_decompressed(packed), type=Ticket)
    except (zlib.error, ValueError, RecursionError):  # without its cause, which could repeat the signature
        raise RefusedError(Code.SIGNATURE_UNREADABLE, Cause.ACCESS, "the signature cannot be read") from None


def _decompressed(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(packed, TICKET_BYTES)
    if not unpacker.eof:
        raise ValueError("it is cut short, or longer than any signature")
    return text


def _refuse(code: int, text: str) -> NoReturn:
    raise RefusedError(code, Cause.ACCESS, text)


def _is_uint32(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= RANDOM_MOST
