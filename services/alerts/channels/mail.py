"""E-mail: `mailto:` endpoints. A message in plain text; who sends it is the mail sender's."""

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from services.alerts.channels import wording
from services.alerts.channels.channel import Body, Message, Pace, Refusal, Target

_SUBJECT_BYTES = 200
_AT_MOST = 60_000


class Email:
    """One mail for everything that waits."""

    name = "email"
    paces: Sequence[Pace] = (Pace(30, 60.0),)
    batches = 50

    def reason_to_refuse(self, target: Target) -> str | None:
        """See `Channel`."""
        address = address_of(target.url)
        name, at, domain = address.partition("@")
        if not at or not name or "." not in domain or any(c in address for c in ' ,;<>\r\n"'):
            return "an e-mail endpoint's URL is mailto:somebody@example.org"
        return None

    def message(
        self, target: Target, message_id: str, bodies: Sequence[Body], now: datetime
    ) -> Message:
        """See `Channel`."""
        mail = EmailMessage(policy=SMTP)
        headline = wording.say(bodies[0], target.language).headline
        mail["Subject"] = wording.cut(headline, _SUBJECT_BYTES)
        mail["To"] = address_of(target.url)
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = f"<{message_id}@yiwang>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(wording.text(bodies, target.language, _AT_MOST))
        return Message(target.url, {}, mail.as_bytes())

    def refusal(self, body: bytes) -> Refusal | None:
        """The server's reply code says it all."""
        return None


def address_of(url: str) -> str:
    """`mailto:a@b` → `a@b`."""
    return unquote(urlsplit(url).path)
