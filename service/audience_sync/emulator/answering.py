"""A sound request into what it does to the app and the fields of its answer, as the app's switches say."""

from collections.abc import Sequence

from audience_sync.emulator import accounts
from audience_sync.emulator.accounts import Fields
from audience_sync.emulator.app import App
from audience_sync.emulator.counters import BrokenLimit
from audience_sync.emulator.endpoints import Endpoint, Family
from audience_sync.emulator.judging import BadUser, Judge, banned, unknown
from audience_sync.emulator.limits import TAGS_PER_APP_OF_THE_SUCCESSOR
from audience_sync.emulator.push_reading import PushRequest, RevokeRequest
from audience_sync.emulator.refusals import Cause
from audience_sync.emulator.requests import (
    CheckAccounts,
    DeleteAccounts,
    GetAttributeNames,
    GetAttributes,
    GetTags,
    ImportAccount,
    ImportAccounts,
    ReadOfUsers,
    Request,
    SetAttributeNames,
    WriteToUsers,
    users_of,
)
from audience_sync.emulator.store import Store
from audience_sync.emulator.switches import Accounts, Batch, Deleted, UnknownRead


def answer(app: App, request: Request, *, endpoint: Endpoint, admin: str, now: float) -> Fields:
    """Do what is asked; the fields of the answer. Raises RefusedError."""
    family = endpoint.family
    match request:
        case SetAttributeNames():
            app.do(app.store_of(family).names.settle(request, app.switches), family)
            return {}
        case GetAttributeNames():
            return _attribute_names(app, family)
        case GetAttributes() | GetTags():
            return _read(app, request, family)
        case PushRequest():
            return {"TaskId": _push(app, request, family, admin, now)}
        case RevokeRequest(task_id, has_offline):
            app.do(app.pushing.revoke(task_id, has_offline=has_offline, now=now))
            return {}
        case ImportAccount() | ImportAccounts() | CheckAccounts() | DeleteAccounts():
            return accounts.answer(app, request, now)
        case _:
            return _write(app, request, endpoint)


def _attribute_names(app: App, family: Family) -> Fields:
    names = app.store_of(family).names
    fields: Fields = {"AttrNames": names.by_slot}
    return fields | {"AttrTypes": names.types} if family is Family.TIMPUSH else fields


def _push(app: App, request: PushRequest, family: Family, admin: str, now: float) -> str:
    store = app.store_of(family)
    pushed = app.pushing.ask(
        request, admin=admin, people=app.audience(family), names=store.names.type_of, now=now
    )
    if isinstance(pushed, str):
        return pushed
    app.do(pushed)
    return pushed.task_id


def _write(app: App, write: WriteToUsers, endpoint: Endpoint) -> Fields:
    batch = _batch(app, endpoint.family)
    store = app.store_of(endpoint.family)
    store.demand_names(write)
    judge = Judge(
        directory=app.directory,
        store=store,
        switches=app.switches,
        banned_users=app.bad_users,
        most_tags_of_the_app=_most_tags(app, endpoint.family),
    )
    good, bad = judge.split(write, stops=batch in (Batch.REJECT, Batch.PREFIX))
    if bad and batch is Batch.REJECT:
        raise bad[0].refusal()
    if users_of(good):
        app.do(good, endpoint.family)
    if bad and batch is Batch.PREFIX:
        raise bad[0].refusal()
    for each in bad:
        if each.cause is Cause.LIMIT:
            app.counters.add_broken_limit(BrokenLimit(endpoint.name, each.own_code, each.text))
    return _error_list(bad) if batch is Batch.PARTIAL else {}


def _read(app: App, read: ReadOfUsers, family: Family) -> Fields:
    served, listed = [], []
    for user in read.users:
        unreadable = _unreadable(app, user, family)
        if unreadable is None:
            served.append(user)
            continue
        bad, batch = unreadable
        if batch in (Batch.REJECT, Batch.PREFIX):
            raise bad.refusal()
        if batch is Batch.PARTIAL:
            listed.append(bad)
    return _found(app.store_of(family), read, served) | _error_list(listed)


def _found(store: Store, read: ReadOfUsers, users: Sequence[str]) -> Fields:
    match read:
        case GetAttributes():
            found = [{"To_Account": user, "Attrs": store.attributes_of(user)} for user in users]
            return {"UserAttrs": found}
        case GetTags():
            return {"UserTags": [{"To_Account": user, "Tags": list(store.tags_of(user))} for user in users]}


def _unreadable(app: App, user: str, family: Family) -> tuple[BadUser, Batch] | None:
    """Why *user* is not shown, and what that means for the others."""
    if user in app.bad_users:
        return banned(user, app.bad_users[user]), _batch(app, family)
    switches = app.switches
    is_kept = switches.deleted is Deleted.KEPT and app.directory.is_deleted(user)
    if user in app.directory or is_kept or switches.accounts is Accounts.AUTO:
        return None
    if family is Family.TIMPUSH or switches.unknown_read is UnknownRead.OMIT:
        return unknown(user, switches), Batch.PARTIAL
    return (unknown(user, switches), Batch.REJECT) if switches.unknown_read is UnknownRead.REFUSE else None


def _batch(app: App, family: Family) -> Batch:
    return Batch.PARTIAL if family is Family.TIMPUSH else app.switches.batch  # the successor's is documented


def _most_tags(app: App, family: Family) -> int | None:
    most = app.switches.most_tags_of_the_app
    return TAGS_PER_APP_OF_THE_SUCCESSOR if most is None and family is Family.TIMPUSH else most


def _error_list(bad: Sequence[BadUser]) -> Fields:
    first = {each.user: each for each in reversed(bad)}
    listed = [
        {"To_Account": user, "ErrorCode": each.own_code, "ErrorInfo": each.text}
        for user, each in reversed(first.items())
    ]
    return {"ErrorList": listed} if listed else {}
