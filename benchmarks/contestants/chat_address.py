"""Where a call of the Chat API goes, made once: for those who sign nothing by themselves."""

from pydantic import SecretStr

from audience_sync.chat_api.signature import Signature
from benchmarks.contestants.contestant import ADMIN, APP_ID, SIGNING_KEY, Task


def chat_address(task: Task) -> str:
    """The address of every call, with `COMMAND` in the place of the command.

    Its signature is good for a day, and its `random` is always the same: it spares them the work.
    """
    signature = Signature(APP_ID, ADMIN, SecretStr(SIGNING_KEY)).current().get_secret_value()
    query = f"sdkappid={APP_ID}&identifier={ADMIN}&usersig={signature}&random=1&contenttype=json"
    return f"{task.chat_url}/v4/all_member_push/COMMAND?{query}"
