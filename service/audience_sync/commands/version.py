"""What `audience-sync --version` says."""

from importlib.resources import files

from audience_sync import __version__

REVISION = "revision"
"""A file of the package that the image's build writes: the commit it was made from. A checkout has none."""


def version_in_words() -> str:
    """`0.1.0 (commit 5c0d99b...)`; without the commit where no build has told it."""
    told = files("audience_sync") / REVISION
    commit = told.read_text().strip() if told.is_file() else ""
    return f"{__version__} (commit {commit})" if commit else __version__
