"""The examples for Strimzi and CloudNativePG are what these operators' own definitions take.

The definitions come with the operators alone and are not kept here: name a folder of their files
(`YIWANG_TEST_CRDS`; docs/deployment.md says which) and the examples are held to them.
"""

import os
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.unit.deploy.test_kubernetes import documents, names

NAMED = os.environ.get("YIWANG_TEST_CRDS")
EXAMPLES = list(documents("examples/*.yaml"))


def closed(schema: Any) -> Any:
    """As an API server with strict field validation: what a schema does not name is an error."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: closed(value) for key, value in schema.items()}
    open_to_all = schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and not open_to_all:
        strict.setdefault("additionalProperties", False)
    return strict


@cache
def definitions() -> list[dict[str, Any]]:
    texts = [file.read_text(encoding="utf-8") for file in sorted(Path(NAMED or "").glob("*.yaml"))]
    found = [each for text in texts for each in yaml.load_all(text, yaml.CSafeLoader)]
    return [each["spec"] for each in found if each and each["kind"] == "CustomResourceDefinition"]


def schema_of(document: dict[str, Any]) -> dict[str, Any]:
    """Of the version that the document names, which the operator must still serve."""
    group, _, version = document["apiVersion"].partition("/")
    for spec in definitions():
        if (spec["group"], spec["names"]["kind"]) != (group, document["kind"]):
            continue
        known = {each["name"]: each for each in spec["versions"] if each["served"]}
        assert version in known, f"{document['kind']} is served as {sorted(known)}"
        schema: dict[str, Any] = closed(known[version]["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"type": "object"}
        return schema
    raise AssertionError(f"no file in {NAMED} defines {document['kind']} of {group}")


@pytest.mark.skipif(NAMED is None, reason="NO OPERATORS' DEFINITIONS: YIWANG_TEST_CRDS names none")
@pytest.mark.parametrize("document", EXAMPLES, ids=names)
def test_an_example_is_what_its_operator_takes(document: dict[str, Any]) -> None:
    jsonschema.Draft7Validator(schema_of(document)).validate(document)


@pytest.mark.skipif(NAMED is None, reason="NO OPERATORS' DEFINITIONS: YIWANG_TEST_CRDS names none")
def test_a_field_that_an_operator_does_not_know_is_refused() -> None:
    wrong = yaml.safe_load(yaml.safe_dump(EXAMPLES[0]))
    wrong["spec"]["replica"] = 3
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema_of(wrong)).validate(wrong)


def test_what_a_schema_does_not_name_is_an_error_unless_it_says_so() -> None:
    schema = {"properties": {"a": {"properties": {"b": {}}}, "c": {
        "properties": {}, "x-kubernetes-preserve-unknown-fields": True}}}  # fmt: skip
    check = jsonschema.Draft7Validator(closed(schema))
    assert check.is_valid({"a": {"b": 1}, "c": {"x": 1}})
    assert not check.is_valid({"a": {"x": 1}})
