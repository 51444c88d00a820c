"""Tests of a draft over HTTP: what it makes of readings that somebody writes down."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from services.alerts.rehearsal import cases
from services.alerts.rehearsal.cases import Written, sent
from services.alerts.rehearsal.trial import play, raised
from services.alerts.rules import body
from services.alerts.rules.numbered import Fault
from services.alerts.rules.rule import Rule
from shared.web.auth import require_role
from shared.web.identity import Identity
from shared.web.problems import Problem

Admin = Annotated[Identity, Depends(require_role("admin"))]
MAX_READINGS = 20_000
EXAMPLE: dict[str, Any] = {
    "rule": body.EXAMPLE,
    "tests": 'tests:\n- {name: a flood, series: {"gauge-1 water.level": "7x2 8.6x4 7x2"}}\n',
}


class TrialBody(BaseModel):
    """`rule`: a rule as an object, or as YAML. `tests`: the text of a test file (docs/rules.md)."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    rule: dict[str, Any] | Annotated[str, Field(max_length=body.MAX_BYTES)]
    tests: Annotated[str, Field(max_length=body.MAX_BYTES)]


class RaisedAlert(BaseModel):
    """An alert that a test has led to; seconds after the test's start, `end`: null while it
    stands."""

    subject: str
    start_seconds: int
    end_seconds: int | None


class Difference(BaseModel):
    """What a test expected otherwise, as `python -m services.alerts test` prints it."""

    line: int
    what: str
    difference: list[str]


class TestOutcome(BaseModel):
    """One test."""

    name: str
    passed: bool
    failures: list[Difference]
    raised: list[RaisedAlert]


class TrialAnswer(BaseModel):
    """Every test of the file, in its order."""

    passed: int
    failed: int
    items: list[TestOutcome]


def trial_router() -> APIRouter:
    """`/v1/rules/test`."""
    router = APIRouter(prefix="/v1/rules", tags=["rules"])

    @router.post("/test", summary="Play tests to a draft")
    async def test_rule(_: Admin, asked: TrialBody) -> TrialAnswer:
        """Nothing is read from the database and nothing is written. At most 20,000 readings."""
        rule = _rule(asked.rule)
        written = _written(asked.tests)
        items = await asyncio.to_thread(lambda: list(_outcomes(written, rule)))
        passed = sum(one.passed for one in items)
        return TrialAnswer(passed=passed, failed=len(items) - passed, items=items)

    return router


def _rule(given: dict[str, Any] | str) -> Rule:
    if isinstance(given, str):
        return body.parsed(given, is_json=False).rule
    return body.parsed(body.to_json(given), is_json=True).rule


def _written(text: str) -> Written:
    written = cases.parse(text)
    if isinstance(written, Fault):
        raise Problem(422, "Invalid tests", written.detail, code="invalid_tests",
                      pointer="/tests", line=written.line)  # fmt: skip
    readings = sum(len(samples) for case in written.model.tests for _, _, samples in sent(case))
    if readings > MAX_READINGS:
        detail = f"/tests: {readings} readings; at most {MAX_READINGS}"
        raise Problem(422, "Invalid tests", detail, code="too_large", pointer="/tests")
    return written


def _outcomes(written: Written, rule: Rule) -> Iterator[TestOutcome]:
    for case, failures in play(written, [rule]):
        differences = [
            Difference(line=one.line, what=one.what, difference=list(one.difference))
            for one in failures
        ]
        found = [
            RaisedAlert(subject=key[1], start_seconds=start, end_seconds=end)
            for key, start, end in raised(case, [rule])
        ]
        yield TestOutcome(
            name=case.name, passed=not differences, failures=differences, raised=found
        )
