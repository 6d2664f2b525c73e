"""The vectors were made with the vendor's published Python package; the key is the sample printed in it."""

import base64
import json
import zlib
from urllib.parse import urlencode

import pytest

from audience_sync.emulator.refusals import Cause, Code, RefusedError
from audience_sync.emulator.signature import Doorkeeper, unpack

KEY = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"
APP = 1400000000
MADE_AT = 1700000000

XIAOJUN = (
    "eJyrVgrxCdYrSy1SslJQMtIzUNJRAItkpqTmlWSmZUIkKjIT87NK82CSxSnZiQUFmSlAKUMTAyiAyqVWFGQWpYJkTE1NjRDiJZm5YFFzNPXFmekgG3zK"
    "HM1T9D3LzdODi-OKs8vCqpxcAvydnV2SSv2cy03cPcpDnA2SMgu0nUxslWoBHdYzUg__"
)
ADMIN = (
    "eJyrVgrxCdYrSy1SslJQMtIzUNJRAItkpqTmlWSmZUIkElNyM-Myi0uKEkvyi2BKilOyEwsKMlOACgxNDKAAKpdaUZBZlAqUsTAzgQuWZOaChAzN0RQX"
    "Z6aDLKn0cUzVLjcPD00NLS1MCrPM0A*JMLcoNTLMD3HP1M60jCowLDUOKMiLNDOwVaoFAD4PNPI_"
)


def doorkeeper(*, app_id: int = APP, key: str = KEY) -> Doorkeeper:
    return Doorkeeper(app_id=app_id, admins=("administrator",), key=key)


def packed(**changes: object) -> str:
    """The admin's signature with some of its fields changed, or left out where the change is None."""
    ticket = {
        "TLS.ver": "2.0",
        "TLS.identifier": "administrator",
        "TLS.sdkappid": APP,
        "TLS.expire": 86400,
        "TLS.time": MADE_AT,
        "TLS.sig": "yLAe+w7WUeUuqbV9h/TX78u21oTGi+i9Zp1u3PpnY60=",
    } | {f"TLS.{name}": value for name, value in changes.items()}
    text = json.dumps({name: value for name, value in ticket.items() if value is not None})
    return spelled(zlib.compress(text.encode(), 0))  # level 0, as the official Go code packs it


def spelled(data: bytes) -> str:
    return base64.b64encode(data).decode().replace("+", "*").replace("/", "-").replace("=", "_")


@pytest.mark.parametrize(
    ("usersig", "identifier", "life", "sig"),
    [
        (XIAOJUN, "xiaojun", 15_552_000, "LvA7d/Iw7gSsnskvVzBDPOCCDbuNCw4GHwTC0bip+B4="),
        (ADMIN, "administrator", 86_400, "yLAe+w7WUeUuqbV9h/TX78u21oTGi+i9Zp1u3PpnY60="),
    ],
)
def test_the_vectors_are_let_in_to_their_last_second(
    usersig: str, identifier: str, life: int, sig: str
) -> None:
    """A signature is good up to time + expire, and not a moment longer."""
    assert unpack(usersig).sig == sig
    doorkeeper().verify(usersig, identifier=identifier, now=MADE_AT)
    doorkeeper().verify(usersig, identifier=identifier, now=MADE_AT + life)
    assert refusal(usersig, identifier=identifier, now=MADE_AT + life + 1) == Code.SIGNATURE_EXPIRED


def refusal(
    usersig: str, *, identifier: str = "administrator", now: float = MADE_AT, door: Doorkeeper | None = None
) -> int:
    with pytest.raises(RefusedError) as refused:
        (door or doorkeeper()).verify(usersig, identifier=identifier, now=now)
    assert refused.value.cause is Cause.ACCESS
    assert not usersig or usersig not in str(refused.value)
    return refused.value.code


def test_other_bytes_with_the_same_content_are_let_in() -> None:
    """Official tools differ in white space, order and compression; only the content counts."""
    assert packed() != ADMIN
    doorkeeper().verify(packed(), identifier="administrator", now=MADE_AT)


