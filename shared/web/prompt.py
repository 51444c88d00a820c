"""Answers that need no task: a path below ASGI, on uvicorn's own HTTP/1.1 protocol.

A task, two sends and a scope cost a small request more than what it asks for. Whoever can answer
from memory, or will be called back, takes the request as headers and body; whatever is not that
plain goes the ordinary way, as if nothing had happened.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, Protocol, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from shared.web.exchange import Exchange, Headers
from shared.web.patience import HEAD_BYTES, Patience, Patient
from shared.web.problems import Problem, encode

Answer = Callable[[int, bytes, Headers], None]  # status, body, headers beyond its length

BLANK = b"\r\n\r\n"  # ends a head
HEADS = 8  # that are remembered of one connection: as many lengths as small bodies have


class Prompt(Protocol):
    """One route's prompt way."""

    def read(self, headers: Headers) -> Any:
        """What of a head matters to the route, None if it is not this way's. `headers`:
        lower-case names. The same head is not shown again, so it must mean the same for ever."""
        ...

    def __call__(self, said: Any, body: bytes, answer: Answer) -> bool:
        """True: `answer` has been or will be called, once. False: not this way, and nothing has
        happened. `said`: what `read` found in the head."""
        ...


Routes = Mapping[tuple[bytes, bytes], Prompt]  # (method, path without query) → its prompt way


class Head(NamedTuple):
    """A head that has been read. `size`: bytes of a whole request that begins with it."""

    prompt: Prompt
    said: Any
    size: int


