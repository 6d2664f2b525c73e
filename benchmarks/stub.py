"""The Chat API as fast as can be, a process of its own: `python -m benchmarks.stub`. Its address is its first line.

The emulator takes several times as long over a request as the service does, and a benchmark before it would measure
the emulator. This one judges the same: `ErrorCode` in the body, limits of users, tags and lengths, unknown users,
attribute names that are not defined, calls beyond the rate; `tests/contract/test_benchmark_stub.py` sends the same
requests to both. It knows the calls that the service makes: writing users, reading attribute names, importing and
checking accounts. It knows no signatures (the client makes them all the same), no registered devices, no `Replace`
and no limit of an app's tags; a tag can't have the name of an attribute. To other paths it answers that they are
unknown.

    GET  /control/counters   what was counted, and when the first and the last user was confirmed (`Counters`)
    GET  /control/state      {user: {attribute: value, tag: true}}
    GET  /control/moments    [[confirmed, the event's own moment], ...] in unix seconds, if they are kept
    POST /control/reset      forget users and counts
    POST /control/settings   a `Behaviour`: from now on
    POST /control/import     [user, ...]: these exist
"""

import argparse
import asyncio
import gc
import signal
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, NoReturn, cast

import msgspec
import uvloop

ATTRIBUTE_NAMES: Final = {"0": "membership", "1": "city"}
USERS: Final = 100
TAGS_PER_ADD: Final = 10
TAGS_PER_USER: Final = 100
TEXT_BYTES: Final = 50
USER_BYTES: Final = 32
MOST_HEAD_BYTES: Final = 65_536


