"""What people read: incidents and pages in words, in Chinese or English. Plain text: a title from
outside can be neither Markdown nor markup. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.alerts.channels.channel import Body, Language

_CITY = ZoneInfo("Asia/Shanghai")
_PRIORITIES = {"zh": ("", "一级", "二级", "三级", "四级"), "en": ("", "P1", "P2", "P3", "P4")}
_GRADES = {
    "zh": ("", "特别重大", "重大", "较大", "一般"),
    "en": ("", "grade I", "grade II", "grade III", "grade IV"),
}
_STATES = {
    "zh": {
        "open": "待签收", "acknowledged": "已签收", "dispatched": "已派遣", "handling": "处置中",
        "resolved": "已反馈", "closed": "已结案",
    },
    "en": {},
}  # fmt: skip
_EVENTS_ZH = {
    "opened": "立案", "cleared": "恢复正常", "refired": "再次告警", "acknowledged": "签收",
    "dispatched": "派遣", "started": "开始处置", "resolved": "处置反馈", "closed": "结案",
    "reopened": "重新打开", "overdue": "超时", "no_data": "数据中断", "resumed": "数据恢复",
    "joined": "新增告警", "changed": "级别变化", "reported": "新增上报", "merged": "合并",
}  # fmt: skip
_REASONS_ZH = {
    "new": "新事件", "changed": "有变化", "resolved": "已处置", "repeat": "仍未处置",
    "escalated": "无人签收，升级通知",
}  # fmt: skip
_REASONS_EN = {
    "new": "new", "changed": "changed", "resolved": "resolved", "repeat": "still open",
    "escalated": "nobody has acknowledged: escalated",
}  # fmt: skip
_MORE = {"zh": "… 另有 {n} 条", "en": "… and {n} more"}


@dataclass(frozen=True)
class Said:
    """A message in words: one line of news, and a paragraph per incident."""

    headline: str
    paragraphs: tuple[str, ...]
    more: int = 0  # incidents that the body itself leaves out


def say(body: Body, language: Language) -> Said:
    """An event of an incident, a page, or a test."""
    data = body["data"]
    kind = str(body["type"])
    if kind == "page":
        return _page(data, language)
    if kind == "test":
        line = "测试消息：通道正常" if language == "zh" else "Test message: this channel works"
        return Said(line, ())
    name = kind.removeprefix("incident.")
    if language == "zh":
        told = f"【{_EVENTS_ZH.get(name, name)}】"
    else:
        told = f"[{name.replace('_', ' ')}] "
    return Said(told + _title(data), (_incident(data, {}, language),))


def text(bodies: Sequence[Body], language: Language, limit: int) -> str:
    """Everything that fits into `limit` bytes of UTF-8, whole paragraphs, the first ones first,
    and how much was left out."""
    said = [say(body, language) for body in bodies]
    pieces = [piece for one in said for piece in (one.headline, *one.paragraphs)]
    hidden = sum(one.more for one in said)
    for kept in range(len(pieces), 0, -1):
        left_out = hidden + len(pieces) - kept
        tail = [_MORE[language].format(n=left_out)] if left_out else []
        whole = "\n".join([*pieces[:kept], *tail])
        if len(whole.encode()) <= limit:
            return whole
    return cut(pieces[0], limit)


def cut(words: str, limit: int) -> str:
    """The words within `limit` bytes of UTF-8, no character broken."""
    raw = words.encode()
    if len(raw) <= limit:
        return words
    return raw[: limit - 3].decode("utf-8", "ignore") + "…"


def _page(data: Mapping[str, Any], language: Language) -> Said:
    reasons = _REASONS_ZH if language == "zh" else _REASONS_EN
    reason = reasons.get(str(data.get("reason")), "")
    firing, resolved = data.get("firing", 0), data.get("resolved", 0)
    if language == "zh":
        headline = f"【一网值班】{reason}：{firing} 起待处置，{resolved} 起已处置"
    else:
        headline = f"[Yiwang on-call] {reason}: {firing} active, {resolved} resolved"
    links = data.get("links", {})
    paragraphs = tuple(
        f"■ {_title(one)}\n{_incident(one, links.get(str(one['id']), {}), language)}"
        for one in data["incidents"]
    )
    return Said(headline, paragraphs, int(data.get("more", 0)))


def _title(incident: Mapping[str, Any]) -> str:
    return " ".join(str(incident["title"]).split())


def _incident(data: Mapping[str, Any], links: Mapping[str, str], language: Language) -> str:
    chinese = language == "zh"
    state = _STATES[language].get(str(data["state"]), str(data["state"]))
    facts = [_PRIORITIES[language][int(data["priority"])], _GRADES[language][int(data["grade"])]]
    facts.append(state)
    if data.get("value") is not None and data.get("metric"):
        limit = "" if data.get("threshold") is None else f" / {data['threshold']:g}"
        facts.append(f"{data['metric']} {data['value']:g}{limit}")
    facts.append(("始于 " if chinese else "since ") + _moment(data["observed_at"]))
    lines = [" · ".join(facts)]
    foreseen = (data.get("caused_by") or {}).get("foreseen")
    if foreseen is not None:
        lines.append(foreseen[language])
    if data.get("deadline_at"):
        lines.append(("期限 " if chinese else "due ") + _moment(data["deadline_at"]))
    for name, label in (("acknowledge", "签收"), ("resolve", "反馈"), ("open", "查看")):
        if name in links:
            lines.append(f"{label if chinese else name}: {links[name]}")
    return "\n".join(lines)


def _moment(value: object) -> str:
    """Local time of the city: people on duty are there."""
    return f"{datetime.fromisoformat(str(value)).astimezone(_CITY):%m-%d %H:%M}"
