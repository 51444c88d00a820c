"""By which way a message leaves: e-mail, or HTTP."""

from collections.abc import Mapping

from services.alerts.delivery.mail_sender import NOT_SET_UP, MailSender
from services.alerts.delivery.sender import Answer, Sender


class Posting:
    """Chooses by the URL's scheme."""

    def __init__(self, web: Sender, mail: MailSender) -> None:
        self._web = web
        self._mail = mail

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """See `deliverer.Poster`."""
        poster = self._mail if _is_mail(url) else self._web
        return await poster.post(url, headers, body)

    async def reason_to_refuse(self, url: str) -> str | None:
        """Why there can be no such receiver; None if there can."""
        if _is_mail(url):
            return None if self._mail.set_up else NOT_SET_UP
        return await self._web.reason_to_refuse(url)

    async def close(self) -> None:
        """Close kept connections."""
        await self._web.close()


def _is_mail(url: str) -> bool:
    return url.lower().startswith("mailto:")