class Behaviour(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How it stands to who calls. Without any of it: at once, for any user, at any rate."""

    calls_per_second: float | None = None
    """For each endpoint: a bucket of the same size, as the emulator has it. More is refused with 60007."""

    answer_seconds: float = 0.0
    """From applying a request to answering it."""

    must_be_imported: bool = False
    """Whether users have to be imported before they are written to. One who is not refuses his whole request with
    90048; with the successor and with `names_bad_users` he alone is refused, in ErrorList, with 70107."""

    names_bad_users: bool = False
    """Whether users who can't be served are named in ErrorList, and the others are served."""

    keeps_moments: bool = False
    """Whether what stands behind `~` in an attribute's value is the event's own moment, in microseconds."""


class Counters(msgspec.Struct):
    """What was counted since the start or the last reset."""

    requests: dict[str, int] = {}
    """{endpoint: calls}, whatever became of them; endpoints are named as in the path, such as im_add_tag."""

    users_per_request: dict[str, dict[int, int]] = {}
    """{endpoint: {confirmed users in a request: requests}}."""

    parts: int = 0
    """Confirmed users, each as often as he was."""

    refused: dict[int, int] = {}
    """{code: answers with it}."""

    most_in_a_second: int = 0
    """The busiest second of any endpoint, over every window of one second."""

    first_at: float | None = None
    """When the first request was confirmed, in seconds of the system's monotonic clock."""

    last_at: float | None = None


class RefusedError(Exception):
    """The request is refused as a whole."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class UserTags(msgspec.Struct, rename={"user": "To_Account", "what": "Tags"}, gc=False):
    """One user's tags."""

    user: str
    what: list[str]


class UserValues(msgspec.Struct, rename={"user": "To_Account", "what": "Attrs"}, gc=False):
    """One user's values."""

    user: str
    what: dict[str, str]


class UserNames(msgspec.Struct, rename={"user": "To_Account", "what": "Attrs"}, gc=False):
    """Names of one user's attributes."""

    user: str
    what: list[str]


class TagsBody(msgspec.Struct, rename={"users": "UserTags"}, gc=False):
    """Tags to add or to remove."""

    users: list[UserTags]


class ValuesBody(msgspec.Struct, rename={"users": "UserAttrs"}, gc=False):
    """Values to set."""

    users: list[UserValues]


class NamesBody(msgspec.Struct, rename={"users": "UserAttrs"}, gc=False):
    """Attributes to remove."""

    users: list[UserNames]


class UsersBody(msgspec.Struct, rename={"users": "To_Account"}, gc=False):
    """Users, and nothing else."""

    users: list[str]


OK: Final = b'{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}'
_TAGS: Final = msgspec.json.Decoder(TagsBody)
_VALUES: Final = msgspec.json.Decoder(ValuesBody)
_NAMES: Final = msgspec.json.Decoder(NamesBody)
_USERS: Final = msgspec.json.Decoder(UsersBody)
Known = dict[str, str | bool]
Bad = dict[str, tuple[int, int, str]]
"""{user: the code of the whole request, his own, why}, in the request's order."""

UNKNOWN: Final = (90048, 70107, "an account does not exist")
OVERFULL: Final = (90046, 90046, f"a user would carry more than {TAGS_PER_USER} tags")


class Chat:
    """Users, and what is done to them. Everything happens in one turn of the event loop."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.names = dict(ATTRIBUTE_NAMES)
        self.forget()
        of_users: dict[str, Callable[[bytes, bool], bytes]] = {
            "set_attr": self._set_attributes,
            "remove_attr": self._remove_attributes,
            "add_tag": self._add_tags,
            "remove_tag": self._remove_tags,
            "remove_all_tags": self._remove_all_tags,
            "get_attr_name": self._get_names,
        }
        self._answers = {f"/v4/all_member_push/im_{name}": answer for name, answer in of_users.items()}
        self._answers |= {f"/v4/timpush/{name}": answer for name, answer in of_users.items()}
        self._answers["/v4/timpush/clear_all_tags"] = self._answers.pop("/v4/timpush/remove_all_tags")
        self._answers["/v4/im_open_login_svc/account_import"] = self._import
        self._answers["/v4/im_open_login_svc/account_check"] = self._check

    def forget(self) -> None:
        """Forget users and counts."""
        self.users: dict[str, Known] = {}
        self.imported: set[str] = set()
        self.counters = Counters()
        self.moments: list[tuple[float, float]] = []
        self._permits: dict[str, tuple[float, float]] = {}
        self._calls: dict[str, deque[float]] = {}
        self._name, self._now = "", 0.0

    def answer(self, method: str, path: str, body: bytes, *, now: float) -> bytes:
        """What a call is answered, once it was counted and carried out. *now* is of the monotonic clock."""
        self._now = now
        try:
            return self._carried_out(method, path, body)
        except RefusedError as refused:
            refusals = self.counters.refused
            refusals[refused.code] = refusals.get(refused.code, 0) + 1
            return msgspec.json.encode(
                {"ActionStatus": "FAIL", "ErrorInfo": refused.text, "ErrorCode": refused.code}
            )

    def _carried_out(self, method: str, path: str, body: bytes) -> bytes:
        carry_out = self._answers.get(path)
        if carry_out is None:
            raise RefusedError(60009, "there is nothing at this path")
        self._name = path.rpartition("/")[2]
        self.counters.requests[self._name] = self.counters.requests.get(self._name, 0) + 1
        in_time = self._arrives_in_time(path, self._now)
        if method != "POST":
            raise RefusedError(60002, "only POST is answered")
        if not in_time:
            raise RefusedError(60007, "the endpoint is called too often")
        return carry_out(body, path.startswith("/v4/timpush/"))

    def _arrives_in_time(self, path: str, now: float) -> bool:
        calls = self._calls.setdefault(path, deque())
        calls.append(now)
        while calls[0] <= now - 1.0:
            calls.popleft()
        self.counters.most_in_a_second = max(self.counters.most_in_a_second, len(calls))
        rate = self.behaviour.calls_per_second
        if rate is None:
            return True
        permits, filled_at = self._permits.get(path, (rate, now))
        permits = min(rate, permits + (now - filled_at) * rate)
        in_time = permits >= 1.0
        self._permits[path] = (permits - in_time, now)
        return in_time

    # Writing users

    def _set_attributes(self, body: bytes, succeeds: bool) -> bytes:
        parts = _read(_VALUES, body, _why_no_values)
        for part in parts:
            if not part.what:
                _why_no_values(body)
        if not _all_fit(value for part in parts for value in part.what.values()):
            _why_no_values(body)
        self._demand_names(name for part in parts for name in part.what)
        bad = self._unknown([part.user for part in parts], succeeds)
        parts = [part for part in parts if part.user not in bad]
        for part in parts:
            self.users.setdefault(part.user, {}).update(part.what)
        if self.behaviour.keeps_moments:
            now = time.time()
            self.moments += [
                (now, int(value.rpartition("~")[2]) / 1e6) for part in parts for value in part.what.values()
            ]
        return self._confirmed(len(parts), bad)

    def _remove_attributes(self, body: bytes, succeeds: bool) -> bytes:
        parts = _read(_NAMES, body, _why_no_names)
        if not all(part.what for part in parts):
            _why_no_names(body)
        self._demand_names(name for part in parts for name in part.what)
        return self._dropped(parts, succeeds)

    def _remove_tags(self, body: bytes, succeeds: bool) -> bytes:
        parts = _read(_TAGS, body, _why_no_removal)
        if not all(part.what for part in parts) or not _all_fit(tag for part in parts for tag in part.what):
            _why_no_removal(body)
        return self._dropped(parts, succeeds)

    def _dropped(self, parts: Sequence[UserTags | UserNames], succeeds: bool) -> bytes:
        bad = self._unknown([part.user for part in parts], succeeds)
        parts = [part for part in parts if part.user not in bad]
        for part in parts:
            known = self.users.setdefault(part.user, {})
            for name in part.what:
                known.pop(name, None)
        return self._confirmed(len(parts), bad)

    def _remove_all_tags(self, body: bytes, succeeds: bool) -> bytes:
        users = _read_users(body)
        bad = self._unknown(users, succeeds)
        users = [user for user in users if user not in bad]
        for user in users:
            known = self.users.get(user, {})
            self.users[user] = {name: value for name, value in known.items() if value is not True}
        return self._confirmed(len(users), bad)

    def _add_tags(self, body: bytes, succeeds: bool) -> bytes:
        parts = _read(_TAGS, body, _why_no_tags)
        for part in parts:
            if not 0 < len(part.what) <= TAGS_PER_ADD:
                _why_no_tags(body)
        if not _all_fit(tag for part in parts for tag in part.what):
            _why_no_tags(body)
        bad: Bad = {}
        if self._needs_care(parts):
            parts, bad = self._sorted_out(parts, succeeds)
        for part in parts:
            self.users.setdefault(part.user, {}).update(dict.fromkeys(part.what, True))
        return self._confirmed(len(parts), bad)

    def _needs_care(self, parts: Sequence[UserTags]) -> bool:
        """Whether anybody could carry too many tags, stands here twice, or must be imported first."""
        room = TAGS_PER_USER - len(self.names) - TAGS_PER_ADD
        return (
            self.behaviour.must_be_imported
            or any(len(self.users.get(part.user, ())) > room for part in parts)
            or len({part.user for part in parts}) < len(parts)
        )

    def _sorted_out(self, parts: Sequence[UserTags], succeeds: bool) -> tuple[list[UserTags], Bad]:
        """The parts that can be served, one after the other, and the users of the others."""
        good: list[UserTags] = []
        bad: Bad = {}
        carried: dict[str, set[str]] = {}
        for part in parts:
            known = self.users.get(part.user, {})
            before = carried.setdefault(part.user, {name for name, value in known.items() if value is True})
            after = before | set(part.what)
            if self.behaviour.must_be_imported and part.user not in self.imported:
                bad.setdefault(part.user, UNKNOWN)
            elif len(after) > TAGS_PER_USER and after != before:
                bad.setdefault(part.user, OVERFULL)
            else:
                carried[part.user] = after
                good.append(part)
                continue
            self._refuse_whole(bad, succeeds)
        return good, bad

    def _unknown(self, users: Collection[str], succeeds: bool) -> Bad:
        if not self.behaviour.must_be_imported:
            return {}
        strangers = [user for user in dict.fromkeys(users) if user not in self.imported]
        bad = dict.fromkeys(strangers, UNKNOWN)
        self._refuse_whole(bad, succeeds)
        return bad

    def _refuse_whole(self, bad: Bad, succeeds: bool) -> None:
        if bad and not (succeeds or self.behaviour.names_bad_users):
            code, _, text = next(iter(bad.values()))
            raise RefusedError(code, text)

    def _demand_names(self, names: Iterable[str]) -> None:
        for name in set(names).difference(self.names.values()):
            raise RefusedError(90033, f"attrName:{name} is not defined")

    def _confirmed(self, users: int, bad: Bad) -> bytes:
        counters = self.counters
        counters.parts += users
        sizes = counters.users_per_request.setdefault(self._name, {})
        sizes[users] = sizes.get(users, 0) + 1
        counters.last_at = self._now
        if counters.first_at is None:
            counters.first_at = counters.last_at
        if not bad:
            return OK
        named = [
            {"To_Account": user, "ErrorCode": own, "ErrorInfo": text} for user, (_, own, text) in bad.items()
        ]
        return msgspec.json.encode(
            {"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "ErrorList": named}
        )

    # Names and accounts

    def _get_names(self, body: bytes, succeeds: bool) -> bytes:
        _object(body, 90001)
        types = {"AttrTypes": dict.fromkeys(self.names, 0)} if succeeds else {}
        answer = {"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "AttrNames": self.names}
        return msgspec.json.encode(answer | types)

    def _import(self, body: bytes, _: bool) -> bytes:
        user = _object(body, 60003).get("UserID")
        if not isinstance(user, str) or not _fits(user, USER_BYTES):
            raise RefusedError(70402, "UserID is not a string of 1 to 32 bytes")
        self.imported.add(user)
        return OK

    def _check(self, body: bytes, _: bool) -> bytes:
        items = _object(body, 60003).get("CheckItem")
        if not isinstance(items, list) or not 0 < len(items) <= USERS:
            raise RefusedError(70402, f"CheckItem is not an array of 1 to {USERS} entries")
        users = [item.get("UserID") if isinstance(item, dict) else None for item in items]
        if not all(isinstance(user, str) and _fits(user, USER_BYTES) for user in users):
            raise RefusedError(70402, "CheckItem has an entry without a UserID of 1 to 32 bytes")
        found = [
            {
                "UserID": user,
                "ResultCode": 0,
                "ResultInfo": "",
                "AccountStatus": "Imported" if user in self.imported or user in self.users else "NotImported",
            }
            for user in users
        ]
        return msgspec.json.encode(
            {"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "ResultItem": found}
        )


# Reading. What is sound is read at a stroke; only when it is not is it gone through in order, for the right code.


def _read(decoder: Any, body: bytes, why: Callable[[bytes], NoReturn]) -> Any:
    try:
        parts = decoder.decode(body).users
    except (msgspec.DecodeError, UnicodeDecodeError):
        why(body)
    if not 0 < len(parts) <= USERS or not _all_fit((part.user for part in parts), USER_BYTES):
        why(body)
    return parts


def _read_users(body: bytes) -> list[str]:
    try:
        users = _USERS.decode(body).users
    except (msgspec.DecodeError, UnicodeDecodeError):
        _why_no_users(body)
    if not 0 < len(users) <= USERS or not _all_fit(users, USER_BYTES):
        _why_no_users(body)
    return users


def _all_fit(texts: Iterable[str], most: int = TEXT_BYTES) -> bool:
    """Whether each has 1 to *most* bytes of UTF-8."""
    lengths = [*map(len, map(str.encode, texts))]
    return not lengths or (min(lengths) >= 1 and max(lengths) <= most)


def _fits(text: str, most: int) -> bool:
    return 0 < len(text.encode()) <= most


def _why_no_values(body: bytes) -> NoReturn:
    for entry in _entries(body, "UserAttrs", 90019):
        _look_at_user(entry, 90019)
        values = entry.get("Attrs")
        if not isinstance(values, dict) or not values:
            raise RefusedError(90019, "Attrs is not an object with attributes")
        for name, value in values.items():
            if not isinstance(value, str):
                raise RefusedError(90033, f"the value of attribute {name!r} is not a string")
            if not _fits(value, TEXT_BYTES):
                raise RefusedError(90030, f"the value of attribute {name!r} is too long, or empty")
    raise AssertionError("nothing is wrong with this body")


def _why_no_names(body: bytes) -> NoReturn:
    for entry in _entries(body, "UserAttrs", 90021):
        _look_at_user(entry, 90021)
        _demand_texts(entry.get("Attrs"), "Attrs", 90021)
    raise AssertionError("nothing is wrong with this body")


def _why_no_tags(body: bytes) -> NoReturn:
    _go_through_tags(body, 90019, TAGS_PER_ADD)


def _why_no_removal(body: bytes) -> NoReturn:
    _go_through_tags(body, 90021, None)


def _go_through_tags(body: bytes, code: int, most: int | None) -> NoReturn:
    for entry in _entries(body, "UserTags", code):
        _look_at_user(entry, code)
        tags = _demand_texts(entry.get("Tags"), "Tags", code)
        for tag in tags:
            if not _fits(tag, TEXT_BYTES):
                raise RefusedError(90034, f"tag {tag!r} is too long, or empty")
        if most is not None and len(tags) > most:
            raise RefusedError(90032, f"{len(tags)} tags for one user, at most {most}")
    raise AssertionError("nothing is wrong with this body")


def _why_no_users(body: bytes) -> NoReturn:
    for user in _listed(_object(body, 90001), "To_Account", 90021):
        _look_at_user({"To_Account": user}, 90021)
    raise AssertionError("nothing is wrong with this body")


def _object(body: bytes, code: int) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError(code, "the body is not JSON") from error
    if not isinstance(found, dict):
        raise RefusedError(code, "the body is not an object")
    return found


def _listed(body: dict[str, Any], field: str, code: int) -> list[Any]:
    entries = body.get(field)
    if not isinstance(entries, list) or not entries:
        raise RefusedError(code, f"{field} is not an array with entries")
    if len(entries) > USERS:
        raise RefusedError(90018, f"{len(entries)} users, at most {USERS}")
    return entries


def _entries(body: bytes, field: str, code: int) -> list[dict[str, Any]]:
    entries = _listed(_object(body, 90001), field, code)
    if not all(isinstance(entry, dict) for entry in entries):
        raise RefusedError(code, f"{field} has an entry that is not an object")
    return entries


def _look_at_user(entry: dict[str, Any], code: int) -> None:
    user = entry.get("To_Account")
    if not isinstance(user, str):
        raise RefusedError(code, "To_Account is not a string")
    if not _fits(user, USER_BYTES):
        raise RefusedError(90035, f"user {user!r} is too long, or empty")


def _demand_texts(values: object, field: str, code: int) -> list[str]:
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        raise RefusedError(code, f"{field} is not an array of strings with entries")
    return values


# HTTP, as much of it as a client of this API speaks: POST with a Content-Length, one request after the other.


class Connection(asyncio.Protocol):
    """One connection. A request that is no HTTP ends it."""

    def __init__(self, chat: Chat) -> None:
        self._chat, self._received = chat, bytearray()
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has come."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has the methods, not the class

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        received = self._received
        received += data
        while (end := received.find(b"\r\n\r\n")) >= 0:
            head = bytes(received[:end])
            try:
                length = _content_length(head)
                method, target, _ = head[: head.index(b"\r\n")].decode("latin-1").split(" ")
            except ValueError:
                self._hang_up()
                return
            if len(received) < end + 4 + length:
                return
            body = bytes(received[end + 4 : end + 4 + length])
            del received[: end + 4 + length]
            self._answer(method, target.partition("?")[0], body)
        if len(received) > MOST_HEAD_BYTES:
            self._hang_up()

    def _answer(self, method: str, path: str, body: bytes) -> None:
        chat = self._chat
        if path.startswith("/control/"):
            self._write(control(chat, method, path, body))
            return
        answer = chat.answer(method, path, body, now=time.monotonic())
        if chat.behaviour.answer_seconds:
            self._loop.call_later(chat.behaviour.answer_seconds, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(answer), answer)
            )

    def _hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def control(chat: Chat, method: str, path: str, body: bytes) -> bytes:
    """What the control address answers."""
    match method, path.removeprefix("/control/"):
        case "GET", "counters":
            return msgspec.json.encode(chat.counters)
        case "GET", "state":
            return msgspec.json.encode({user: known for user, known in chat.users.items() if known})
        case "GET", "moments":
            return msgspec.json.encode(chat.moments)
        case "POST", "reset":
            chat.forget()
        case "POST", "settings":
            chat.behaviour = msgspec.json.decode(body, type=Behaviour)
        case "POST", "import":
            chat.imported.update(msgspec.json.decode(body, type=list[str]))
        case _:
            return b'{"error":"the control address has counters, state, moments, reset, settings and import"}'
    return b"{}"


async def serve(behaviour: Behaviour, *, port: int) -> None:
    """Answer until SIGTERM or SIGINT."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    chat = Chat(behaviour)
    server = await loop.create_server(lambda: Connection(chat), "127.0.0.1", port, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await stopped.wait()


def main() -> None:
    """Run it."""
    options = argparse.ArgumentParser(description="A stub of the Chat API that is never the slow one.")
    options.add_argument("--port", type=int, default=0, help="0: a free one, told on standard output")
    options.add_argument("--behaviour", default="{}", help="a Behaviour as JSON")
    given = options.parse_args()
    gc.disable()  # a million users are looked through for nothing, and nothing here is a circle
    uvloop.run(serve(msgspec.json.decode(given.behaviour, type=Behaviour), port=given.port))


if __name__ == "__main__":
    main()
