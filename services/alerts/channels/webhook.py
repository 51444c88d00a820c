"""Signed webhooks (Standard Webhooks 1.0.0): what programs receive."""

import json
from collections.abc import Sequence
from datetime import datetime

from services.alerts.channels import standard_webhooks
from services.alerts.channels.channel import Body, Message, Pace, Refusal, Target


class Webhook:
    """The canonical JSON as it is in the ledger, one delivery a message."""

    name = "webhook"
    paces: Sequence[Pace] = ()
    batches = 1

    def reason_to_refuse(self, target: Target) -> str | None:
        """See `Channel`."""
        return None

    def message(
        self, target: Target, message_id: str, bodies: Sequence[Body], now: datetime
    ) -> Message:
        """See `Channel`."""
        raw = json.dumps(bodies[0], ensure_ascii=False, separators=(",", ":")).encode()
        headers = standard_webhooks.headers(target.secrets, message_id, now, raw)
        return Message(target.url, headers, raw)

    def refusal(self, body: bytes) -> Refusal | None:
        """The status says it all."""
        return None
