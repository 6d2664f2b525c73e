"""What the emulator answers is what the client's table knows, and sorts as the emulator means it."""

from typing import Final

import pytest

from audience_sync.chat_api.errors import BY_CODE, NotAllowed, Refused, RenewSignature, SlowDown, TryAgain
from audience_sync.emulator.push_codes import PushCode
from audience_sync.emulator.refusals import Code

WAITS: Final = {
    *(Code.TOO_FAST, Code.APP_TOO_FAST, PushCode.TOO_SOON, PushCode.REVOKED_TOO_SOON),
}
NEEDS_A_PERSON: Final = {
    *(Code.BAD_ADDRESS, Code.APP_UNKNOWN, Code.PATH_UNKNOWN, Code.NOT_ADMIN, Code.APP_MISSING),
    *(Code.SIGNATURE_UNREADABLE, Code.SIGNATURE_WRONG, Code.SIGNATURE_OF_ANOTHER_USER),
    *(Code.SIGNATURE_OF_ANOTHER_APP, Code.FEATURE_OFF, PushCode.QUOTA_USED_UP),
}


@pytest.mark.parametrize("code", [*Code, *PushCode], ids=lambda code: f"{type(code).__name__}.{code.name}")
def test_every_code_of_the_emulator_is_in_the_table_with_its_class(code: Code | PushCode) -> None:
    """Two readings of one documentation: what one answers, the other has a fate for."""
    error = BY_CODE[code].error
    if code is Code.SIGNATURE_EXPIRED:
        assert error is RenewSignature
    elif code in WAITS:
        assert error is SlowDown
    elif code in NEEDS_A_PERSON:
        assert error is NotAllowed
    else:
        assert error is Refused


def test_every_class_has_codes() -> None:
    """A class that nothing leads to would be dead code."""
    assert {row.error for row in BY_CODE.values()} == {
        TryAgain,
        SlowDown,
        RenewSignature,
        NotAllowed,
        Refused,
    }