def test_the_first_wrong_thing_gives_the_code() -> None:
    """The order of the official code: app, user, life, and the key last."""
    other_app = doorkeeper(app_id=1400000001, key="another")
    assert (
        refusal(ADMIN, identifier="other", now=MADE_AT * 2, door=other_app) == Code.SIGNATURE_OF_ANOTHER_APP
    )
    door = doorkeeper(key="another")
    assert refusal(ADMIN, identifier="other", now=MADE_AT * 2, door=door) == Code.SIGNATURE_OF_ANOTHER_USER
    assert refusal(ADMIN, now=MADE_AT * 2, door=door) == Code.SIGNATURE_EXPIRED
    assert refusal(ADMIN, door=door) == Code.SIGNATURE_WRONG


def test_a_changed_life_breaks_the_signature() -> None:
    """Life and time are signed."""
    assert refusal(packed(expire=86401)) == Code.SIGNATURE_WRONG
    assert refusal(packed(time=MADE_AT + 1)) == Code.SIGNATURE_WRONG
    assert refusal(packed(userbuf="AA==")) == Code.SIGNATURE_WRONG


@pytest.mark.parametrize(
    "usersig",
    [
        "",
        "nonsense",
        "ñ",
        ADMIN[:-8],
        ADMIN.replace("*", "+"),
        spelled(b"not zlib"),
        spelled(zlib.compress(b"not json")),
        spelled(zlib.compress(b"[" * 4000)),
        spelled(zlib.compress(b" " * 10_000_000)),
        packed(sig=None),
        packed(expire="86400"),
        packed(time=True),
    ],
    ids=range(12),
)
def test_what_cannot_be_read_is_refused_as_such(usersig: str) -> None:
    """70003, whatever is wrong with it."""
    assert refusal(usersig) == Code.SIGNATURE_UNREADABLE


GOOD = {
    "sdkappid": str(APP),
    "identifier": "administrator",
    "usersig": ADMIN,
    "random": "4294967295",
    "contenttype": "json",
}


def test_a_complete_query_is_let_in_in_any_order_and_escaping() -> None:
    """The pages use two orders, and `*` may be escaped."""
    doorkeeper().check(urlencode(GOOD), MADE_AT)
    doorkeeper().check(urlencode(list(reversed(GOOD.items())), safe="*"), MADE_AT)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sdkappid": None}, Code.APP_MISSING),
        ({"sdkappid": ""}, Code.APP_MISSING),
        ({"sdkappid": "1400000001"}, Code.APP_UNKNOWN),
        ({"sdkappid": "x"}, Code.APP_UNKNOWN),
        ({"contenttype": None}, Code.BAD_ADDRESS),
        ({"contenttype": "JSON"}, Code.BAD_ADDRESS),
        ({"random": None}, Code.BAD_ADDRESS),
        ({"random": "-1"}, Code.BAD_ADDRESS),
        ({"random": "4294967296"}, Code.BAD_ADDRESS),
        ({"random": "1" * 5000}, Code.BAD_ADDRESS),
        ({"random": "\u0661"}, Code.BAD_ADDRESS),
        ({"identifier": None}, Code.BAD_ADDRESS),
        ({"usersig": None}, Code.SIGNATURE_UNREADABLE),
        ({"identifier": "xiaojun"}, Code.SIGNATURE_OF_ANOTHER_USER),
        ({"identifier": "xiaojun", "usersig": XIAOJUN}, Code.NOT_ADMIN),
    ],
)
def test_each_part_of_the_query_is_checked(changes: dict[str, str | None], expected: Code) -> None:
    """Whatever is missing or wrong has its code."""
    query = {name: value for name, value in (GOOD | changes).items() if value is not None}
    with pytest.raises(RefusedError) as refused:
        doorkeeper().check(urlencode(query), MADE_AT)
    assert refused.value.code == expected
