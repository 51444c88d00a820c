"""What the auditors say, as they say it, and what becomes of it."""

import json
from typing import Any

from deploy.audit import of_npm_audit, of_pip_audit, of_projects

NPM = {
    "auditReportVersion": 2,
    "vulnerabilities": {
        "left": {"severity": "high", "range": "<1.2"},
        "right": {"severity": "low", "range": "*"},
    },
    "metadata": {"dependencies": {"total": 40}},
}


def test_a_known_flaw_of_a_python_package_is_grave() -> None:
    flaw = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}
    packages = [{"name": "a", "version": "1.0", "vulns": [flaw]}, {"name": "b", "version": "1"}]
    report = of_pip_audit(json.dumps({"dependencies": packages, "fixes": []}), "")
    assert report.grave == ["a 1.0: PYSEC-1, mended in 2.0"]
    assert report.lines()[0] == "Python: 2 packages, known vulnerabilities: 1 grave, 0 mild"


def test_only_high_and_critical_ones_of_the_wall_are_grave() -> None:
    report = of_npm_audit(json.dumps(NPM), "")
    assert (report.grave, report.mild) == (["left <1.2: high"], ["right *: low"])
    assert report.packages == 40


def test_nothing_known_is_said_plainly() -> None:
    report = of_pip_audit('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', "")
    assert report.lines() == ["Python: 1 packages, known vulnerabilities: none"]


def test_an_index_that_tells_of_newest_releases_only_judges_those() -> None:
    flaw = {"id": "PYSEC-2", "fixed_in": ["2.1"], "aliases": ["CVE-2"]}
    told: list[dict[str, Any]] = [
        {"info": {"version": "2.0"}, "vulnerabilities": [flaw]},
        {"info": {"version": "1.0"}, "vulnerabilities": []},
        {"info": {"version": "9.0"}, "vulnerabilities": [flaw]},
        {},
    ]
    locked = [("a", "2.0"), ("b", "1.0"), ("c", "1.0"), ("d", "1.0")]
    report = of_projects(locked, told)
    assert report.grave == ["a 2.0: PYSEC-2, mended in 2.1"]
    assert (report.packages, report.unjudged) == (2, ["c 1.0", "d 1.0"])
    assert report.lines()[-1] == "  2 NOT AUDITED: c 1.0, d 1.0"


def test_a_registry_that_cannot_be_asked_is_told_and_is_no_all_clear() -> None:
    broken = "Traceback\nrequests.exceptions.ConnectionError: no route"
    refused = json.dumps({"message": "request to https://registry failed: ENOTFOUND"})
    for report in (of_pip_audit("", broken), of_npm_audit(refused, ""), of_npm_audit("", "")):
        assert report.not_asked
        assert "NOT AUDITED" in report.lines()[0]
    assert "no route" in of_pip_audit("", broken).not_asked
    assert "ENOTFOUND" in of_npm_audit(refused, "").not_asked
