"""The accounts API: who is imported, who exists, who is deleted."""

from audience_sync.emulator.app import App
from audience_sync.emulator.records import Deleted as DeletedAccounts
from audience_sync.emulator.records import Imported
from audience_sync.emulator.refusals import Cause, Code, RefusedError
from audience_sync.emulator.requests import (
    AboutAccounts,
    CheckAccounts,
    DeleteAccounts,
    ImportAccount,
    ImportAccounts,
    NewAccount,
)
from audience_sync.emulator.switches import Deleted

Fields = dict[str, object]

NOT_THERE = "Err_TLS_PT_Open_Login_Account_Not_Exist"
"""The words of a sample on the page of account_delete."""


def answer(app: App, request: AboutAccounts, now: float) -> Fields:
    """Do what is asked; the fields of the answer. Raises RefusedError."""
    match request:
        case ImportAccount(account):
            if code := _obstacle(app, account, now):
                raise RefusedError(code, Cause.STATE, "the account cannot be imported")
            app.do(Imported([account]))
            return {}
        case ImportAccounts(accounts):
            good = [account for account in accounts if not _obstacle(app, account, now)]
            failed = [account.user for account in accounts if account not in good]
            if good:
                app.do(Imported(good))
            return {"FailAccounts": failed}
        case CheckAccounts(users):
            return {"ResultItem": [_checked(app, user) for user in users]}
        case DeleteAccounts(users):
            return _delete(app, dict.fromkeys(users), now)


def _obstacle(app: App, account: NewAccount, now: float) -> int | None:
    if code := app.bad_users.get(account.user):
        return code
    return None if app.directory.may_come(account.user, now) else Code.RETURNS_TOO_SOON


def _checked(app: App, user: str) -> Fields:
    if code := app.bad_users.get(user):
        return {"UserID": user, "ResultCode": code, "ResultInfo": "a user who is refused on command"}
    status = "Imported" if user in app.directory else "NotImported"
    return {"UserID": user, "ResultCode": 0, "ResultInfo": "", "AccountStatus": status}


def _delete(app: App, users: dict[str, None], now: float) -> Fields:
    results = [_deleted(app, user) for user in users]
    gone = [str(result["UserID"]) for result in results if not result["ResultCode"]]
    if gone:
        app.do(DeletedAccounts(gone, now, keeps=app.switches.deleted is Deleted.KEPT))
    return {"ResultItem": results}


def _deleted(app: App, user: str) -> Fields:
    if code := app.bad_users.get(user):
        return {"ResultCode": code, "ResultInfo": "a user who is refused on command", "UserID": user}
    if user not in app.directory:
        return {"ResultCode": int(Code.NOT_IMPORTED), "ResultInfo": NOT_THERE, "UserID": user}
    return {"ResultCode": 0, "ResultInfo": "", "UserID": user}
