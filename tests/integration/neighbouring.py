"""What the tests of neighbouring cities share: another city's platform, as far as we hear of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

import httpx
from standardwebhooks import Webhook

from services.alerts.channels.cap import CAP_TYPE, NAMESPACE
from shared.clock import system_clock
from tests.integration.test_alerts_http import House

SENDER = "warnings@guangzhou.example.org"
ADCODE = 440100
PLACE = f"/v1/neighbours/{ADCODE}"
# Nobody answers there: what it is sent waits.
NOWHERE = "http://127.0.0.1:9/"
ADDED: dict[str, Any] = {
    "adcode": ADCODE, "name_zh": "广州", "name_en": "Guangzhou", "url": NOWHERE,
}  # fmt: skip
_INFO = """<info><language>{language}</language><category>Met</category><event>{event}</event>
<urgency>Expected</urgency><severity>Severe</severity><certainty>Observed</certainty>
<expires>{expires}</expires><headline>{headline}</headline>
<area><areaDesc>{area}</areaDesc><polygon>23.0,113.1 23.0,113.4 23.2,113.4 23.0,113.1</polygon>
</area></info>"""


def said(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


@dataclass
class Document:
    """A CAP message of Guangzhou. `replaces`: identifiers of earlier ones."""

    identifier: str
    kind: str = "Alert"
    sent_at: datetime = field(default_factory=system_clock)
    holds: timedelta = timedelta(hours=6)
    replaces: Sequence[str] = ()
    status: str = "Actual"
    sender: str = SENDER
    extra: str = ""

    def xml(self) -> str:
        head = {
            "identifier": self.identifier, "sender": self.sender, "sent": said(self.sent_at),
            "status": self.status, "msgType": self.kind, "scope": "Public",
        }  # fmt: skip
        if self.replaces:
            named = (f"{self.sender},{one},{said(self.sent_at)}" for one in self.replaces)
            head["references"] = " ".join(named)
        tags = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in head.items())
        infos = "".join(
            _INFO.format(language=language, event=event, headline=headline, area=area,
                         expires=said(self.sent_at + self.holds))
            for language, event, headline, area in (
                ("zh-CN", "洪水", "广州市发布洪水橙色预警", "广州市"),
                ("en-US", "Flood", "Orange warning: Flood, Guangzhou", "Guangzhou"),
            )
        )  # fmt: skip
        return f'<alert xmlns="{NAMESPACE}">{tags}{infos}{self.extra}</alert>'


@dataclass
class Platform:
    """Guangzhou's, which knows the secret."""

    client: httpx.AsyncClient
    secret: str
    adcode: int = ADCODE

    async def bring(self, what: Document | str, **otherwise: Any) -> httpx.Response:
        """Post a message, signed now. `otherwise`: headers that are others."""
        body = what if isinstance(what, str) else what.xml()
        headers = self.signed(body) | otherwise
        path = f"/v1/neighbours/{self.adcode}/warnings"
        return await self.client.post(path, content=body.encode(), headers=headers)

    def signed(self, body: str, at: datetime | None = None) -> dict[str, str]:
        message_id, now = str(uuid4()), at or system_clock()
        return {
            "content-type": CAP_TYPE,
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(message_id, now, body),
        }


async def befriend(house: House, **fields: Any) -> Platform:
    """Guangzhou is a neighbour from now on; `fields`: of it that are others."""
    body = ADDED | {"interest": None} | fields
    status, made = await house.call("POST", "/v1/neighbours", body, "admin")
    assert status == 201, made
    return Platform(house.client, made["secret"], body["adcode"])
