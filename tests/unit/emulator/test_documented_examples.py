"""The samples of the documentation's pages, one after the other, compared as JSON."""

from tests.unit.emulator.given import an_api, ask

OK = {"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0}


def test_names_of_attributes() -> None:
    """The pages of im_set_attr_name and im_get_attr_name."""
    api = an_api(attribute_names=())
    names = {"0": "sex", "1": "city", "2": "country"}
    assert ask(api, "im_set_attr_name", {"AttrNames": names}) == OK
    assert ask(api, "im_get_attr_name", {}) == OK | {"AttrNames": names}


def test_attributes() -> None:
    """The pages of im_set_attr, im_get_attr and im_remove_attr; who has no attributes has an empty object."""
    api = an_api()
    body = {"UserAttrs": [{"To_Account": "a", "Attrs": {"sex": "x", "city": "y"}}]}
    assert ask(api, "im_set_attr", body) == OK
    assert ask(api, "im_get_attr", {"To_Account": ["a", "b"]}) == OK | {
        "UserAttrs": [
            {"To_Account": "a", "Attrs": {"sex": "x", "city": "y"}},
            {"To_Account": "b", "Attrs": {}},
        ]
    }
    assert ask(api, "im_remove_attr", {"UserAttrs": [{"To_Account": "a", "Attrs": ["sex", "city"]}]}) == OK
    assert ask(api, "im_get_attr", {"To_Account": ["a"]}) == OK | {
        "UserAttrs": [{"To_Account": "a", "Attrs": {}}]
    }


def test_tags() -> None:
    """The pages of im_add_tag, im_get_tag, im_remove_tag and im_remove_all_tags."""
    api = an_api()
    assert ask(api, "im_add_tag", {"UserTags": [{"To_Account": "a", "Tags": ["a", "b"]}]}) == OK
    assert ask(api, "im_get_tag", {"To_Account": ["a", "b"]}) == OK | {
        "UserTags": [{"To_Account": "a", "Tags": ["a", "b"]}, {"To_Account": "b", "Tags": []}]
    }
    assert ask(api, "im_remove_tag", {"UserTags": [{"To_Account": "a", "Tags": ["a"]}]}) == OK
    assert ask(api, "im_get_tag", {"To_Account": ["a"]}) == OK | {
        "UserTags": [{"To_Account": "a", "Tags": ["b"]}]
    }
    assert ask(api, "im_remove_all_tags", {"To_Account": ["a", "b"]}) == OK
    assert ask(api, "im_get_tag", {"To_Account": ["a"]}) == OK | {
        "UserTags": [{"To_Account": "a", "Tags": []}]
    }


def test_a_name_that_another_slot_has() -> None:
    """The one error text of the real service that is known word by word."""
    api = an_api()
    assert ask(api, "im_set_attr_name", {"AttrNames": {"2": "city"}}) == {
        "ActionStatus": "FAIL",
        "ErrorInfo": "attrName:city already exists at index:1",
        "ErrorCode": 90033,
    }


def test_the_push_is_not_here_yet() -> None:
    """A path that is not served has its code too, with HTTP status 200 like any answer."""
    assert ask(an_api(), "im_push", {})["ErrorCode"] == 60009
