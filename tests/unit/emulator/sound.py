"""What the pages allow, written once more the other way round: a second opinion on what may be accepted.

It is about an app whose attributes are `sex` and `city`, in the slots 0 and 1, and of which nothing else is known.
Of the elements of a message it knows four.
"""

import re
from typing import Any, TypeGuard

DEVICE_FORM = re.compile("[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}")
DEFINED = {"0": "sex", "1": "city"}


def is_sound(endpoint: str, body: Any, *, sent_bytes: int) -> bool:
    """Whether a JSON body of so many bytes may be accepted."""
    if not isinstance(body, dict):
        return False
    succeeds = endpoint.startswith("timpush/")
    match endpoint.removeprefix("im_").removeprefix("timpush/"):
        case "get_attr_name":
            return True
        case "set_attr_name":
            return _names(body.get("AttrNames"), body.get("AttrTypes", {}) if succeeds else {})
        case "set_attr":
            return _each(body, "UserAttrs", succeeds, "Attrs", _attributes)
        case "remove_attr":
            return _each(body, "UserAttrs", succeeds, "Attrs", _defined)
        case "add_tag" if succeeds and _is(body.get("Replace", 0), 1):
            return _each(body, "UserTags", succeeds, "Tags", lambda tags: _tags(tags, 100))
        case "add_tag":
            flag_fits = not succeeds or _is(body.get("Replace", 0), 0)
            return flag_fits and _each(body, "UserTags", succeeds, "Tags", lambda tags: _tags(tags, 10))
        case "remove_tag":
            return _each(body, "UserTags", succeeds, "Tags", lambda tags: _tags(tags, 10**9))
        case "remove_all_tags" | "clear_all_tags" | "get_attr" | "get_tag":
            users = body.get("To_Account")
            return _up_to_100(users) and all(_user(user, succeeds) for user in users)
        case "push":
            return sent_bytes <= (10 if succeeds else 12) * 1024 and _push(body, succeeds)
        case "revoke":
            return False  # there is no push that could be revoked
        case command:
            return _about_accounts(command, body)


def sized(value: object, most: int) -> TypeGuard[str]:
    """Whether it is a text of 1 to *most* bytes."""
    return isinstance(value, str) and 1 <= len(value.encode()) <= most


