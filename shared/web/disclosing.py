"""The one place where answers over HTTP are disclosed: by the route's dataset and the caller's
clearance, before they leave.

Whoever is cleared for all of the dataset gets what the route made, byte for byte, as it streams.
For others a JSON answer is held until it is whole. What is no JSON must have been disclosed by who
made it (`disclosed_already`), else it is refused.
"""

import json
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import MutableHeaders, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.disclosure.clearance import Clearance
from shared.disclosure.declaration import Dataset, Declaration
from shared.disclosure.disclose import cleared, disclosed, untold
from shared.disclosure.level import Level
from shared.web.accesses import Accesses
from shared.web.clearances import clearance_of
from shared.web.identity import Identity
from shared.web.problems import Problem, problem_response

_MARK = "disclosed"


def remember_identity(scope: Scope, identity: Identity) -> None:
    """Of whoever asks, for who discloses the answer."""
    scope.setdefault("state", {})["identity"] = identity


def disclosed_already(scope: Scope) -> None:
    """This answer tells its caller no more than he may be told."""
    scope.setdefault("state", {})[_MARK] = True


def dataset_of(declaration: Declaration, scope: Scope) -> Dataset | None:
    """What the route that was found answers with."""
    path = getattr(scope.get("route"), "path", "")
    method = "WS" if scope["type"] == "websocket" else scope["method"]
    return declaration.of_route(method, path)


def refuse_unlent(declaration: Declaration, identity: Identity, scope: Scope) -> None:
    """`Problem` 403 for a grant's key anywhere but where it gets what it was lent."""
    if identity.lent is None:
        return
    dataset, path = dataset_of(declaration, scope), getattr(scope.get("route"), "path", "")
    lent = clearance_of(declaration, identity).datasets or ()
    if dataset is not None:
        method = scope.get("method")
        if method == "GET" and dataset.ceiling is Level.PUBLIC:
            return
        if {dataset.name, *dataset.of} & set(lent) and f"{method} {path}" in dataset.doors:
            return
    raise not_granted("what is asked for here")


def not_granted(what: str) -> Problem:
    """403 for a grant's key."""
    detail = f"The grant of this key does not lend {what}."
    return Problem(403, "Forbidden", detail, code="not_granted")


class Disclosing:
    """Around the framework."""

    def __init__(self, app: ASGIApp, declaration: Declaration, accesses: Accesses) -> None:
        self._app = app
        self._declaration = declaration
        self._accesses = accesses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(self._declaration, self._accesses, scope, receive, send)
        await self._app(scope, receive, answer.send)


class _Answer:
    """One, on its way out."""

    def __init__(
        self,
        declaration: Declaration,
        accesses: Accesses,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        self._declaration = declaration
        self._accesses = accesses
        self._scope = scope
        self._receive = receive
        self._send = send
        self._start: Message | None = None
        self._parts: list[bytes] = []
        self._dataset: Dataset | None = None
        self._clearance: Clearance | None = None
        self._refused = False

    async def send(self, message: Message) -> None:
        """Instead of the server's own."""
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif self._refused:
            return
        elif self._start is None:
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self._finish(self._start, b"".join(self._parts))

    async def _begin(self, start: Message) -> None:
        state: Mapping[str, Any] = self._scope.get("state", {})
        dataset, identity = dataset_of(self._declaration, self._scope), state.get("identity")
        if dataset is None:
            await self._send(start)
            return
        clearance = clearance_of(self._declaration, identity)
        if start["status"] < 300 and (reason := _asks_too_much(dataset, clearance, self._scope)):
            self._refused = True
            await self._refuse(reason)
            return
        if state.get(_MARK, False):
            await self._send(start)
            return
        if start["status"] < 400:
            level = min(clearance.level, dataset.ceiling)
            self._accesses.note(identity, dataset.name, level)
        if cleared(self._declaration, dataset, clearance):
            await self._send(start)
            return
        self._dataset, self._clearance = dataset, clearance
        if _has_body(start) and _media_type(start).endswith("json"):
            self._start = start
        elif start["status"] < 300 and _has_body(start):
            self._refused = True
            await self._refuse("This form of the answer tells more than you are cleared for.")
        else:
            await self._send(start)

    async def _finish(self, start: Message, body: bytes) -> None:
        told = self._told(start["status"], json.loads(body)) if body else None
        if told is None and self._scope["method"] != "GET":
            told = {}  # what was asked for is done: only the answer is not told
        if body and told is None:
            await self._refuse("You are not cleared for what is asked for.")
            return
        written = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        written = written if body else b""
        headers = MutableHeaders(scope=start)
        headers["Content-Length"] = str(len(written))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": written})

    def _told(self, status: int, value: Any) -> Any:
        assert self._dataset is not None and self._clearance is not None
        if status < 400:
            return disclosed(self._declaration, self._dataset, value, self._clearance)
        if not isinstance(value, dict) or "incident" not in value:
            return value
        incidents = self._declaration.datasets["incidents"]
        found = disclosed(self._declaration, incidents, value["incident"], self._clearance)
        return value | {"incident": found}

    async def _refuse(self, detail: str) -> None:
        problem = Problem(403, "Forbidden", detail, code="level")
        await problem_response(problem)(self._scope, self._receive, self._send)


def accessed_level(declaration: Declaration, dataset: str, clearance: Clearance) -> Level:
    """Of what somebody is told of a dataset, the highest."""
    return min(clearance.level, declaration.datasets[dataset].ceiling)


def _asks_too_much(dataset: Dataset, clearance: Clearance, scope: Scope) -> str | None:
    """Why a choice among what is there would tell what must not be told."""
    if not dataset.asks:
        return None
    for parameter in QueryParams(scope.get("query_string", b"")):
        field = untold(dataset, parameter, clearance)
        if field is not None:
            return f"You are not cleared for {dataset.name}.{field}: `{parameter}` would tell it."
    return None


def _has_body(start: Message) -> bool:
    return start["status"] not in (204, 304)


def _media_type(start: Message) -> str:
    headers: dict[bytes, bytes] = dict(start.get("headers", ()))
    return headers.get(b"content-type", b"").split(b";")[0].decode()
