"""Sends the picture to every screen: encoded once per tick, shared by all with the same filter."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from services.ops_center.client import Client, Screen
from services.ops_center.freshness import Freshness
from services.ops_center.metrics import ABANDONED, CLIENTS, CONFLATED, LAG, LATENCY, RESYNCS, TICK
from services.ops_center.picture import Delta, Picture
from services.ops_center.protocol import (
    TRY_AGAIN,
    Mark,
    Refusal,
    ResyncReason,
    canonical,
    filter_key,
)
from services.ops_center.stage import Group, Stage
from services.ops_center.view import View, hello_frame, pulse_frame, resync_frame, rfc3339
from shared.clock import Clock, monotonic, to_micros
from shared.contracts.live import ClientHello, Pulse

TICK_SECONDS = 0.25
PULSE_SECONDS = 5.0
STUCK_SECONDS = 30.0  # a screen that takes nothing for so long is given up
MAX_CLIENTS = 2_000
MAX_FILTERS = 64


class Hub:
    """Bounded everywhere: screens, filters, what waits for a slow screen. `adcode`: the city."""

    def __init__(self, clock: Clock, adcode: int) -> None:
        self.freshness = Freshness()
        self._clock = clock
        self._adcode = adcode
        self._stage: Stage | None = None
        self._staged = asyncio.Event()
        self._groups: dict[str, Group] = {}
        self._homes: dict[Client, Group] = {}
        self._conflated = 0
        self._pulse = ""

    def show(self, picture: Picture, reason: ResyncReason) -> None:
        """From now on this picture; every screen takes a snapshot of it, because of `reason`."""
        self._stage = Stage(picture, self._now_us())
        for group in self._groups.values():
            group.restage(picture)
        self._staged.set()
        for client in list(self._homes):
            client.forget(reason)
            self._catch_up(client)

    async def ready(self, seconds: float) -> None:
        """Until there is a picture. Raises `Refusal` when there is none in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._staged.wait()
        except TimeoutError:
            raise Refusal(TRY_AGAIN, "the picture is still loading") from None

    def join(self, screen: Screen, hello: ClientHello) -> Client:
        """Take a screen in and send it what it needs first. Raises `Refusal`."""
        stage = self._on_stage()
        if len(self._homes) >= MAX_CLIENTS:
            raise Refusal(TRY_AGAIN, "too many screens")
        group = self._group(stage, hello)
        client = Client(screen, stage.mark)
        client.gone.add_done_callback(lambda _: self.leave(client))
        group.clients.add(client)
        self._homes[client] = group
        CLIENTS.set(len(self._homes))
        frames = [
            hello_frame(self._clock(), TICK_SECONDS, stage.picture.registry.city(self._adcode))
        ]
        missed = stage.missed(group.view, hello.resume, self._now_us()) if hello.resume else None
        if isinstance(missed, tuple):
            client.mark, client.confirm = missed[0], True
            client.defer(*group.of(missed[1]))
            self._start(client, frames, client.mark)
        else:
            self._start_afresh(stage, client, group, missed, frames)
        self._catch_up(client)
        return client

    def leave(self, client: Client) -> None:
        """Forget a screen. Idempotent."""
        group = self._homes.pop(client, None)
        if group is None:
            return
        client.leave(1000, "")
        group.clients.discard(client)
        if not group.clients:
            self._groups.pop(group.view.key, None)
        CLIENTS.set(len(self._homes))

    def tick(self) -> None:
        """Send what changed since the last tick."""
        if self._stage is None:
            return
        with TICK.time():
            before = self._stage.mark
            delta = self._stage.advance(self._now_us())
            for group in list(self._groups.values()):
                self._send_to(self._stage, group, delta, before)
        for latency in self.freshness.sent(self._now_us()):
            LATENCY.observe(latency)

    def pulse(self) -> None:
        """Send every screen the heartbeat, give up those that are stuck."""
        if self._stage is None:
            return
        lag_ms, latency = self.freshness.report()
        LAG.set(lag_ms / 1000)
        now = rfc3339(self._clock())
        self._pulse = pulse_frame(Pulse(now, lag_ms, latency, len(self._homes), self._conflated))
        self._conflated = 0
        for group in list(self._groups.values()):
            frames = [self._pulse, *group.confirmation(self._stage)]
            for client in list(group.clients):
                if client.idle:
                    self._start(client, frames, self._stage.mark)
                elif client.busy_since is not None and _is_stuck(client.busy_since):
                    ABANDONED.inc()
                    client.leave(TRY_AGAIN, "the screen takes no frames")

    def answer_ping(self, client: Client) -> None:
        """The newest pulse again, unless the screen is busy: then something is coming anyway."""
        if client.idle and self._pulse:
            self._start(client, [self._pulse], client.mark)

    async def run(self, stop: asyncio.Event) -> None:
        """Tick and pulse until `stop`."""
        due = pulse_due = monotonic()
        while not stop.is_set():
            due = max(due + TICK_SECONDS, monotonic())
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), due - monotonic())
            self.tick()
            if monotonic() >= pulse_due:
                pulse_due = monotonic() + PULSE_SECONDS
                self.pulse()

    def _send_to(self, stage: Stage, group: Group, delta: Delta, before: Mark) -> None:
        series, events = group.of(delta)
        if not series and not events:
            return
        frames: list[str] = []  # made once, when the first screen can take them
        for client in list(group.clients):
            if client.idle:
                frames = frames or group.shared(stage, series, events, before)
                self._start(client, frames, stage.mark)
            else:
                conflated = client.defer(series, events)
                self._conflated += conflated
                CONFLATED.inc(conflated)

    def _catch_up(self, client: Client) -> None:
        """Send what waits for this screen, as long as it takes it."""
        group, stage = self._homes.get(client), self._on_stage()
        while group is not None and client.owed:
            if client.resync is not None:
                self._start_afresh(stage, client, group, client.resync, [])
                continue
            series, events = group.view.series_of(client.behind), client.next_events()
            frames, mark = group.frames(
                stage, series, events, client.mark.incidents, more=bool(client.events)
            )
            if client.confirm and not frames:
                frames = [group.delta(stage, [], mark)]
            client.behind, client.confirm = set(), False
            self._start(client, frames, mark)

    def _start_afresh(
        self,
        stage: Stage,
        client: Client,
        group: Group,
        reason: ResyncReason | None,
        frames: Sequence[str],
    ) -> None:
        """Send a snapshot after `frames`; what came after it was made is put in waiting."""
        if reason is not None:
            RESYNCS.labels(reason.value).inc()
            frames = [*frames, resync_frame(reason.value)]
        client.forget(None)
        tick, snapshot, mark = group.snapshot(stage, self._now_us())
        for delta in stage.since(tick):
            client.defer(*group.of(delta))
        self._start(client, [*frames, snapshot], mark)

    def _group(self, stage: Stage, hello: ClientHello) -> Group:
        wanted = canonical(hello.filter)
        known = self._groups.get(filter_key(wanted))
        if known is not None:
            return known
        if len(self._groups) >= MAX_FILTERS:
            raise Refusal(TRY_AGAIN, "too many different filters")
        view = View(wanted, stage.picture.registry)
        view.refuse_unknown()
        return self._groups.setdefault(view.key, Group(view))

    def _start(self, client: Client, frames: Sequence[str], mark: Mark) -> None:
        client.start(frames, mark, monotonic(), self._catch_up)

    def _on_stage(self) -> Stage:
        if self._stage is None:
            raise Refusal(TRY_AGAIN, "the picture is still loading")
        return self._stage

    def _now_us(self) -> int:
        return to_micros(self._clock())


def _is_stuck(busy_since: float) -> bool:
    return monotonic() - busy_since > STUCK_SECONDS