def _is(value: object, number: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value == number


def _whole(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _up_to_100(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list) and 1 <= len(value) <= 100


def _user(value: object, succeeds: bool) -> bool:
    return sized(value, 32) or (
        succeeds and isinstance(value, str) and DEVICE_FORM.fullmatch(value) is not None
    )


def _each(body: dict[str, Any], field: str, succeeds: bool, part: str, fits: Any) -> bool:
    entries = body.get(field)
    return _up_to_100(entries) and all(
        isinstance(entry, dict) and _user(entry.get("To_Account"), succeeds) and fits(entry.get(part))
        for entry in entries
    )


def _attributes(value: object) -> bool:
    if not isinstance(value, dict) or not value:
        return False
    return all(name in DEFINED.values() and sized(text, 50) for name, text in value.items())


def _defined(value: object) -> bool:
    return isinstance(value, list) and value != [] and all(name in ("sex", "city") for name in value)


def _tags(value: object, most: int) -> bool:
    return isinstance(value, list) and 1 <= len(value) <= most and all(sized(tag, 50) for tag in value)


def _names(names: object, types: object) -> bool:
    if not isinstance(names, dict) or not names or not isinstance(types, dict):
        return False
    if not all(slot in "0123456789" and len(slot) == 1 and sized(name, 50) for slot, name in names.items()):
        return False
    for slot, kind in types.items():
        if slot not in names or not (_is(kind, 0) or (_is(kind, 1) and slot not in DEFINED)):
            return False
    afterwards = list((DEFINED | names).values())
    return len(set(afterwards)) == len(afterwards)


def _about_accounts(command: str, body: dict[str, Any]) -> bool:
    def profile(entry: dict[str, Any]) -> bool:
        given = [entry.get("Nick", ""), entry.get("FaceUrl", "")]
        return all(text == "" or sized(text, 500) for text in given)

    def objects(field: str) -> bool:
        entries = body.get(field)
        return _up_to_100(entries) and all(
            isinstance(each, dict) and sized(each.get("UserID"), 32) for each in entries
        )

    match command:
        case "account_import":
            return sized(body["UserID"] if "UserID" in body else body.get("Identifier"), 32) and profile(body)
        case "multiaccount_import" if "AccountList" in body:
            return objects("AccountList") and all(profile(entry) for entry in body["AccountList"])
        case "multiaccount_import":
            accounts = body.get("Accounts")
            return _up_to_100(accounts) and all(sized(user, 32) for user in accounts)
        case "account_check":
            return objects("CheckItem")
        case "account_delete":
            return objects("DeleteItem")
        case _:
            raise AssertionError(command)


def _push(body: dict[str, Any], succeeds: bool) -> bool:
    lasts = (
        _whole(body.get("OnlineOnlyFlag", 0), 1) if succeeds else _whole(body.get("MsgLifeTime", 0), 604_800)
    )
    foreign = "MsgLifeTime" if succeeds else "OnlineOnlyFlag"
    offline_alone = succeeds and "MsgBody" not in body and "OfflinePushInfo" in body
    return (
        lasts
        and foreign not in body
        and _whole(body.get("MsgRandom"), 2**32 - 1)
        and ("From_Account" not in body or sized(body["From_Account"], 32))
        and (offline_alone or _message(body.get("MsgBody")))
        and ("OfflinePushInfo" not in body or _offline(body["OfflinePushInfo"]))
        and _condition(body.get("Condition"), succeeds)
    )


def _message(value: object) -> bool:
    if not isinstance(value, list) or not value:
        return False
    customs = [each for each in value if isinstance(each, dict) and each.get("MsgType") == "TIMCustomElem"]
    return len(customs) <= 1 and all(isinstance(each, dict) and _element(each) for each in value)


def _element(element: dict[str, Any]) -> bool:
    content = element.get("MsgContent")
    return isinstance(content, dict) and _content(element.get("MsgType"), content)


def _content(kind: object, content: dict[str, Any]) -> bool:
    def texts(*names: str) -> bool:
        return all(isinstance(content.get(name, ""), str) for name in names)

    def number(name: str, kinds: tuple[type, ...]) -> bool:
        value = content.get(name)
        return isinstance(value, kinds) and not isinstance(value, bool)

    match kind:
        case "TIMTextElem":
            return "Text" in content and texts("Text")
        case "TIMCustomElem":
            return "Data" in content and texts("Data", "Desc", "Ext", "Sound")
        case "TIMFaceElem":
            return number("Index", (int,)) and texts("Data")
        case "TIMLocationElem":
            return all(number(name, (int, float)) for name in ("Latitude", "Longitude")) and texts("Desc")
        case _:
            return False


def _offline(value: object) -> bool:
    if not isinstance(value, dict) or not _whole(value.get("PushFlag", 0), 1):
        return False
    if not all(isinstance(value.get(name, ""), str) for name in ("Title", "Desc", "Ext")):
        return False
    android, apns = value.get("AndroidInfo", {}), value.get("ApnsInfo", {})
    return (
        isinstance(android, dict)
        and isinstance(apns, dict)
        and isinstance(android.get("Sound", ""), str)
        and _whole(android.get("PushStyle", 0), 10**40)
        and isinstance(apns.get("Sound", ""), str)
        and _whole(apns.get("BadgeMode", 0), 1)
    )


def _condition(value: object, succeeds: bool) -> bool:
    if value is None:
        return True
    of_tags = ["TagsOr", "TagsAnd", *(["TagsNot"] if succeeds else [])]
    if not isinstance(value, dict) or not set(value) <= {*of_tags, "AttrsOr", "AttrsAnd"}:
        return False
    tags = [[] if value.get(name) is None else value[name] for name in of_tags]
    attributes = [{} if value.get(name) is None else value[name] for name in ("AttrsOr", "AttrsAnd")]
    if not all(each == [] or _tags(each, 10) for each in tags):
        return False
    if not all(isinstance(each, dict) and (not each or _attributes(each)) for each in attributes):
        return False
    listed = [tag for each in tags for tag in set(each)]
    return len(set(listed)) == len(listed) and not (any(tags) and any(attributes))
