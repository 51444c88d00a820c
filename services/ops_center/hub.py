"""Sends the picture to every screen: encoded once per tick, shared by all with the same sight."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import msgspec

from services.ops_center.client import Client, Frame, Screen, Wish
from services.ops_center.hops import Journey
from services.ops_center.metrics import (
    ABANDONED,
    CHARACTERS,
    CONFLATED,
    FRAMES,
    RESYNCS,
    TICK,
    tell_hops,
)
from services.ops_center.passage import Passage
from services.ops_center.picture import Delta, Picture
from services.ops_center.protocol import TRY_AGAIN, Mark, Refusal, ResyncReason
from services.ops_center.seating import Seating
from services.ops_center.stage import Group, Stage
from services.ops_center.telling import Telling
from services.ops_center.view import (
    hello_frame,
    neighbours_frame,
    pulse_frame,
    resync_frame,
    rfc3339,
    screen_frame,
)
from shared.clock import Clock, monotonic, to_micros
from shared.contracts.live import ClientHello, Filter, Neighbours, Pulse, ScreenInfo
from shared.web.identity import Restrictions

TICK_SECONDS = 0.25
PULSE_SECONDS = 5.0
STUCK_SECONDS = 30.0  # a screen that takes nothing and says nothing for so long is given up


class Hub:
    """Bounded everywhere: screens, filters, what waits for a slow screen. `adcode`: the city."""

    def __init__(self, clock: Clock, adcode: int) -> None:
        self.journey, self.passage = Journey(), Passage()
        self._clock = clock
        self._adcode = adcode
        self._stage: Stage | None = None
        self._staged = asyncio.Event()
        self._restaging: asyncio.Task[None] | None = None
        self._seating = Seating()
        self._conflated, self._pulse = 0, ""
        self._neighbours: Neighbours | None = None

    def show(self, picture: Picture, reason: ResyncReason) -> None:
        """From now on this picture; every screen takes a snapshot of it, because of `reason`."""
        self._stage = Stage(picture, self._now_us())
        self._seating.outdate()
        self._staged.set()
        for client in self._seating.clients():
            client.forget(reason)
        if self._restaging is not None:
            self._restaging.cancel()
        if len(self._seating):
            self._restaging = asyncio.get_running_loop().create_task(self._restage(self._stage))

    async def _restage(self, stage: Stage) -> None:
        """One view, one snapshot at a time: with hundreds of screens the loop must go on."""
        for group in self._seating:
            group.refresh(stage.picture)
            for client in list(group.clients):
                await asyncio.sleep(0)
                self._catch_up(client)

    async def ready(self, seconds: float) -> None:
        """Until there is a picture. Raises `Refusal` when there is none in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._staged.wait()
        except TimeoutError:
            raise Refusal(TRY_AGAIN, "the picture is still loading") from None

    async def catch_up_with(self, resume: str, seconds: float) -> None:
        """Until this replica has seen what another one has shown already, at most so long."""
        until = monotonic() + seconds
        while self._on_stage().is_behind(resume) and monotonic() < until:
            await asyncio.sleep(TICK_SECONDS)

    def join(
        self,
        screen: Screen,
        hello: ClientHello,
        rights: Restrictions | None = None,
        shown: ScreenInfo | None = None,
        telling: Telling | None = None,
    ) -> Client:
        """Take a screen in and send it what it needs first. `rights`: what it is confined to;
        `shown`: what its token is bound to; `telling`: what it may be told. Raises `Refusal`."""
        stage = self._on_stage()
        self._seating.check_room()
        wish = Wish(hello.filter, rights, shown, "gzip" in hello.accept, telling)
        group = self._seating.group(stage.picture, wish)
        client = Client(screen, stage.mark, wish)
        client.gone.add_done_callback(lambda _: self.leave(client))
        self._seating.seat(client, group)
        city = stage.picture.registry.city(self._adcode)
        frames = [hello_frame(self._clock(), TICK_SECONDS, city, shown, self._neighbours)]
        missed = stage.missed(group.view, hello.resume, self._now_us()) if hello.resume else None
        if isinstance(missed, tuple):
            client.mark, client.confirm = missed[0], True
            client.defer(*group.of(missed[1]))
            client.conflated = 0
            self._start(client, frames, client.mark)
        else:
            self._start_afresh(stage, client, group, missed, frames)
        self._catch_up(client)
        return client

    def refilter(self, client: Client, wanted: Filter | None) -> None:
        """From now on another filter. Raises `Refusal`."""
        self._move(client, replace(client.wish, filter=wanted), ResyncReason.FILTER)

    def confine(
        self, client: Client, rights: Restrictions | None, telling: Telling | None = None
    ) -> None:
        """From now on other rights, if they are others."""
        wish = replace(client.wish, rights=rights, telling=telling)
        if wish != client.wish:
            self._move(client, wish, ResyncReason.RIGHTS)

    def assign(self, client: Client, shown: ScreenInfo | None) -> None:
        """Tell a screen what it is to show, if that is new."""
        if shown is None or shown == client.wish.shown:
            return
        client.wish.shown = shown
        client.news["screen"] = screen_frame(shown)
        self._catch_up(client)

    def tell(self, neighbours: Neighbours | None) -> None:
        """Tell every screen what neighbouring cities warn of, if that is new."""
        if neighbours != self._neighbours:
            self._neighbours = neighbours
            for client in self._seating.tell("neighbours", neighbours_frame(neighbours)):
                self._catch_up(client)

    def leave(self, client: Client) -> None:
        """Forget a screen. Idempotent."""
        if self._seating.leave(client):
            client.leave(1000, "")

    def tick(self) -> None:
        """Send what changed since the last tick."""
        if self._stage is None:
            return
        with TICK.time():
            before = self._stage.mark
            delta = self._stage.advance(self._now_us())
            for group in self._seating:
                if not group.outdated:
                    self._send_to(self._stage, group, delta, before)
        for way in (self.journey, self.passage):
            way.sent(self._stage.mark.at_us, self._now_us())

    def pulse(self) -> None:
        """Send every screen the heartbeat, give up those that are stuck."""
        if self._stage is None:
            return
        lag_ms, samples = self.journey.report()
        hops, latency = tell_hops(lag_ms, samples)
        now = rfc3339(self._clock())
        pulse = Pulse(now, lag_ms, latency, len(self._seating), self._conflated, hops)
        self._pulse = pulse_frame(pulse)
        self._conflated = 0
        for group in self._seating:
            confirmation = group.confirmation(self._stage)
            for client in list(group.clients):
                frame = self._pulse_of(client, pulse)
                if client.idle:
                    self._start(client, [frame, *confirmation], self._stage.mark)
                elif client.busy and monotonic() - client.heard > STUCK_SECONDS:
                    ABANDONED.inc()
                    client.leave(TRY_AGAIN, "the screen takes no frames")
                else:
                    client.news["pulse"] = frame

    def _pulse_of(self, client: Client, pulse: Pulse) -> str:
        behind_ms, conflated = client.take_lateness()
        if behind_ms == conflated == 0:
            return self._pulse
        own = msgspec.structs.replace(pulse, behind_ms=behind_ms, conflated=conflated)
        return pulse_frame(own)

    def answer_ping(self, client: Client) -> None:
        """The newest pulse again, unless the screen is busy: then something is coming anyway."""
        if client.idle and self._pulse:
            self._start(client, [self._pulse], client.mark)

    def painted(self, sent_at: int) -> None:
        """A screen shows the delta with this `sent_at`."""
        for way in (self.journey, self.passage):
            way.painted(sent_at, self._now_us())

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
        if self._restaging is not None:
            self._restaging.cancel()

    def _send_to(self, stage: Stage, group: Group, delta: Delta, before: Mark) -> None:
        series, events = group.of(delta)
        if not series and not events:
            return
        frames: list[Frame] = []  # made once, when the first screen can take them
        taken = 0
        for client in list(group.clients):
            if client.idle:
                frames = frames or group.shared(stage, series, events, before)
                client.start(frames, stage.mark, self._catch_up)
                taken += 1
            else:
                conflated = client.defer(series, events)
                self._conflated += conflated
                CONFLATED.inc(conflated)
        _count(frames, taken)

    def _catch_up(self, client: Client) -> None:
        """Send what waits for this screen, as long as it takes it."""
        group, stage = self._seating.home(client), self._on_stage()
        while group is not None and client.owed:
            group.refresh(stage.picture)
            news = client.take_news()
            if client.resync is not None:
                self._start_afresh(stage, client, group, client.resync, news)
                continue
            series, events = group.view.series_of(client.behind), client.next_events()
            frames, mark = group.frames(
                stage, series, events, client.mark.incidents, more=bool(client.events)
            )
            if client.confirm and not frames:
                frames = [group.delta(stage, [], mark)]
            client.behind, client.confirm = set(), False
            self._start(client, [*news, *frames], mark)

    def _start_afresh(
        self,
        stage: Stage,
        client: Client,
        group: Group,
        reason: ResyncReason | None,
        frames: Sequence[Frame],
    ) -> None:
        """Send a snapshot after `frames`; what came after it was made is put in waiting."""
        if reason is not None:
            RESYNCS.labels(reason.value).inc()
            frames = [*frames, resync_frame(reason.value)]
        client.forget(None)
        tick, snapshot, mark = group.snapshot(stage, self._now_us(), client.wish.gzip)
        for delta in stage.since(tick):
            client.defer(*group.of(delta))
        self._start(client, [*frames, snapshot], mark)

    def _move(self, client: Client, wish: Wish, reason: ResyncReason) -> None:
        old = self._seating.home(client)
        if old is None:
            return
        new = self._seating.group(self._on_stage().picture, wish)
        client.wish = wish
        if new is old:
            return
        self._seating.seat(client, new)
        client.forget(reason)
        self._catch_up(client)

    def _start(self, client: Client, frames: Sequence[Frame], mark: Mark) -> None:
        _count(frames, 1)
        client.start(frames, mark, self._catch_up)

    def _on_stage(self) -> Stage:
        if self._stage is None:
            raise Refusal(TRY_AGAIN, "the picture is still loading")
        return self._stage

    def _now_us(self) -> int:
        return to_micros(self._clock())


def _count(frames: Sequence[Frame], screens: int) -> None:
    FRAMES.inc(len(frames) * screens)
    CHARACTERS.inc(sum(map(len, frames)) * screens)
