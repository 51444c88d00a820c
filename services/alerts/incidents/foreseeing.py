"""An early warning as an incident's events have it, and in words. Pure."""

from datetime import datetime
from zoneinfo import ZoneInfo

from services.alerts.detect.outlook import Crossing
from shared.clock import from_micros
from shared.contracts.incident import Foreseen

_CITY = ZoneInfo("Asia/Shanghai")


def foreseen(crossing: Crossing) -> Foreseen:
    """What is foreseen, for people and for receivers outside."""
    latest = crossing.latest_us
    zh, en = _words(crossing)
    return Foreseen(
        limit=crossing.limit,
        side="above" if crossing.upwards else "below",
        expected=crossing.expected,
        at=from_micros(crossing.at_us),
        earliest=from_micros(crossing.earliest_us),
        latest=None if latest is None else from_micros(latest),
        made_at=from_micros(crossing.made_us),
        zh=zh,
        en=en,
    )


def _words(crossing: Crossing) -> tuple[str, str]:
    made = from_micros(crossing.made_us)
    limit = f"{crossing.limit:g}"
    side_zh, side_en = ("高于", "above") if crossing.upwards else ("低于", "below")
    if crossing.at_us <= crossing.made_us:
        zh = f"{_time(made, made)} 已{side_zh} {limit}，预计仍将持续"
        return zh, f"is {side_en} {limit} at {_time(made, made)}, and expected to stay so"
    at, earliest = (_time(from_micros(us), made) for us in (crossing.at_us, crossing.earliest_us))
    zh, en = f"预计 {at} 将{side_zh} {limit}", f"will cross {limit} at {at}"
    if crossing.latest_us is None:
        return f"{zh}（最早 {earliest}，也可能不会）", f"{en} ({earliest} at the earliest, or not)"
    latest = _time(from_micros(crossing.latest_us), made)
    return f"{zh}（{earliest} 至 {latest} 之间）", f"{en} (between {earliest} and {latest})"


def _time(moment: datetime, made: datetime) -> str:
    """The city's time, with the day where it is another one."""
    here, there = moment.astimezone(_CITY), made.astimezone(_CITY)
    return f"{here:%H:%M}" if here.date() == there.date() else f"{here:%m-%d %H:%M}"
