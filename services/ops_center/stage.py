"""What is on show: the picture at its last tick, and the frames that one filter's screens share."""

import gzip
from collections import deque
from collections.abc import Iterable, Sequence

from services.ops_center.board import LoggedEvent
from services.ops_center.client import Client, Frame
from services.ops_center.picture import Delta, Picture
from services.ops_center.protocol import (
    Mark,
    ResyncReason,
    Token,
    Vector,
    decode_token,
    encode_token,
    judge,
)
from services.ops_center.view import View

SNAPSHOT_TICKS = 4  # how long one encoded snapshot is handed out
GZIP_LEVEL = 1  # 10 ms for 20,000 series; the best level takes five times as long for a tenth


class Stage:
    """A picture, and where it stood at the last tick."""

    def __init__(self, picture: Picture, now_us: int) -> None:
        picture.take(now_us)
        self.picture = picture
        self.tick = 0
        self.mark = self._place(now_us)
        self._recent: deque[tuple[int, Delta]] = deque(maxlen=2 * SNAPSHOT_TICKS)
        self._resumed: dict[str, frozenset[int]] = {}  # many come back with the same token

    def advance(self, now_us: int) -> Delta:
        """The next tick: what changed since the last."""
        delta = self.picture.take(now_us)
        self.tick += 1
        self.mark = self._place(now_us)
        self._recent.append((self.tick, delta))
        self._resumed.clear()
        return delta

    def since(self, tick: int) -> Iterable[Delta]:
        """What the ticks after `tick` brought; at most `SNAPSHOT_TICKS` back."""
        return [delta for later, delta in self._recent if later > tick]

    def token(self, key: str, mark: Mark) -> str:
        """The resume token of a view (by its filter's key) at a mark."""
        return encode_token(self._token(key, mark))

    def missed(self, view: View, text: str, now_us: int) -> "tuple[Mark, Delta] | ResyncReason":
        """Where a resume token stands and what came after it, or why that cannot be told."""
        token = decode_token(text)
        if token is None:
            return ResyncReason.BAD_TOKEN
        board = self.picture.board
        oldest = Mark(self.picture.oldest, board.oldest, 0)
        reason = judge(token, self._token(view.key, self.mark), oldest)
        if reason is not None:
            return reason
        now = self.mark.incidents  # what lies after it comes with the next tick
        events = [e for e in board.since(token.incidents) if e.offset < now[e.partition]]
        if text not in self._resumed:
            self._resumed[text] = self.picture.changed_since(
                token.readings, events, token.at_us, now_us
            )
        return token.mark, Delta(self._resumed[text], tuple(events))

    def is_behind(self, text: str) -> bool:
        """A resume token tells of more than was on show at the last tick."""
        token = decode_token(text)
        if token is None:
            return False
        now = self._token(token.filter, self.mark)
        return judge(token, now, token.mark) is ResyncReason.AHEAD

    def _place(self, now_us: int) -> Mark:
        return Mark(self.picture.position, self.picture.board.position, now_us)

    def _token(self, key: str, mark: Mark) -> Token:
        picture = self.picture
        return Token(picture.incarnation, picture.registry.version, key, *mark)


class Group:
    """The screens of one filter, and their frames on a stage."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.clients: set[Client] = set()
        self.outdated = False  # its view belongs to an older picture
        self._snapshot: _Snapshot | None = None
        self._promised: Mark | None = None  # the newest token that idle screens were handed

    def refresh(self, picture: Picture) -> None:
        """The same sight on the picture that is on stage, if it is of another."""
        if self.outdated:
            self.view = View(self.view.wanted, picture.registry, self.view.telling)
            self._snapshot, self.outdated = None, False

    def of(self, delta: Delta) -> tuple[list[int], list[LoggedEvent]]:
        """The part of a delta that this view shows."""
        events = [event for event in delta.events if self.view.shows(event.incident)]
        return self.view.series_of(delta.series), events

    def frames(
        self,
        stage: Stage,
        series: Sequence[int],
        events: Sequence[LoggedEvent],
        seen: Vector,
        *,
        more: bool = False,
    ) -> tuple[list[Frame], Mark]:
        """For screens that have seen the incidents up to `seen` and miss `series` and `events`,
        and where they stand then. `more`: they miss still more events.

        The delta comes first and its token promises none of the events: who has got an event must
        have got the alarm that it puts on a series.
        """
        mark = stage.mark._replace(incidents=seen) if events or more else stage.mark
        frames: list[Frame] = [self.delta(stage, series, mark)] if series else []
        for event in events:
            mark = mark.after(event.partition, event.offset)
            frames.append(self.view.incident(event, stage.token(self.view.key, mark)))
        return frames, mark if more else stage.mark

    def delta(self, stage: Stage, series: Iterable[int], mark: Mark) -> str:
        """The newest state of `series`, perhaps of none."""
        token = stage.token(self.view.key, mark)
        return self.view.delta(stage.picture, series, token, stage.mark.at_us // 1000)

    def shared(
        self,
        stage: Stage,
        series: Sequence[int],
        events: Sequence[LoggedEvent],
        before: Mark,
    ) -> list[Frame]:
        """The frames of the tick that began at `before`, for all screens that are up to date."""
        self._promised = stage.mark
        return self.frames(stage, series, events, before.incidents)[0]

    def confirmation(self, stage: Stage) -> list[str]:
        """An empty delta, for its token, when the log went on but nothing changed in this view."""
        current = self._promised is None or self._promised.same_place(stage.mark)
        self._promised = stage.mark
        return [] if current else [self.delta(stage, [], stage.mark)]

    def snapshot(self, stage: Stage, now_us: int, compressed: bool) -> tuple[int, Frame, Mark]:
        """The tick it was made at, the frame and where it stands; made anew once a second, and
        compressed once."""
        made = self._snapshot
        if made is None or stage.tick - made.tick >= SNAPSHOT_TICKS:
            stage.picture.settle(now_us)
            token = stage.token(self.view.key, stage.mark)
            text = self.view.snapshot(stage.picture, token)
            made = self._snapshot = _Snapshot(stage.tick, text, stage.mark)
        return made.tick, made.packed() if compressed else made.text, made.mark


class _Snapshot:
    """One encoded snapshot."""

    def __init__(self, tick: int, text: str, mark: Mark) -> None:
        self.tick = tick
        self.text = text
        self.mark = mark
        self._packed: bytes | None = None

    def packed(self) -> bytes:
        """gzip of the text."""
        if self._packed is None:
            self._packed = gzip.compress(self.text.encode(), GZIP_LEVEL)
        return self._packed
