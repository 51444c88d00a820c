"""The reference says what the services say of themselves."""

import re

from deploy.reference.__main__ import FOLDER
from deploy.reference.pages import pages
from deploy.reference.words import anchor
from services.ingest import asyncapi
from tests.integration.access.city import City

LINK = re.compile(r"\]\(([\w.-]*)#([^)]+)\)")


async def test_the_reference_is_what_the_services_serve(everything: City) -> None:
    made = pages(everything.document, asyncapi.document())
    kept = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert sorted(kept) == sorted(made)
    stale = [name for name, text in made.items() if kept[name] != text]
    assert not stale, "run `make reference`"


def test_every_link_within_the_reference_leads_somewhere() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    places = {
        name: {anchor(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
        for name, text in texts.items()
    }
    lost = [
        (name, page, place)
        for name, text in texts.items()
        for page, place in LINK.findall(text)
        if place not in places.get(page or name, set())
    ]
    assert not lost
