"""The operator's handbook says what the pages say: their words, their keys, its pictures."""

import re
from pathlib import Path

import pytest

from tests.e2e.album import FOLDER, LANGUAGES, LARGEST_BYTES, named_in
from tests.product import ROOT

SOURCES = ROOT / "services" / "ops_center" / "wall" / "src"
PAGES = {
    language: (ROOT / "docs" / f"handbook.{language}.md").read_text(encoding="utf-8")
    for language in LANGUAGES
}
QUOTED = {"zh": re.compile(r"「([^」]+)」"), "en": re.compile(r"“([^”]+)”")}
TABLE = re.compile(r"^(?:export )?const (zh|en|\w+Zh|\w+En)\b[^=]*= \{(.*?)^\};", re.M | re.S)
PARTS = re.compile(r"\{\w+\}| · |[，：:(（]")  # what stands between is a piece of its own
KBD = re.compile(r"`([^`]+)`")
SHOWN_KEYS = re.compile(r'\["([^"]+)", (?:t|w)\("|\["([^"]+)", "key_|spec\("\w+", .*?, "(\w)", "')


def texts(language: str) -> set[str]:
    """Every text of the pages in a language, whole and in the pieces that values stand between."""
    found: set[str] = set()
    for source in SOURCES.rglob("*.ts"):
        for name, body in TABLE.findall(source.read_text(encoding="utf-8")):
            if name.lower().endswith(language):
                found |= set(re.findall(r': "((?:[^"\\]|\\.)*)"', body))
    pieces = {piece.strip() for text in found for piece in PARTS.split(text)}
    return found | pieces - {""}


def keys() -> set[str]:
    """What the help of wall and console shows as keys, and the digits of the pages."""
    files = ("console/Help.tsx", "console/commands.ts", "wall/Help.tsx")
    sources = "\n".join((SOURCES / name).read_text(encoding="utf-8") for name in files)
    shown = [key for found in SHOWN_KEYS.findall(sources) for key in found if key]
    return {one.upper() for key in shown for one in re.split(r" / | ", key)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_it_quotes_is_on_a_page(language: str) -> None:
    quoted = QUOTED[language].findall(PAGES[language])
    assert len(quoted) > 60
    assert sorted(set(quoted) - texts(language) - {"…"}) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_it_names_is_in_the_pages_help(language: str) -> None:
    named = {key.upper() for key in KBD.findall(PAGES[language])}
    assert named - keys() - {"/CONSOLE", "KEY", "键"} == set()
    assert len(named & keys()) > 30


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_picture_is_there_and_small(language: str) -> None:
    for name in named_in(language):
        assert name.endswith(f"-{language}")
        assert 0 < size_of(FOLDER / f"{name}.webp") <= LARGEST_BYTES, name


def test_no_picture_is_left_over_and_both_languages_show_the_same() -> None:
    shown = {language: named_in(language) for language in LANGUAGES}
    kept = sorted(file.stem for file in FOLDER.glob("*"))
    assert kept == sorted(name for names in shown.values() for name in names)
    plain = [[name.rsplit("-", 1)[0] for name in names] for names in shown.values()]
    assert plain[0] == plain[1]


def test_both_languages_have_the_same_chapters() -> None:
    chapters = [re.findall(r"^(#+|\||!|\d\.|- )", page, re.MULTILINE) for page in PAGES.values()]
    assert chapters[0] == chapters[1]


def size_of(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
