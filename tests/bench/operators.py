"""Operators of `console_flood`: what each does with the incidents that are given to him."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from shared.clock import monotonic
from tests.bench import report, rows

AT_ONCE = 6  # commands, as the console sends them for what is ticked
SPECIAL_EVERY = 8  # incidents: of each kind of the rarer actions
Steps = tuple[tuple[str, dict[str, Any]], ...]
DISPATCH = {"department": "燃气公司", "note": "派人关阀"}
SHORT: Steps = (
    ("acknowledge", {}),
    ("dispatch", DISPATCH),
    ("start", {}),
    ("resolve", {"note": "已关闭"}),
    ("close", {"note": "核查合格"}),
)
LONG: Steps = (
    ("acknowledge", {}),
    ("comment", {"note": "现场有异味"}),
    ("regrade", {"grade": 3, "note": "无人员聚集"}),
    ("dispatch", DISPATCH),
    ("start", {}),
    ("transfer", {"department": "应急管理局", "note": "需要疏散"}),
    ("start", {}),
    ("resolve", {"note": "已关闭"}),
    ("reopen", {"note": "浓度回升"}),
    ("assign", {"department": "燃气公司"}),
    ("close", {"note": "核查合格"}),
)


@dataclass
class Flood:
    """Seconds per kind of action and per read; versions that were accepted, per incident."""

    actions: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    reads: list[float] = field(default_factory=list)
    accepted: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    contested: int = 0
    told: int = 0
    untold: int = 0
    opened: int = 0
    lost: int = 0

    @property
    def slowest(self) -> float:
        """p95 of the slowest kind, in milliseconds."""
        return max(self.by_action().values())

    def by_action(self) -> dict[str, float]:
        """p95 of each kind, in milliseconds."""
        return {
            kind: report.rounded(report.percentile(seconds, 0.95) * 1_000)
            for kind, seconds in sorted(self.actions.items())
        }


@dataclass(frozen=True)
class Row:
    """An incident as the queue shows it: the version is what the socket said of it last."""

    incident: str
    version: int


class Operator:
    """Somebody who works off what is given to him, and now and then does something else."""

    def __init__(self, client: httpx.AsyncClient, flood: Flood, names: Sequence[str]) -> None:
        self.queue = asyncio.Queue[Row | None]()
        self._client = client
        self._flood = flood
        self._names = names
        self._taken = 0
        self._twin: Row | None = None

    async def work(self) -> None:
        """Until there is nothing any more (None)."""
        while row := await self.queue.get():
            self._taken += 1
            match self._taken % SPECIAL_EVERY:
                case 1:
                    await self._silence()
                case 2:
                    await self._report()
                case 3:
                    self._twin = row
                    continue
                case 4 if self._twin is not None:
                    await self._merge(self._twin.incident, row.incident)
                case 6:
                    await self._several(row)
            await self._loop(row, LONG if self._taken % 4 == 0 else SHORT)

    async def _loop(self, row: Row, steps: Steps) -> None:
        await self._read(row.incident)
        version = row.version
        for command, words in steps:
            changed = await self._command(row.incident, command, version, words)
            if changed is None:  # somebody else has it: a person would go on
                return
            version = changed

    async def _read(self, incident: str) -> int:
        began = monotonic()
        found = (await self._client.get(f"/v1/incidents/{incident}")).raise_for_status().json()
        self._flood.reads.append(monotonic() - began)
        return int(found["version"])

    async def _command(
        self, incident: str, command: str, version: int, words: dict[str, Any], kind: str = ""
    ) -> int | None:
        """The version after it; None: somebody was first."""
        body = words | {"version": version}
        answer = await self._send(kind or command, f"/v1/incidents/{incident}/{command}", body)
        if answer.status_code == 409:
            said = answer.json().get("incident") or {}
            newer = int(said.get("version", 0))
            if command == "acknowledge" and newer > version and said["state"] == "open":
                # Only the alert moved: the console sends it again by itself.
                return await self._command(incident, command, newer, words, kind)
            self._flood.told += newer >= version
            self._flood.untold += newer < version
            return None
        changed = answer.raise_for_status().json()
        if command != "merge":
            self._flood.accepted[incident].append(int(changed["version"]))
        return int(changed.get("version", 0))

    async def _merge(self, twin: str, into: str) -> None:
        words = {"into": into, "note": "同一处泄漏"}
        await self._command(twin, "merge", await self._read(twin), words)

    async def _silence(self) -> None:
        matchers = {"rule": ["gas-leak"], "subject": [self._names[self._taken]]}
        await self._send("preview", "/v1/silences/preview", {"matchers": matchers})
        until = (rows.now() + timedelta(hours=1)).isoformat()
        body = {"matchers": matchers, "until": until, "reason": "已派人"}
        (await self._send("silence", "/v1/silences", body)).raise_for_status()

    async def _report(self) -> None:
        body = {
            "category": "manhole", "text": "井盖松动", "reporter": "hotline",
            "place": {"lon": 112.48, "lat": 23.07},
        }  # fmt: skip
        (await self._send("report", "/v1/reports", body)).raise_for_status()

    async def _several(self, row: Row) -> None:
        """The same command for what is ticked: what waits, as far as it does."""
        waiting: list[Row | None] = [row]
        while len(waiting) < AT_ONCE and not self.queue.empty():
            waiting.append(self.queue.get_nowait())
        ticked = [one.incident for one in waiting if one is not None]
        versions = await asyncio.gather(*(self._read(one) for one in ticked))
        done = zip(ticked, versions, strict=True)
        await asyncio.gather(
            *(self._command(one, "comment", at, {"note": "已知悉"}, "bulk") for one, at in done)
        )
        for one in waiting[1:]:
            self.queue.put_nowait(one)

    async def _send(self, kind: str, path: str, body: dict[str, Any]) -> httpx.Response:
        began = monotonic()
        answer = await self._client.post(path, json=body)
        self._flood.actions[kind].append(monotonic() - began)
        return answer
