"""The first stage: readings of single sensors, in log order → transitions and changes. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import heappop, heappush

from services.alerts.judging.alert import Alert
from services.alerts.judging.change import ConditionChange, Signal
from services.alerts.judging.inquiry import Inquiry, InquiryState, new_state
from services.alerts.judging.outlets import AlertOutlet, SignalOutlet
from services.alerts.judging.plan import QUALITIES, Part, Plan
from services.alerts.judging.rulebook import Book, Watch
from services.alerts.judging.states import Asked, States, TrackState
from services.alerts.judging.track import FAR_US, NEVER_US, Track
from services.alerts.judging.transition import Key, Transition
from shared.contracts.reading import Reading

Series = tuple[str, str]  # sensor id, metric
Lane = tuple[str, str, int]  # the same, and the worst quality heard


class Phase(StrEnum):
    """Where a subject stands."""

    NORMAL = "normal"
    PENDING = "pending"
    ACTIVE = "active"
    RETURN_PENDING = "return_pending"
    NO_DATA = "no_data"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Judged:
    """What has happened and is not yet written."""

    transitions: Sequence[Transition]
    conditions: Sequence[ConditionChange]


class _Series:
    """A series: its tracks by quality, and `only` one where all rules hear the same."""

    __slots__ = ("only", "tracks", "watchers")

    def __init__(self) -> None:
        self.watchers: tuple[Watch, ...] | None = None
        self.tracks: dict[int, Track] = {}
        self.only: Track | None = None


class Judgement:
    """What is known of the sensors of a partition. The same records from the same states lead to
    the same transitions, whatever came before."""

    def __init__(self, book: Book, states: States | None = None) -> None:
        self.book = book
        self._alerts, self._signals = AlertOutlet(), SignalOutlet()
        self._series: dict[Series, _Series] = {}
        self._inquiries: dict[tuple[str, int, str], Inquiry] = {}
        self._due: list[tuple[int, Lane]] = []
        if states is not None:
            self._restore(states)

    @property
    def urgent(self) -> bool:
        """True when something has happened that is not yet written."""
        return bool(self._alerts.transitions or self._signals.changes)

    def hear(self, reading: Reading, watchers: tuple[Watch, ...], accepted_us: int) -> bool:
        """Judge one reading by all that is asked of its series. False for one that is late, a
        repeat or too bad: it is stored, but turns nothing back."""
        series = self._series.get((reading.sensor_id, reading.metric))
        if series is None or (series.watchers is not watchers and series.watchers != watchers):
            series = self._attend(reading, watchers, accepted_us)
        track = series.only
        if track is not None and reading.quality != "bad":
            heard = track.hear(reading.observed_us, reading.value, accepted_us)
            if track.moved:
                self._queue((reading.sensor_id, reading.metric, 1), track)
            return heard
        return self._hear_by_quality(series, reading, accepted_us)

    def tick(self, now_us: int) -> None:
        """Time has come this far: what has been silent for too long is noticed."""
        due = self._due
        while due and due[0][0] < now_us:
            when, lane = heappop(due)
            track = self._series[lane[:2]].tracks[lane[2]]
            if track.queued_us != when:
                continue  # queued again since
            really = track.due_us()
            if really < now_us and really <= when:
                track.tick(really, now_us)
                really = track.due_us()
            track.queued_us = FAR_US
            track.moved = really == FAR_US  # nobody waits: from the next reading on somebody may
            if really < FAR_US:
                self._push(lane, track, min(really, max(when, now_us) + track.patience_us))

    def changes(self) -> Judged:
        """Everything that is not written yet."""
        return Judged(list(self._alerts.transitions), list(self._signals.changes))

    def written(self) -> None:
        """All of it is written."""
        self._alerts.transitions.clear()
        self._signals.changes.clear()

    def states(self) -> States:
        """Everything that must be known to go on from here. It shares memory with this judgement:
        encode it before the next reading."""
        tracks = [
            TrackState(*series, quality, track.newest_us, track.heard_us, track.gap_us,
                       track.older_gap_us)
            for series, one in self._series.items()
            for quality, track in one.tracks.items()
        ]  # fmt: skip
        asked = [Asked(*key, inquiry.state) for key, inquiry in self._inquiries.items()]
        return States(tracks, asked, {plan.rule.id: plan.fingerprint for plan in self._plans()})

    def phases(self) -> Iterator[tuple[Key, Phase]]:
        """Where every subject stands that is or has been other than normal."""
        for (rule_id, _, sensor_id), inquiry in self._inquiries.items():
            if inquiry.plan.local:
                yield (rule_id, sensor_id), _phase(inquiry.state)

    def known(self, plan: Plan, part: Part, sensor_id: str) -> Inquiry | None:
        """See `track.Inquiries.known`."""
        return self._inquiries.get((plan.rule.id, part.index, sensor_id))

    def find(self, plan: Plan, part: Part, sensor_id: str) -> Inquiry:
        """See `track.Inquiries.find`."""
        key = (plan.rule.id, part.index, sensor_id)
        found = self._inquiries.get(key)
        if found is None:
            found = self._begin(plan, part, sensor_id, new_state(plan, part))
        return found

    def _plans(self) -> Iterator[Plan]:
        return iter(self.book.plans.values())

    def _begin(self, plan: Plan, part: Part, sensor_id: str, state: InquiryState) -> Inquiry:
        outlet = self._alerts if plan.local else self._signals
        inquiry = Inquiry(plan, part, sensor_id, state, outlet)
        self._inquiries[plan.rule.id, part.index, sensor_id] = inquiry
        return inquiry

    def _hear_by_quality(self, series: _Series, reading: Reading, accepted_us: int) -> bool:
        rank, heard = QUALITIES[reading.quality], False
        for quality, track in series.tracks.items():
            if rank <= quality:
                heard |= track.hear(reading.observed_us, reading.value, accepted_us)
                if track.moved:
                    self._queue((reading.sensor_id, reading.metric, quality), track)
        return heard

    def _attend(self, reading: Reading, watchers: tuple[Watch, ...], accepted_us: int) -> _Series:
        """From now on, this is asked of the series; what is no longer asked ends."""
        sensor_id, metric = reading.sensor_id, reading.metric
        series = self._series.setdefault((sensor_id, metric), _Series())
        asked: dict[int, list[tuple[Plan, Part, int]]] = {quality: [] for quality in series.tracks}
        for watch in watchers:
            asked.setdefault(watch.plan.quality, []).append((watch.plan, watch.part, watch.place))
            if not watch.plan.local:
                self._count_in(watch, sensor_id)
        still = {(plan.rule.id, part.index) for lane in asked.values() for plan, part, _ in lane}
        for quality, lane in asked.items():
            track = series.tracks.setdefault(quality, Track(sensor_id, self))
            for plan, part, _ in track.asked:
                if (plan.rule.id, part.index) not in still:
                    self._dismiss(plan, part, sensor_id, reading.observed_us, accepted_us)
            track.ask(lane)
        series.watchers = watchers
        series.only = series.tracks.get(1) if len(series.tracks) == 1 else None
        return series

    def _count_in(self, watch: Watch, sensor_id: str) -> None:
        """The areas and groups in which a sensor counts may have changed."""
        inquiry = self.find(watch.plan, watch.part, sensor_id)
        inquiry.subjects = watch.subjects
        signal = inquiry.state.told
        if isinstance(signal, Signal) and signal.subjects != watch.subjects:
            inquiry.state.quiet = False
            inquiry.settle()

    def _dismiss(
        self, plan: Plan, part: Part, sensor_id: str, at_us: int, accepted_us: int
    ) -> None:
        """A rule no longer concerns the sensor: nothing goes on of what it said."""
        inquiry = self._inquiries.pop((plan.rule.id, part.index, sensor_id), None)
        if inquiry is None:
            return
        state, inquiry.subjects = inquiry.state, ()
        if isinstance(state.told, Alert):
            state.alarm.level, state.told.flapping = 0, False
            self._alerts.judged(inquiry, at_us, accepted_us)
        else:
            self._signals.lost(inquiry, at_us, accepted_us)

    def _queue(self, lane: Lane, track: Track) -> None:
        """Look again when the track may have been silent for too long."""
        track.moved = False
        if track.patience_us < FAR_US and track.newest_us > NEVER_US:
            due = max(track.newest_us, track.heard_us) + track.patience_us
            if due < track.queued_us:
                self._push(lane, track, due)

    def _push(self, lane: Lane, track: Track, due_us: int) -> None:
        track.queued_us = due_us
        heappush(self._due, (due_us, lane))

    def _restore(self, states: States) -> None:
        for one in states.asked:
            plan = self.book.plans.get(one.rule_id)
            if plan is not None and states.rules.get(one.rule_id) == plan.fingerprint:
                inquiry = self._begin(plan, plan.parts[one.part], one.sensor_id, one.state)
                if isinstance(one.state.told, Signal):
                    inquiry.subjects = one.state.told.subjects or ()
        lanes: dict[Lane, list[tuple[Plan, Part, int]]] = {}
        for inquiry in self._inquiries.values():
            for place, leaf in enumerate(inquiry.part.leaves):
                lane = (inquiry.sensor_id, leaf.metric, inquiry.plan.quality)
                lanes.setdefault(lane, []).append((inquiry.plan, inquiry.part, place))
        for kept in states.tracks:
            lane = (kept.sensor_id, kept.metric, kept.quality)
            track = Track(kept.sensor_id, self)
            track.newest_us, track.heard_us = kept.newest_us, kept.heard_us
            track.gap_us, track.older_gap_us = kept.gap_us, kept.older_gap_us
            self._series.setdefault(lane[:2], _Series()).tracks[kept.quality] = track
            track.ask(lanes.get(lane, ()))
            self._queue(lane, track)


def _phase(state: InquiryState) -> Phase:
    alarm, alert = state.alarm, state.told
    if state.error:
        return Phase.ERROR
    if isinstance(alert, Alert) and alert.silent:
        return Phase.NO_DATA
    if not alarm.level:
        return Phase.NORMAL if alarm.idle else Phase.PENDING
    return Phase.RETURN_PENDING if alarm.turns[alarm.level - 1] >= 0 else Phase.ACTIVE
