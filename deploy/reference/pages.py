"""The reference as Markdown pages: HTTP by subject, its types, and the topics and sockets. Pure.

Generators that exist make one page of one document and know HTTP or AsyncAPI; both are JSON Schema,
and what is left is a table, so this is the smaller part.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from deploy.reference.words import anchor, code, members, prose, table, type_of

Document = Mapping[str, Any]

TYPES, TOPICS, INDEX = "types.md", "topics.md", "README.md"
_MADE = "<!-- made by: make reference -->"
_HEAD = (
    "Made from `/openapi.json` and `/asyncapi.json`, which the platform serves itself; to try"
    " requests: `/docs`.",
    "Who may ask what: [access.md](../access.md). Every refusal is a"
    f" [Problem]({TYPES}#problem) (RFC 9457).",
    f"Types: [{TYPES}]({TYPES}). Topics and sockets: [{TOPICS}]({TOPICS}).",
)
_DEFAULT_ANSWER = "Successful Response"  # the framework's, where a route says nothing


def pages(openapi: Document, asyncapi: Document) -> dict[str, str]:
    """Name of the file → its text."""
    subjects: dict[str, list[tuple[str, str, Document]]] = {}
    for path, operations in openapi["paths"].items():
        for method, one in operations.items():
            subjects.setdefault(one.get("tags", ["other"])[0], []).append((method, path, one))
    names = {subject: f"http-{anchor(subject)}.md" for subject in sorted(subjects)}
    made = {names[subject]: _subject(subject, subjects[subject]) for subject in names}
    made[TYPES] = _types("Types of the HTTP interface", openapi["components"]["schemas"])
    made[TOPICS] = _topics(asyncapi)
    made[INDEX] = _index(names, subjects, asyncapi)
    return {name: "\n".join([_MADE, *lines]).rstrip() + "\n" for name, lines in made.items()}


def _index(
    names: Mapping[str, str],
    subjects: Mapping[str, list[tuple[str, str, Document]]],
    asyncapi: Document,
) -> list[str]:
    lines = ["# API reference", "", *_HEAD, ""]
    for subject, name in names.items():
        lines += [f"## [{subject}]({name})", ""]
        rows = [
            [f"[`{method.upper()} {path}`]({name}#{_place(method, path)})", _summary(one)]
            for method, path, one in subjects[subject]
        ]
        lines += [*table(("request", "what"), rows), ""]
    channels = [
        [f"[`{one['address']}`]({TOPICS}#{anchor(one['address'])})", _first(one["description"])]
        for one in asyncapi["channels"].values()
    ]
    return [*lines, f"## [topics and sockets]({TOPICS})", "", *table(("channel", "what"), channels)]


def _subject(subject: str, operations: list[tuple[str, str, Document]]) -> list[str]:
    lines = [f"# {subject[:1].upper()}{subject[1:]}", ""]
    for method, path, one in operations:
        lines += _operation(method, path, one)
    return lines


def _operation(method: str, path: str, one: Document) -> Iterator[str]:
    yield from (f"## {method.upper()} {path}", "")
    summary, said = _summary(one), prose(one.get("description", ""))
    if not " ".join(said.split()).startswith(summary):
        yield from (summary, "")
    if said:
        yield from (said, "")
    if one.get("parameters"):
        rows = [_parameter(each) for each in one["parameters"]]
        yield from (*table(("parameter", "in", "value", "default", "meaning"), rows), "")
    for media, content in one.get("requestBody", {}).get("content", {}).items():
        yield from (f"Body, `{media}`: {_type(content)}", "")
    rows = [row for status, answer in one["responses"].items() for row in _answer(status, answer)]
    yield from (*table(("answer", "as", "body", "meaning"), rows), "")


def _summary(one: Document) -> str:
    """Where a route has none, the framework makes one of its function's name: then what the
    description says first."""
    summary = str(one.get("summary", ""))
    named = one.get("operationId", "").startswith(summary.lower().replace(" ", "_"))
    said = _first(one.get("description", ""))
    return said if named and said else summary


def _parameter(one: Document) -> list[str]:
    schema = one.get("schema", {})
    needed = "needed" if one.get("required") else ""
    default = needed or ("" if schema.get("default") is None else code(schema["default"]))
    return [
        code(one["name"]),
        one["in"],
        type_of(schema, TYPES),
        default,
        one.get("description", ""),
    ]


def _answer(status: str, answer: Document) -> Iterator[list[str]]:
    if status == "default":
        return
    for media, content in (answer.get("content") or {"": {}}).items():
        kind = _type(content) if content.get("schema") else ""
        said = answer.get("description", "")
        yield [
            status, f"`{media}`" if media else "", kind, "" if said == _DEFAULT_ANSWER else said
        ]  # fmt: skip


def _type(content: Document) -> str:
    return type_of(content.get("schema", {}), TYPES)


def _types(title: str, schemas: Mapping[str, Document], level: str = "##") -> list[str]:
    lines = [f"{level[1:]} {title}", ""]
    for name, schema in sorted(schemas.items()):
        lines += [f"{level} {name}", ""]
        if schema.get("description"):
            lines += [prose(schema["description"]), ""]
        own = list(members(schema, ""))
        lines += own or [type_of(schema, ""), ""]
    return lines


def _topics(asyncapi: Document) -> list[str]:
    lines = ["# Topics and sockets", "", asyncapi["info"]["description"], ""]
    for one in asyncapi["channels"].values():
        lines += [f"## {one['address']}", "", prose(one["description"]), ""]
        lines += _messages(one, asyncapi)
    return [*lines, *_types("Types", asyncapi["components"]["schemas"], "###")]


def _messages(channel: Document, asyncapi: Document) -> Iterator[str]:
    """Who sends what: what the platform receives is sent by others."""
    ways = {"receive": "you send", "send": "you get"}
    for operation in asyncapi["operations"].values():
        name = operation["channel"]["$ref"].rpartition("/")[2]
        if asyncapi["channels"][name] is not channel:
            continue
        links = [type_of(message, "") for message in operation["messages"]]
        yield from (f"**{ways[operation['action']]}**: {', '.join(links)}", "")


def _place(method: str, path: str) -> str:
    return anchor(f"{method.upper()} {path}")


def _first(text: str) -> str:
    return " ".join(text.strip().split("\n\n")[0].split())
