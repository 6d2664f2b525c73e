"""All questions, in the order in which they are asked: what one finds, a later one may need."""

from typing import Final

from audience_sync.probe.question import Question
from audience_sync.probe.questions.accounts import TWICE, UNKNOWN_READ, UNKNOWN_WRITE
from audience_sync.probe.questions.apps import DELETED, FRESHNESS, NOT_ADMINISTRATOR, STORES
from audience_sync.probe.questions.batches import BATCH, FULL_BATCH
from audience_sync.probe.questions.names import NAMES, RENAMED_SLOT
from audience_sync.probe.questions.pushes import COMBINED, REPEATED_PUSH
from audience_sync.probe.questions.shapes import REMOVAL, STRUCTURE_CODES, UNSET, VALUES
from audience_sync.probe.questions.tags import DISTINCT, OVERFULL, REMOVAL_SIZE

QUESTIONS: Final[tuple[Question, ...]] = (
    FRESHNESS,
    NAMES,
    RENAMED_SLOT,
    UNKNOWN_READ,  # before anything is written to the unknown account
    UNKNOWN_WRITE,
    BATCH,
    TWICE,
    STRUCTURE_CODES,
    VALUES,
    REMOVAL,
    UNSET,
    OVERFULL,
    FULL_BATCH,
    REMOVAL_SIZE,
    STORES,
    NOT_ADMINISTRATOR,
    DISTINCT,
    REPEATED_PUSH,
    COMBINED,
    DELETED,
)
