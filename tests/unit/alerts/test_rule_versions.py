"""Which of a rule's file and its edits counts."""

from services.alerts.rules.files import Found, RuleError, parse
from services.alerts.rules.versions import Change, Standing, Version, from_files, overridden

TEXT = """- id: gas
  title: {zh: 燃气, en: gas}
  metric: gas.concentration
  above: 20
  grade: 2
  priority: 1
"""


def found(text: str = TEXT) -> list[Found]:
    rules, errors = parse(text, "a.yaml")
    assert errors == []
    return rules


def kept(change: Change, version: int) -> Version:
    return Version(**vars(change), version=version, change=version)


def taken_in(text: str = TEXT) -> Standing:
    [change] = from_files(found(text), [], {})
    first = kept(change, 1)
    return Standing(first, first)


def edited(standing: Standing, **changed: object) -> Standing:
    document = {**standing.current.document, **changed}
    change = Change("gas", document, True, "api", "admin-1", note="why")
    return Standing(kept(change, standing.current.version + 1), standing.from_file)


def test_a_file_that_says_the_same_changes_nothing_however_it_is_written() -> None:
    known = {"gas": taken_in()}
    assert from_files(found(), [], known) == []
    rewritten = "# why\n" + TEXT.replace("above: 20", "above: 20.0\n  deadband: 0\n  for: 0s")
    assert from_files(found(rewritten), [], known) == []


def test_a_file_that_says_something_else_is_a_new_version() -> None:
    [change] = from_files(found(TEXT.replace("20", "25")), [], {"gas": taken_in()})
    assert (change.source, change.file, change.document["above"]) == ("file", "a.yaml", 25)
    [off] = from_files(found(TEXT + "  enabled: false\n"), [], {"gas": taken_in()})
    assert off.enabled is False


def test_an_edit_counts_until_the_file_changes() -> None:
    known = edited(taken_in(), above=30)
    assert from_files(found(), [], {"gas": known}) == []
    assert overridden(known) == "a.yaml"
    [change] = from_files(found(TEXT.replace("20", "25")), [], {"gas": known})
    assert change.document["above"] == 25
    assert overridden(edited(known, above=20)) == ""  # says what the file says


def test_what_was_retired_by_a_person_stays_retired_until_the_file_changes() -> None:
    standing = taken_in()
    gone = Change("gas", standing.current.document, True, "api", "admin-1", retired=True)
    known = {"gas": Standing(kept(gone, 2), standing.from_file)}
    assert from_files(found(), [], known) == []
    [back] = from_files(found(TEXT.replace("20", "25")), [], known)
    assert back.retired is False


def test_a_rule_that_left_its_file_is_retired_unless_it_was_edited_or_the_file_is_wrong() -> None:
    standing = taken_in()
    [gone] = from_files([], [], {"gas": standing})
    assert (gone.rule_id, gone.retired, gone.source) == ("gas", True, "file")
    assert from_files([], [RuleError("a.yaml", 3, "a slip")], {"gas": standing}) == []
    assert len(from_files([], [RuleError("b.yaml", 3, "a slip")], {"gas": standing})) == 1
    assert from_files([], [], {"gas": edited(standing, above=30)}) == []
    retired = Standing(kept(gone, 2), kept(gone, 2))
    assert from_files([], [], {"gas": retired}) == []
    [back] = from_files(found(), [], {"gas": retired})
    assert back.retired is False
