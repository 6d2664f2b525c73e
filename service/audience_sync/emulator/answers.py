"""The JSON that goes back. Unless plain: lists shuffled, a field no page shows, ErrorInfo sometimes missing.

All three were seen in samples or in sister families of this API, so a client has to live with them.
"""

from random import Random

import msgspec


class Answers:
    """Writes answers; what is left to chance comes from the random source given."""

    def __init__(self, *, plain: bool, random: Random) -> None:
        self._plain, self._random = plain, random
        self._encoder = msgspec.json.Encoder()

    def success(self, fields: dict[str, object]) -> bytes:
        """OK, with the fields of this endpoint."""
        answer: dict[str, object] = {"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0}
        if not self._plain and self._random.random() < 0.25:
            del answer["ErrorInfo"]
        for name, value in fields.items():
            answer[name] = (
                self._awkward(name, value) if isinstance(value, list) and not self._plain else value
            )
        return self._encoded(answer)

    def failure(self, code: int, text: str) -> bytes:
        """FAIL, with a code and words."""
        return self._encoded({"ActionStatus": "FAIL", "ErrorInfo": text, "ErrorCode": code})

    def _awkward(self, name: str, values: list[object]) -> list[object]:
        shuffled = self._random.sample(values, len(values))
        if name == "ErrorList" and self._random.random() < 0.5:
            return [_without_words(each) for each in shuffled]
        return shuffled

    def _encoded(self, answer: dict[str, object]) -> bytes:
        if not self._plain:
            answer["RequestId"] = f"{self._random.getrandbits(64):016x}"
        return self._encoder.encode(answer)


def _without_words(entry: object) -> object:
    if not isinstance(entry, dict):
        return entry
    return {name: value for name, value in entry.items() if name != "ErrorInfo"}
