"""Every route of every service, asked what its OpenAPI document allows and what it does not, by
everybody: the answers are what the document says, and none is a failure or shows our insides."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.store.engine import make_engine
from tests.fuzz.insides import insides_of
from tests.integration.access.city import invite
from tests.integration.access.table import ACTORS
from tests.product import Product
from tests.scratch import fresh_city

EXAMPLES = int(os.environ.get("YIWANG_FUZZ_EXAMPLES", "8"))  # of each operation
CHECKS = (
    status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
)  # fmt: skip
LAST = ("DELETE", "/v1/session")
BUSY = 503  # the one failure that is meant


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    made = Product(tmp_path_factory.mktemp("city")).start()
    yield made
    made.stop()


@dataclass
class Inquiry:
    """What was asked, and what was wrong with the answers."""

    url: str
    known: Mapping[str, str] = field(default_factory=dict)  # parameter of a path → what there is
    session: requests.Session = field(default_factory=requests.Session)
    statuses: Counter[int] = field(default_factory=Counter)
    asked: set[tuple[str, str]] = field(default_factory=set)
    complaints: dict[str, str] = field(default_factory=dict)

    def ask(self, case: "schemathesis.Case[Any]", who: str, of_what_there_is: bool) -> None:
        """One request."""
        if of_what_there_is:
            there_is = {
                name: self.known[name] for name in case.path_parameters if name in self.known
            }
            case.path_parameters |= there_is
        if who != "nobody":
            case.headers["Authorization"] = f"Bearer {who}"
        try:
            answer = case.call(session=self.session, base_url=self.url, timeout=60)
        except requests.RequestException as error:
            self._complain(case, who, f"no answer: {type(error).__name__}", str(error))
            return
        self.statuses[answer.status_code] += 1
        self.asked.add((case.operation.method.upper(), case.operation.path))
        checks = CHECKS if answer.status_code == BUSY else (not_a_server_error, *CHECKS)
        try:
            case.validate_response(answer, checks=list(checks))
        except FailureGroup as group:
            for failure in group.exceptions:
                self._complain(case, who, f"{answer.status_code} {failure.title}", failure.message)
        shown = insides_of(answer.content) if answer.status_code >= 400 else ""
        if shown:
            self._complain(case, who, f"{answer.status_code} shows {shown}", answer.text[:300])

    def _complain(self, case: "schemathesis.Case[Any]", who: str, kind: str, detail: str) -> None:
        where = f"{case.operation.method.upper()} {case.operation.path}: {kind}"
        asked = case.as_curl_command()[:600]
        self.complaints.setdefault(where, f"{where}\n  as {who}: {detail[:500]}\n  {asked}")


async def test_answers_are_what_the_document_says(product: Product) -> None:
    await everybody(product.database_url())
    inquiry = Inquiry(product.url, known_in(product))
    asked = ask_everything(inquiry, EXAMPLES)
    print(dict(sorted(inquiry.statuses.items())))
    assert not inquiry.complaints, "\n\n".join(inquiry.complaints.values())
    assert asked > 100
    assert {200, 201, 204, 401, 403, 404, 422} <= set(inquiry.statuses)
    assert "Traceback" not in product.log.read_text()


async def test_so_they_are_of_each_process_with_a_database_role_of_its_own(
    tmp_path: Path, database_server: str, kafka_bootstrap: str
) -> None:
    with fresh_city(tmp_path / "city", database_server, kafka_bootstrap) as shape:
        await everybody(shape.database_url)
        complaints: list[str] = []
        for process in ("gateway", "alerts", "ops_center"):
            inquiry = Inquiry(shape.url(process))
            assert ask_everything(inquiry, ceil(EXAMPLES / 2)) > 20
            complaints += inquiry.complaints.values()
        printed = {process: shape.log(process) for process in shape.running}
    assert not complaints, "\n\n".join(complaints)
    for process, lines in printed.items():
        assert "permission denied" not in lines, (process, lines[-3000:])
        assert "Traceback" not in lines, (process, lines[-3000:])


def known_in(product: Product) -> dict[str, str]:
    """A sensor, a metric, a rule, an incident."""
    headers = {"Authorization": "Bearer admin"}
    with product.client() as poster, httpx.Client(base_url=product.url, headers=headers) as admin:
        sensor = {"metrics": ["water.level"], "location": {"lon": 112.47, "lat": 23.05}}
        poster.put("/v1/sensors/gauge-1", json=sensor).raise_for_status()
        rules = admin.get("/v1/rules").raise_for_status().json()["items"]
        report = {"category": "flooding", "text": "x", "area_id": "441202", "reporter": "hotline"}
        made = admin.post("/v1/reports", json=report).raise_for_status().json()
    return {"sensor_id": "gauge-1", "code": "water.level", "rule_id": rules[0]["id"],
            "incident_id": made["incident"]["id"], "door": "ngsi"}  # fmt: skip


async def everybody(database_url: str) -> None:
    """Has a token."""
    engine = make_engine(database_url)
    await invite(engine)
    await engine.dispose()


def ask_everything(inquiry: Inquiry, examples: int) -> int:
    """How many operations were asked: all that the document has."""
    schema = schemathesis.openapi.from_url(f"{inquiry.url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    operations.sort(key=lambda one: (one.method.upper(), one.path) == LAST)
    for operation in operations:
        _fuzz(inquiry, operation, examples)
    assert len(inquiry.asked) == len(operations)
    return len(operations)


def _fuzz(inquiry: Inquiry, operation: Any, examples: int) -> None:
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    @given(cases, st.sampled_from(("admin", "admin", *ACTORS)), st.booleans())
    def one(case: "schemathesis.Case[Any]", who: str, of_what_there_is: bool) -> None:
        inquiry.ask(case, who, of_what_there_is)

    one()