class PromptProtocol(Patient, HttpToolsProtocol):
    """Offers a request whose head and body arrive together to the prompt way of its route.

    Who posts again and again sends the same head again and again: it is parsed once.
    """

    routes: ClassVar[Routes] = {}
    _prompt: Prompt | None = None
    _body = b""
    _between = True  # the parser is between two messages
    _read: tuple[Prompt, Any, bytes] | None = None  # the last prompt request: what it said, body
    _barren = 0  # bytes since the last head or piece of a body
    _upgraded = False
    _served: RequestResponseCycle | None = None  # `cycle` is the last of the pipeline
    _answered_at = 0.0  # the loop's time of the last prompt answer

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Its first head must come in time."""
        super().connection_made(transport)
        self._heads: dict[bytes, Head] = {}
        self._patience = Patience(self.loop, transport)
        self._patience.await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever still answers is told that nobody listens."""
        if self._served is not None and self._served is not self.cycle:
            self._served.disconnected = True
            self._served.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A request that is not whole yet goes the ordinary way, with its time limits."""
        if self._take_known(data):
            return
        began, self._read = self._between, None
        self._barren += len(data)
        super().data_received(data)
        if began and self._read is not None:
            self._remember(data, *self._read)
        if self.transport.is_closing():
            self._patience.await_close()
            return
        if self._prompt is not None:
            self._hand_over(whole=False)
        if self._upgraded:
            return
        if self._barren > HEAD_BYTES:
            self._refuse_head()
        elif self.timeout_keep_alive_task is None and self._is_idle():
            self._patience.await_head()
        else:
            self._patience.head_came()

    def handle_websocket_upgrade(self) -> None:
        """From now on another protocol's, with a patience of its own."""
        self._upgraded = True
        self._patience.stop()
        super().handle_websocket_upgrade()

    def on_response_complete(self) -> None:
        """What the peer has not taken when the connection is to close, it must take in time."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._patience.await_close()

    def timeout_keep_alive_handler(self) -> None:
        """The same for an idle connection; one that has been busy meanwhile has time again."""
        self.timeout_keep_alive_task = None
        if not self._is_idle():
            return  # its answer starts the next one
        rest = self._answered_at + self.timeout_keep_alive - self.loop.time()
        if rest > 0:
            self._await_next(rest)
            return
        super().timeout_keep_alive_handler()
        self._patience.await_close()

    def on_prompt_complete(self) -> None:
        """As `on_response_complete`, but a timer that runs goes on running: who posts again and
        again would start and cancel one each time."""
        if self.pipeline or self.flow.read_paused or self.transport.is_closing():
            self.on_response_complete()
            return
        self.server_state.total_requests += 1
        self._answered_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._await_next(self.timeout_keep_alive)

    def _await_next(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def on_message_begin(self) -> None:
        """As uvicorn's, but for the scope: only the ordinary way needs one."""
        self._between = False
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        """Choose the way."""
        self._barren = 0
        parser = self.parser
        prompt = self.routes.get((parser.get_method(), self.url))
        if prompt is not None and self._is_free() and self._is_simple():
            self._prompt, self._body = prompt, b""
        else:
            self._begin_ordinary()

    def on_body(self, body: bytes) -> None:
        """Gather, or as uvicorn does."""
        self._barren = 0
        if self._prompt is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """Offer it; as uvicorn does if it is not taken."""
        self._barren, self._between = 0, True
        prompt, body = self._prompt, self._body
        if prompt is None:
            super().on_message_complete()
            return
        said = prompt.read(self.headers)
        if said is not None:
            self._read = prompt, said, body
            if self._offer(prompt, said, body):
                self._prompt, self._body = None, b""
                return
        self._hand_over(whole=True)

    def _take_known(self, data: bytes) -> bool:
        """Offer a whole request, of a head that this connection has sent before."""
        end = data.find(BLANK) + len(BLANK)
        known = self._heads.get(data[:end])
        if known is None or len(data) != known.size or not (self._between and self._is_free()):
            return False
        self._patience.head_came()
        self._barren = 0
        return self._offer(known.prompt, known.said, data[end:])

    def _remember(self, data: bytes, prompt: Prompt, said: Any, body: bytes) -> None:
        """The head of a request, if `data` is nothing but that request, plainly written."""
        end = data.find(BLANK) + len(BLANK)
        if data[end:] == body:
            if len(self._heads) >= HEADS:
                self._heads.clear()
            self._heads[data[:end]] = Head(prompt, said, len(data))

    def _offer(self, prompt: Prompt, said: Any, body: bytes) -> bool:
        """Whether it has been taken."""
        before, exchange = self.cycle, Exchange(self)
        self.cycle = cast(Any, exchange)  # a request that follows at once waits for its end
        try:
            taken = prompt(said, body, exchange.answer)
        except Exception:
            self.logger.exception("a prompt answer failed")
            taken = False
        if taken or exchange.response_complete:
            return True
        self.cycle = before
        return False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._served = cycle
        super()._start_asgi_task(cycle, app)

    def _is_free(self) -> bool:
        """Nothing else is under way on this connection, and its peer reads what it is sent."""
        return self._is_idle() and not self.flow.write_paused

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _refuse_head(self) -> None:
        """No parser of ours bounds a head."""
        detail = f"A request's head has at most {HEAD_BYTES} bytes."
        body = encode(Problem(431, "Request header fields too large", detail, code="too_large"))
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"
            b"content-type: application/problem+json\r\ncontent-length: %d\r\n\r\n%b"
            % (len(body), body)
        )
        self.transport.close()
        self._patience.await_close()

    def _is_simple(self) -> bool:
        parser = self.parser
        return (
            parser.get_http_version() == "1.1"
            and not self.expect_100_continue
            and parser.should_keep_alive()
            and not parser.should_upgrade()
        )

    def _begin_ordinary(self) -> None:
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.headers += headers  # the list that the scope holds
        self.url, self.expect_100_continue = url, expects
        super().on_headers_complete()

    def _hand_over(self, whole: bool) -> None:
        """What was gathered, to the ordinary way."""
        self._prompt, body, self._body = None, self._body, b""
        self._begin_ordinary()
        if body:
            super().on_body(body)
        if whole:
            super().on_message_complete()


def prompt_protocol(routes: Routes) -> type[PromptProtocol]:
    """uvicorn's protocol with these prompt ways."""
    return type("RoutedPromptProtocol", (PromptProtocol,), {"routes": dict(routes)})
