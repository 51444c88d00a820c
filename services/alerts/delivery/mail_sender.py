"""E-mail goes out through the city's own mail server."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import aiosmtplib

from services.alerts.channels.mail import address_of
from services.alerts.delivery.sender import TIMEOUT_SECONDS, Answer

_PORTS = {"smtp": 25, "smtps": 465}
_PERMANENT = range(500, 600)
NOT_SET_UP = "e-mail is not set up: YIWANG_SMTP_URL and YIWANG_MAIL_FROM"


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed in. `tls`: from the first byte (smtps); otherwise STARTTLS where the
    server offers it."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: bool
    sender: str

    @classmethod
    def parse(cls, url: str, sender: str) -> "MailServer":
        """`smtp[s]://[user:password@]host[:port]`; ValueError says what is wrong."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("must be smtp://host[:port] or smtps://user:password@host[:port]")
        if "@" not in sender:
            raise ValueError("needs a sender's address in YIWANG_MAIL_FROM")
        return cls(
            parts.hostname,
            parts.port or _PORTS[parts.scheme],
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
            parts.scheme == "smtps",
            sender,
        )


class MailSender:
    """Sends what the e-mail channel made. The answer's status is the server's reply code."""

    def __init__(self, server: MailServer | None) -> None:
        self._server = server

    @property
    def set_up(self) -> bool:
        """Whether there is a server."""
        return self._server is not None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One attempt. `url`: `mailto:…`; `body`: an RFC 5322 message without its From."""
        server = self._server
        if server is None:
            return Answer(None, NOT_SET_UP)
        try:
            refused, _ = await aiosmtplib.send(
                f"From: {server.sender}\r\n".encode() + body,
                sender=server.sender,
                recipients=[address_of(url)],
                hostname=server.host,
                port=server.port,
                username=server.username,
                password=server.password,
                use_tls=server.tls,
                timeout=TIMEOUT_SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            return _refusal(error.recipients[0])
        except aiosmtplib.SMTPResponseException as error:
            return _refusal(error)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return Answer(None, f"{type(error).__name__}: {error}"[:500])
        return Answer(250) if not refused else Answer(None, str(refused)[:500])


def _refusal(error: aiosmtplib.SMTPResponseException) -> Answer:
    said = f"answered {error.code}: {error.message}"[:500]
    return Answer(error.code, said, final=error.code in _PERMANENT)
