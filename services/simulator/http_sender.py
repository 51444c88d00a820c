"""The platform over HTTP: posts readings, registers sensors, reads the city's areas."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import msgspec
from shapely.geometry import shape

from services.simulator.places import Area
from services.simulator.records import Answer, Reading, Registration, decode_answer, encode
from shared.errors import Misconfigured, Overloaded, Unavailable

TIMEOUT = httpx.Timeout(30.0, connect=5.0)
REGISTER_AT_ONCE = 1000
_TRANSIENT = frozenset({408, 500, 502, 504})
_DEFAULT_RETRY_AFTER = 1


class HttpSender:
    """One attempt a call: raises `Unavailable` (or `Overloaded`) where another one may work,
    `Misconfigured` where none will."""

    def __init__(
        self,
        url: str,
        key: str,
        connections: int = 8,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        verify: bool = True,
    ) -> None:
        self._url = url
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._client = httpx.AsyncClient(
            base_url=url,
            headers=headers,
            timeout=TIMEOUT,
            limits=limits,
            transport=transport,
            verify=verify,
            trust_env=False,  # a proxy of the environment is for the world outside
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def send(self, batch: Sequence[Reading]) -> Answer:
        """Post a batch. The answer may refuse some of it, or all."""
        answer = await self._request("POST", "/v1/readings", content=encode(batch))
        if answer.status_code in (202, 422):
            try:
                return decode_answer(answer.content)
            except msgspec.DecodeError:
                raise self._hopeless(answer) from None
        raise self._hopeless(answer)

    async def register(self, sensors: Sequence[Registration]) -> None:
        """Make sensors known."""
        for start in range(0, len(sensors), REGISTER_AT_ONCE):
            some = sensors[start : start + REGISTER_AT_ONCE]
            answer = await self._request("POST", "/v1/sensors", content=encode(some))
            if not answer.is_success:
                raise self._hopeless(answer)
            for refused in answer.json().get("rejected", []):
                sensor = some[refused["index"]].sensor_id
                raise Misconfigured(f"sensor {sensor} cannot be registered: {refused['detail']}")

    async def areas(self) -> list[Area]:
        """The districts of the city, with their outlines."""
        answer = await self._request("GET", "/v1/areas", params={"polygons": "true"})
        if not answer.is_success:
            raise self._hopeless(answer)
        items: list[dict[str, Any]] = answer.json()["items"]
        return [
            Area(item["area_id"], item["name_zh"], shape(item["polygon"]))
            for item in items
            if item["level"] == "district" and item.get("polygon")
        ]

    async def _request(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        try:
            answer = await self._client.request(method, path, content=content, params=params)
        except httpx.TransportError as error:
            detail = str(error) or type(error).__name__
            raise Unavailable(f"{self._url} does not answer: {detail}") from error
        except httpx.InvalidURL as error:
            raise Misconfigured(f"'{self._url}' is no address: {error}") from error
        if answer.status_code in (429, 503):
            raise Overloaded(f"{self._url} is busy ({answer.status_code})", _retry_after(answer))
        if answer.status_code in _TRANSIENT:
            raise Unavailable(f"{self._url} answered {answer.status_code}")
        return answer

    def _hopeless(self, answer: httpx.Response) -> Misconfigured:
        place = f"{answer.request.method} {answer.request.url}"
        if answer.status_code in (401, 403):
            return Misconfigured(f"{place}: the key is not accepted: {_detail(answer)}")
        return Misconfigured(f"{place} answered {answer.status_code}: {_detail(answer)}")


def _retry_after(answer: httpx.Response) -> int:
    text = answer.headers.get("retry-after", "")
    return int(text) if text.isdecimal() else _DEFAULT_RETRY_AFTER


def _detail(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return answer.text[:200]
    return str(body.get("detail", body) if isinstance(body, dict) else body)[:300]
