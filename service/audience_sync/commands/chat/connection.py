"""The client for the account that the settings name, and calls made with it."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from audience_sync.chat_api import BrokenLimit, ChatApi, ChatApiError
from audience_sync.commands.chat.ending import stop_after
from audience_sync.commands.chat.progress import Bar
from audience_sync.commands.chat.requests import Patience
from audience_sync.commands.stop import ExitCode, Stop
from audience_sync.outside.chat import chat_api, signature_of
from audience_sync.settings import ChatSettings, SettingsError, load

T = TypeVar("T")


def chat_settings() -> ChatSettings:
    """Whose account it is. Stop with what is wrong with the settings."""
    try:
        return load().chat
    except SettingsError as error:
        raise Stop(ExitCode.BAD_INPUT, str(error)) from error


def client_of(settings: ChatSettings) -> ChatApi:
    """The client for that account, on this machine's clock and chance; used as a context."""
    return chat_api(
        settings, signature=signature_of(settings, wall_clock=time.time), chance=random.SystemRandom()
    )


def connected(
    main: Callable[[ChatApi], Awaitable[T]],
    *,
    settings: ChatSettings,
    so_far: Callable[[], str] = str,
    stop: Callable[[ChatApiError], Stop] | None = None,
) -> T:
    """Run *main* with a client. However it fails, Stop says what to do next, and *so_far* how far it was.

    *stop* makes the end of what the Chat API did not confirm, if it is another than usually.
    """

    async def run() -> T:
        async with client_of(settings) as chat:
            return await main(chat)

    try:
        return asyncio.run(run())
    except SettingsError as error:
        raise Stop(ExitCode.BAD_INPUT, str(error)) from error
    except BrokenLimit as error:
        raise Stop(ExitCode.BAD_INPUT, _joined(str(error), so_far())) from error
    except ChatApiError as error:
        raise (stop(error) if stop else stop_after(error, so_far())) from error
    except KeyboardInterrupt as error:
        raise Stop(ExitCode.INTERRUPTED, _joined("Interrupted.", so_far())) from error


def asked(call: Callable[[ChatApi], Awaitable[T]], *, patience_seconds: float) -> T:
    """What *call*, which is safe to repeat, comes to. Stop as `connected`."""
    with Bar(lines=0) as bar:
        waiting = patience(patience_seconds, bar.tell)
        return connected(lambda chat: waiting.once(partial(call, chat)), settings=chat_settings())


def patience(seconds: float, tell: Callable[[str], None]) -> Patience:
    """So much patience, on this machine's clock."""
    return Patience(seconds, clock=time.monotonic, sleep=asyncio.sleep, chance=random.random, tell=tell)


def _joined(*sentences: str) -> str:
    return "\n".join(filter(None, sentences))
