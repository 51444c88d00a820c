"""The scoring rule of the Numenta Anomaly Benchmark (NAB, version 1.1). Pure.

A detection counts by how early in its window it comes; every other costs a little, the more the
further it is from the window before. One threshold for all files.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

PROBATION_SHARE, PROBATION_ROWS = 0.15, 750
NOBODY = 1.1  # a threshold that no score reaches


@dataclass(frozen=True, slots=True)
class Profile:
    """What the first detection in a window is worth, a missed window and a false alarm cost."""

    hit: float
    missed: float
    false: float


PROFILES = {
    "standard": Profile(1.0, 1.0, 0.11),
    "reward_low_FP_rate": Profile(1.0, 1.0, 0.22),
    "reward_low_FN_rate": Profile(1.0, 2.0, 0.11),
}


@dataclass(frozen=True, slots=True)
class Window:
    """The rows, first and last, in which a detection is right."""

    first: int
    last: int

    @property
    def width(self) -> int:
        """Number of rows."""
        return self.last - self.first + 1

    def holds(self, row: int) -> bool:
        """True when the row lies in it."""
        return self.first <= row <= self.last


@dataclass(frozen=True, slots=True)
class Marked:
    """One series' scores and the windows of its labels, both in the file's order."""

    scores: Sequence[float]
    windows: Sequence[Window]

    @property
    def probation(self) -> int:
        """So many rows at the beginning never count."""
        return min(math.floor(PROBATION_SHARE * len(self.scores)), PROBATION_ROWS)


@dataclass(frozen=True, slots=True)
class Tally:
    """A file's raw score at a threshold, and its rows: rightly and wrongly detected or not."""

    raw: float
    tp: int
    tn: int
    fp: int
    fn: int


def tally(marked: Marked, threshold: float, profile: Profile) -> Tally:
    """What a file's scores are worth at this threshold."""
    windows, begin, scores = marked.windows, marked.probation, marked.scores
    detected = [row for row in range(begin, len(scores)) if scores[row] >= threshold]
    best: dict[int, float] = {}
    raw, right = 0.0, 0
    for row in detected:
        place = _place(windows, row)
        worth = _worth(windows, row, place, profile)
        if place is None:
            raw += worth
        else:
            best[place] = max(worth, best.get(place, -math.inf))
            right += 1
    raw += sum(best.values()) - profile.missed * (len(windows) - len(best))
    inside = sum(max(0, one.last - max(one.first, begin) + 1) for one in windows)
    wrong = len(detected) - right
    return Tally(raw, right, len(scores) - begin - inside - wrong, wrong, inside - right)


def curve(files: Iterable[Marked], profile: Profile) -> list[tuple[float, float]]:
    """(threshold, sum of the files' raw scores) for every threshold that makes a difference,
    falling; the first is `NOBODY`."""
    steps: list[tuple[float, float]] = []
    raw = 0.0
    for marked in files:
        raw -= profile.missed * len(marked.windows)
        steps += _steps(marked, profile)
    steps.sort(key=lambda step: -step[0])
    found = [(NOBODY, raw)]
    for threshold, gain in steps:
        raw += gain
        if found[-1][0] == threshold:
            found.pop()
        found.append((threshold, raw))
    return found


def best_threshold(files: Iterable[Marked], profile: Profile) -> float:
    """The highest threshold at which the files' raw scores sum to the most."""
    return max(curve(files, profile), key=lambda point: point[1])[0]


def normalised(raw: float, windows: int, profile: Profile) -> float:
    """0: as good as a detector that is silent; 100: every window found in its first row."""
    base = -windows * profile.missed
    return 100 * (raw - base) / (windows * profile.hit - base)


def at(files: Mapping[str, Marked], thresholds: Mapping[str, float], profile: Profile) -> float:
    """The normalised score of all files, each at its own threshold."""
    raw = sum(tally(one, thresholds[name], profile).raw for name, one in files.items())
    return normalised(raw, sum(len(one.windows) for one in files.values()), profile)


def best(files: Mapping[str, Marked], profile: Profile) -> tuple[float, float]:
    """(normalised score, threshold) at the one threshold that suits all these files best."""
    threshold = best_threshold(files.values(), profile)
    return at(files, dict.fromkeys(files, threshold), profile), threshold


def left_out(files: Mapping[str, Marked], profile: Profile) -> tuple[float, dict[str, float]]:
    """(normalised score, threshold by category) where each category, the folder in a file's name,
    is scored at the threshold that suits all the other categories best."""
    thresholds = {
        category: best_threshold(
            (one for name, one in files.items() if _category(name) != category), profile
        )
        for category in sorted({_category(name) for name in files})
    }
    own = {name: thresholds[_category(name)] for name in files}
    return at(files, own, profile), thresholds


def _category(name: str) -> str:
    return name.partition("/")[0]


def _place(windows: Sequence[Window], row: int) -> int | None:
    """Which window the row lies in."""
    return next((i for i, window in enumerate(windows) if window.holds(row)), None)


def _steps(marked: Marked, profile: Profile) -> list[tuple[float, float]]:
    """(threshold, what the file's raw score gains when it falls so far)."""
    steps: list[tuple[float, float]] = []
    held: list[list[tuple[float, float]]] = [[] for _ in marked.windows]
    for row in range(marked.probation, len(marked.scores)):
        place = _place(marked.windows, row)
        step = marked.scores[row], _worth(marked.windows, row, place, profile)
        (steps if place is None else held[place]).append(step)
    for rows in held:
        reached = -profile.missed
        for threshold, worth in sorted(rows, key=lambda step: (-step[0], -step[1])):
            if worth > reached:
                steps.append((threshold, worth - reached))
                reached = worth
    return steps


def _worth(windows: Sequence[Window], row: int, place: int | None, profile: Profile) -> float:
    """What a detection in this row gives or costs, were it the only one."""
    if place is not None:
        window = windows[place]
        return profile.hit * _sigmoid(-(window.last - row + 1) / window.width) / _sigmoid(-1.0)
    before = [window for window in windows if window.last < row]
    if not before:
        return -profile.false
    last = max(before, key=lambda window: window.last)
    beyond = (row - last.last) / max(1, last.width - 1)
    return profile.false * (-1.0 if beyond > 3 else _sigmoid(beyond))


def _sigmoid(x: float) -> float:
    return 2.0 / (1.0 + math.exp(5.0 * x)) - 1.0
