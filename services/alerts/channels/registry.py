"""Every channel by its name."""

from collections.abc import Mapping
from typing import Final

from services.alerts.channels.alertmanager import Alertmanager
from services.alerts.channels.bots import DingTalk, Feishu, Slack, WeCom
from services.alerts.channels.cap import Cap
from services.alerts.channels.channel import Channel
from services.alerts.channels.mail import Email
from services.alerts.channels.webhook import Webhook

_ALL: tuple[Channel, ...] = (
    Webhook(), Alertmanager(), Slack(), DingTalk(), Feishu(), WeCom(), Email(), Cap(),
)  # fmt: skip
CHANNELS: Final[Mapping[str, Channel]] = {channel.name: channel for channel in _ALL}


def named(name: str) -> Channel:
    """KeyError for a name that there is not."""
    return CHANNELS[name]
