"""What an operator asks of a running replica, and tells it: the operator's page, from the shell."""

from typing import Final

from audience_sync.commands.operator.log_level import log_level
from audience_sync.commands.operator.pausing import pause, resume
from audience_sync.commands.operator.status import status
from audience_sync.commands.operator.user import user

OPERATOR_COMMANDS: Final = (status, user, pause, resume, log_level)
"""In the order in which the help names them."""
