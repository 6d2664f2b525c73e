"""The Chat API: a client that can be used by itself.

    async with ChatApi(app_id=..., signature=Signature(...), hosts=Hosts.of(Region.CHINA)) as chat:
        await chat.add_tags({"alice": ["stock:600519"]})

What is documented of the API, what is concluded, and more examples: docs/chat-api.md, docs/chat-client.md.
"""

from audience_sync.chat_api.accounts import Account
from audience_sync.chat_api.client import ChatApi, Found
from audience_sync.chat_api.conditions import Attributes, Condition, Everybody, Tags
from audience_sync.chat_api.errors import (
    BrokenLimit,
    ChatApiError,
    NotAllowed,
    NotReached,
    Refused,
    RenewSignature,
    SlowDown,
    TryAgain,
)
from audience_sync.chat_api.hosts import Hosts, Region
from audience_sync.chat_api.messages import (
    Custom,
    Element,
    Face,
    File,
    Image,
    Location,
    Picture,
    Sound,
    Text,
    Video,
)
from audience_sync.chat_api.offline_push import Android, Apns, Harmony, LiveActivity, OfflinePush, Translation
from audience_sync.chat_api.profile import Profile, read_profile
from audience_sync.chat_api.push import Push
from audience_sync.chat_api.signature import Signature
from audience_sync.chat_api.wire import Command, Family
from audience_sync.core.verdicts import Refusal

__all__ = [
    "Account",
    "Android",
    "Apns",
    "Attributes",
    "BrokenLimit",
    "ChatApi",
    "ChatApiError",
    "Command",
    "Condition",
    "Custom",
    "Element",
    "Everybody",
    "Face",
    "Family",
    "File",
    "Found",
    "Harmony",
    "Hosts",
    "Image",
    "LiveActivity",
    "Location",
    "NotAllowed",
    "NotReached",
    "OfflinePush",
    "Picture",
    "Profile",
    "Push",
    "Refusal",
    "Refused",
    "Region",
    "RenewSignature",
    "Signature",
    "SlowDown",
    "Sound",
    "Tags",
    "Text",
    "Translation",
    "TryAgain",
    "Video",
    "read_profile",
]
