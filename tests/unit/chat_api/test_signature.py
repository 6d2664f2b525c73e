"""The signature against the vendor's own library, known vectors, and a clock of ours."""

import base64
import json
import zlib
from dataclasses import dataclass

import pytest
import TLSSigAPIv2  # type: ignore[import-untyped]  # the vendor's library ships no types
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from audience_sync.chat_api.signature import Signature

KEY = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"  # the sample printed in that library
APP_ID = 1400000000
MOMENT = 1700000000


@dataclass
class Clock:
    """Epoch seconds, set by hand."""

    now: float = MOMENT

    def __call__(self) -> float:
        """The time it was set to."""
        return self.now


def signature(
    clock: Clock | None = None, *, admin: str = "administrator", life_seconds: int = 86400
) -> Signature:
    return Signature(APP_ID, admin, SecretStr(KEY), life_seconds=life_seconds, clock=clock or Clock())


def fields_of(text: SecretStr) -> dict[str, str | int]:
    packed = text.get_secret_value().translate(str.maketrans("*-_", "+/="))
    fields = json.loads(zlib.decompress(base64.b64decode(packed)))
    assert isinstance(fields, dict)
    return fields


@pytest.mark.parametrize(
    ("admin", "life_seconds", "signed"),
    [
        ("xiaojun", 15552000, "LvA7d/Iw7gSsnskvVzBDPOCCDbuNCw4GHwTC0bip+B4="),
        ("administrator", 86400, "yLAe+w7WUeUuqbV9h/TX78u21oTGi+i9Zp1u3PpnY60="),
    ],
)
def test_the_fields_are_those_of_the_known_vectors(admin: str, life_seconds: int, signed: str) -> None:
    """The fields are compared, not the text: spaces, order and compression are the maker's choice."""
    assert fields_of(signature(admin=admin, life_seconds=life_seconds).current()) == {
        "TLS.ver": "2.0",
        "TLS.identifier": admin,
        "TLS.sdkappid": APP_ID,
        "TLS.expire": life_seconds,
        "TLS.time": MOMENT,
        "TLS.sig": signed,
    }


@given(
    admin=st.text(st.characters(codec="utf-8"), min_size=1, max_size=32),
    key=st.text(st.characters(codec="ascii"), min_size=1),
    life_seconds=st.integers(1, 2**31),
)
def test_the_vendors_library_makes_the_same(admin: str, key: str, life_seconds: int) -> None:
    """Whatever the administrator is called and the key looks like."""
    ours = Signature(APP_ID, admin, SecretStr(key), life_seconds=life_seconds, clock=lambda: MOMENT + 0.9)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TLSSigAPIv2.time, "time", lambda: MOMENT)
        theirs = TLSSigAPIv2.TLSSigAPIv2(APP_ID, key).gen_sig(admin, life_seconds)

    assert fields_of(ours.current()) == fields_of(SecretStr(theirs))


@pytest.mark.parametrize(
    ("age", "is_new"),
    [
        (0, False),
        (1, False),
        (43199, False),  # half its life is not quite over
        (43200, True),
        (86400 * 30, True),  # the process was frozen for a month
        (-1, True),  # the clock was set back: the old one would lie in the server's future
    ],
)
def test_it_is_made_new_when_half_its_life_is_over(age: int, is_new: bool) -> None:
    """A signature that is handed out is good for half its life at least."""
    clock = Clock()
    made = signature(clock)
    first = made.current()

    clock.now += age

    assert (made.current() is not first) is is_new
    assert fields_of(made.current())["TLS.time"] == MOMENT + (age if is_new else 0)


def test_of_many_refused_at_once_one_renews() -> None:
    """Eight calls in flight learn together that their signature is too old."""
    clock = Clock()
    made = signature(clock)
    refused = made.current()
    clock.now += 60

    renewed = {id(made.renew(instead_of=refused)) for _ in range(8)}

    assert renewed == {id(made.current())}
    assert fields_of(made.current())["TLS.time"] == MOMENT + 60


def test_nothing_shows_the_key_or_the_signature() -> None:
    """Not the object, not what it hands out, not what it holds."""
    made = signature()

    shown = " ".join([repr(made), str(made.current()), repr(made.current()), repr(vars(made))])

    assert KEY not in shown
    assert made.current().get_secret_value() not in shown


@pytest.mark.parametrize("life_seconds", [0, -1])
def test_a_life_of_nothing_is_refused(life_seconds: int) -> None:
    with pytest.raises(ValueError, match="life_seconds is"):
        signature(life_seconds=life_seconds)


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(ValueError, match="key is empty"):
        Signature(APP_ID, "administrator", SecretStr(""), life_seconds=1, clock=Clock())


def test_another_key_signs_from_the_moment_it_is_taken() -> None:
    """What was made with the last key is not handed out again, though its life is not half over."""
    made, other = signature(), "another key"
    before = made.current()

    made.take(SecretStr(other))

    known = Signature(APP_ID, "administrator", SecretStr(other), life_seconds=86400, clock=Clock())
    assert fields_of(made.current()) == fields_of(known.current()) != fields_of(before)


def test_an_empty_key_is_not_taken() -> None:
    made = signature()
    before = made.current()

    with pytest.raises(ValueError, match="key is empty"):
        made.take(SecretStr(""))

    assert made.current() is before
