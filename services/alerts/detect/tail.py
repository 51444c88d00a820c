"""How rare a value is among those before it: peaks over a running quantile, both sides. Pure.

After Siffer et al., "Anomaly Detection in Streams with Extreme Value Theory" (KDD 2017): what lies
beyond a high quantile follows a generalised Pareto distribution, here fitted by its moments. So
every series and every detector speaks of the same thing, odds, and one threshold serves all.
"""

import math

import msgspec

WARM_READINGS = 200  # a quantile this far out needs so many
QUANTILE = 0.983
RARE = 1.0 - QUANTILE
BASE = -math.log10(RARE)
FIRST = WARM_READINGS - int(QUANTILE * WARM_READINGS)  # the quantile is the so-manieth highest
STEP = 0.035  # of the mean excess: how fast the quantile moves
MEMORY = 40.0  # peaks
HEAVIEST = 0.45  # shape of the tail: beyond one half it has no variance
FARTHEST = 20.0  # a peak teaches no more than so many mean excesses
GRAIN = 0.01  # of the distance between both quantiles: no tail is thinner
RECORD = 1.08  # what is not higher than this times the highest peak has been seen before
FORGET = 0.9975  # of the record, per peak
SEEN = 3.0  # the most that is made of what has been seen before
CALM_READINGS = 10_000  # without a peak: the quantile is out of date
RETURN = 0.001  # of the distance between both quantiles, per reading, from then on
SIDE = 6  # numbers kept of a side: quantile, mean excess, its square, peaks, record, calm
DEFINITE = 9.0  # no odds are longer than 1 in 10⁹ on each side


class Tail(msgspec.Struct, array_like=True):
    """`kept`: of both sides `SIDE` numbers; before `WARM_READINGS` the highest and the lowest."""

    kept: bytearray = msgspec.field(default_factory=lambda: bytearray(16 * SIDE))
    heard: int = 0

    def surprise(self, value: float, grain: float) -> float:
        """−log₁₀ of the odds of such a value; 0 for an everyday one and while too few are known.
        `grain`: differences smaller than this mean nothing."""
        kept = memoryview(self.kept).cast("d")
        if self.heard < WARM_READINGS:
            self._learn(kept, value, grain)
            return 0.0
        high, low = kept[0], kept[SIDE]
        least = GRAIN * (high + low) + grain
        above = _side(kept, 0, value - high, least)
        below = _side(kept, SIDE, -value - low, least)
        return above if above > below else below

    @property
    def usual(self) -> tuple[float, float]:
        """Between these nearly all values lie; NaN while too few are known."""
        if self.heard < WARM_READINGS:
            return math.nan, math.nan
        kept = memoryview(self.kept).cast("d")
        return -kept[SIDE], kept[0]

    def _learn(self, kept: "memoryview[float]", value: float, grain: float) -> None:
        for start, signed in ((0, value), (SIDE, -value)):
            best = sorted([*kept[start : start + min(self.heard, FIRST)], signed], reverse=True)
            for place, one in enumerate(best[:FIRST]):
                kept[start + place] = one
        self.heard += 1
        if self.heard == WARM_READINGS:
            least = GRAIN * (kept[FIRST - 1] + kept[SIDE + FIRST - 1]) + grain
            for start in (0, SIDE):
                _begin(kept, start, least)


def _begin(kept: "memoryview[float]", start: int, least: float) -> None:
    """From the highest values to a quantile and what lies beyond it."""
    quantile = kept[start + FIRST - 1]
    peaks = [one - quantile for one in kept[start : start + FIRST - 1] if one > quantile]
    mean = sum(peaks) / len(peaks) if peaks else 0.0
    square = sum(peak * peak for peak in peaks) / len(peaks) if peaks else 0.0
    if mean < least:
        mean, square = least, 2 * least * least
    row = quantile, mean, square, float(max(len(peaks), 1)), max(peaks, default=0.0), 0.0
    for place, one in enumerate(row):
        kept[start + place] = one


def _side(kept: "memoryview[float]", start: int, excess: float, least: float) -> float:
    """One side hears a value that lies `excess` beyond its quantile."""
    mean = kept[start + 1]
    mean = max(mean, least)
    if excess <= 0.0:
        calm = kept[start + 5] + 1.0
        kept[start + 5] = calm
        kept[start] -= STEP * RARE * mean if calm < CALM_READINGS else RETURN * least / GRAIN
        return 0.0
    square, peaks, record = kept[start + 2], kept[start + 3], kept[start + 4]
    found = _odds(excess, mean, square if kept[start + 1] >= least else 2 * least * least)
    if excess < RECORD * record and found > SEEN:
        found = SEEN
    weight = 1.0 / min(peaks + 1.0, MEMORY)
    taught = min(excess, FARTHEST * mean)
    kept[start + 4] = max(excess, FORGET * record)
    kept[start] += STEP * QUANTILE * mean
    kept[start + 1] += weight * (taught - kept[start + 1])
    kept[start + 2] += weight * (taught * taught - square)
    kept[start + 3] = min(peaks + 1.0, MEMORY)
    kept[start + 5] = 0.0
    return found


def _odds(excess: float, mean: float, square: float) -> float:
    """−log₁₀ P(value beyond quantile + excess), from the moments of what lay beyond it."""
    variance = square - mean * mean
    shape = 0.5 * (1.0 - mean * mean / variance) if variance > 0.0 else 0.0
    shape = min(max(shape, 0.0), HEAVIEST)
    scale = mean * (1.0 - shape)
    if shape < 1e-3:
        return min(BASE + excess / scale * math.log10(math.e), DEFINITE)
    return min(BASE + math.log10(1.0 + shape * excess / scale) / shape, DEFINITE)
