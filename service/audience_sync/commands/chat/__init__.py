"""`audience-sync chat <call>`: every call of the Chat API, from the shell."""

from collections.abc import Callable
from typing import Final

import typer

from audience_sync.commands.chat.accounts import check_accounts, delete_accounts, import_accounts
from audience_sync.commands.chat.attribute_names import get_attribute_names, set_attribute_names
from audience_sync.commands.chat.attributes import get_attributes, remove_attributes, set_attributes
from audience_sync.commands.chat.push import push
from audience_sync.commands.chat.revoke import revoke
from audience_sync.commands.chat.spread import ManyValues
from audience_sync.commands.chat.tags import add_tags, get_tags, remove_all_tags, remove_tags

chat_commands: Final = typer.Typer(
    name="chat",
    help="Call the Chat API by hand. Whose account it is: the AUDIENCE_SYNC_CHAT__ settings.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
chat_commands.command(cls=ManyValues)(push)
_CALLS: Final[tuple[Callable[..., None], ...]] = (
    revoke,
    get_attribute_names,
    set_attribute_names,
    get_attributes,
    set_attributes,
    remove_attributes,
    get_tags,
    add_tags,
    remove_tags,
    remove_all_tags,
    import_accounts,
    check_accounts,
    delete_accounts,
)
for _call in _CALLS:
    chat_commands.command()(_call)
