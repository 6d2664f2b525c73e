"""`audience-sync` without metrics and log lines, for what they cost: `python -m benchmarks.without_metrics run`."""

from typing import Any

from faststream import BaseMiddleware

from audience_sync import assembly
from audience_sync.commands import main


class Unwatched:
    """Takes whatever it is told, and does nothing with it."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __getattr__(self, name: str) -> Any:
        self.__dict__[name] = _nothing
        return _nothing


def _nothing(*_: object, **__: object) -> None: ...


def _no_middleware(**_: object) -> Any:
    return BaseMiddleware


if __name__ == "__main__":
    vars(assembly)["Watch"] = Unwatched
    vars(assembly)["KafkaPrometheusMiddleware"] = _no_middleware
    main()
