"""Public warnings as a neighbouring city's platform receives them: CAP 1.2, signed as webhooks
are. Signs of life and test messages are CAP too."""

from collections.abc import Sequence
from datetime import datetime
from xml.etree import ElementTree

from services.alerts.channels import standard_webhooks
from services.alerts.channels.channel import Body, Message, Pace, Refusal, Target

CAP_TYPE = "application/cap+xml"
NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SENDER = "sender"  # an endpoint's option: our CAP sender
HEARTBEAT = "heartbeat"
_STATUSES = {HEARTBEAT: "System", "test": "Test"}


class Cap:
    """The document as it was published, one a message."""

    name = "cap"
    paces: Sequence[Pace] = ()
    batches = 1

    def reason_to_refuse(self, target: Target) -> str | None:
        """See `Channel`."""
        if SENDER in target.options:
            return None
        return "such a receiver is a neighbouring city: POST /v1/neighbours"

    def message(
        self, target: Target, message_id: str, bodies: Sequence[Body], now: datetime
    ) -> Message:
        """See `Channel`. Raises KeyError for what is no warning: nothing else leaves this way."""
        kind = str(bodies[0]["type"])
        if kind in _STATUSES:
            text = _sign(target.options[SENDER], message_id, _STATUSES[kind], now)
        else:
            text = bodies[0]["data"]["document"]
        raw = text.encode()
        content = f"{CAP_TYPE}; charset=utf-8"
        headers = standard_webhooks.headers(target.secrets, message_id, now, raw, content)
        return Message(target.url, headers, raw)

    def refusal(self, body: bytes) -> Refusal | None:
        """The status says it all."""
        return None


def _sign(sender: str, message_id: str, status: str, now: datetime) -> str:
    """A document that warns of nothing."""
    root = ElementTree.Element("alert", xmlns=NAMESPACE)
    head = {
        "identifier": message_id, "sender": sender, "sent": now.isoformat(timespec="seconds"),
        "status": status, "msgType": "Alert", "scope": "Public",
    }  # fmt: skip
    for name, value in head.items():
        ElementTree.SubElement(root, name).text = value
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False)
