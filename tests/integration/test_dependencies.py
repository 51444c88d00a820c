"""Dependencies over HTTP."""

from tests.integration.test_alerts_http import House

PLACE = "/v1/dependencies"
CHAIN = [{"upstream": "substation", "downstream": "pump-*"},
         {"upstream": "pump-1", "downstream": "gauge-1", "note": "主泵"}]  # fmt: skip


async def test_dependencies_are_replaced_as_a_whole_and_a_circle_is_refused(house: House) -> None:
    status, made = await house.call("PUT", PLACE, {"items": CHAIN}, "admin")
    assert status == 200
    assert [(one["upstream"], one["downstream"], one["created_by"]) for one in made["items"]] == [
        ("pump-1", "gauge-1", "admin-1"), ("substation", "pump-*", "admin-1"),
    ]  # fmt: skip
    circle = [*CHAIN, {"upstream": "gauge-1", "downstream": "substation"}]
    status, problem = await house.call("PUT", PLACE, {"items": circle}, "admin")
    assert (status, problem["code"]) == (422, "circle")
    assert "gauge-1" in problem["detail"] and "substation" in problem["detail"]
    for wrong in (
        [*CHAIN, CHAIN[0]],
        [{"upstream": "a"}],
        [{"upstream": "[a]", "downstream": "b"}],
    ):
        assert (await house.call("PUT", PLACE, {"items": wrong}, "admin"))[0] == 422
    assert (await house.call("GET", PLACE))[1]["items"] == made["items"]
    assert (await house.call("PUT", PLACE, {"items": []}, "admin"))[1]["items"] == []


async def test_only_an_admin_changes_dependencies(house: House) -> None:
    for who, read, write in (("viewer", 200, 403), ("dispatcher", 200, 403), ("", 401, 401)):
        assert (await house.call("GET", PLACE, who=who))[0] == read
        assert (await house.call("PUT", PLACE, {"items": []}, who))[0] == write
