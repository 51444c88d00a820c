"""What every answer tells a browser: no inline code, no guessing, no framing by others."""

import re

import httpx

from shared.web.security import style_source
from tests.integration.access.city import City

PAGES = ("/", "/console", "/docs", "/v1/links/nonsense")
STYLE = re.compile(r"<style>(.*?)</style>", re.S)
INLINE = re.compile(r"<script(?![^>]*\ssrc=)|\son\w+=|\sstyle=|javascript:", re.I)


def policy(answer: httpx.Response) -> dict[str, str]:
    parts = answer.headers["content-security-policy"].split("; ")
    return dict(part.split(" ", 1) for part in parts)


async def test_every_answer_is_strict(everything: City) -> None:
    routes = [path for method, path in everything.routes if method == "GET"]
    assert len(routes) > 50
    for path in [*routes, "/v1/nothing"]:
        answer = await everything.client.get(everything.address("GET", path))
        rules = policy(answer)
        assert "unsafe" not in answer.headers["content-security-policy"], path
        assert rules["default-src"] in ("'none'", "'self'"), path
        assert rules["frame-ancestors"] in ("'none'", "'self'"), path
        assert rules["base-uri"] == "'none'", path
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert answer.headers["referrer-policy"] == "no-referrer", path
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"]), path
        assert "strict-transport-security" not in answer.headers, path


async def test_pages_have_no_code_or_style_that_their_policy_does_not_name(
    everything: City,
) -> None:
    for path in PAGES:
        answer = await everything.client.get(path, headers={"Accept": "text/html"})
        assert answer.headers["content-type"].startswith("text/html")
        assert not INLINE.search(answer.text), path
        for css in STYLE.findall(answer.text):
            assert style_source(css) in policy(answer)["style-src"], path


async def test_behind_https_it_stays_https(everything: City) -> None:
    answer = await everything.client.get("/", headers={"X-Forwarded-Proto": "https"})
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")


async def test_requests_have_ids_of_their_own(everything: City) -> None:
    ids = {(await everything.client.get("/livez")).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
