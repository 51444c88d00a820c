"""From an incident to the person who must know: on the real engine, database and receivers."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import httpx
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.incidents.lifecycle import STEPS, Command, Wanted, step
from services.alerts.oncall.route import Route
from services.alerts.paging.watchdog import Findings, Watchdog
from services.alerts.rules.rule import Rule
from shared.clock import system_clock
from shared.contracts.incident import Incident
from shared.eventlog.log import EventLog
from shared.store.tables import escalations
from tests.integration.alerting import (
    RULE,
    Receiver,
    all_incidents,
    desk,
    gas,
    outgoing,
    person,
    play,
    repository,
    written,
)
from tests.integration.paging import PUBLIC, Night
from tests.waiting import eventually

CALM = RULE.model_copy(update={"priority": 2, "group_by": ("subject",)})


async def happen(
    engine: AsyncEngine, log: EventLog, rules: Sequence[Rule], *names: str, second: int = 0
) -> list[Incident]:
    """A reading that is wrong, of each of these sensors; all incidents afterwards."""
    before = await written(await repository(engine, log))
    await log.publish([outgoing([gas(second, 30, name)]) for name in names])
    await play(engine, log, before + len(names), rules)
    return await all_incidents(engine)


async def take(
    engine: AsyncEngine, incident: Incident, command: Command = Command.ACKNOWLEDGE
) -> None:
    done = await desk(engine).command(
        incident.id,
        lambda found: step(found, command, system_clock(), Wanted("seen")),
        person("li"),
        STEPS[command],
        "seen",
    )
    assert isinstance(done, Incident)


async def test_priority_one_is_told_at_once_and_goes_on_to_the_next(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    night = await Night(engine).begin()
    [incident] = await happen(engine, event_log, [RULE], "a")
    await night.look()
    [page] = await night.pages()
    assert (page["person"], page["data"]["reason"]) == ("li", "new")
    assert page["data"]["incidents"][0]["id"] == str(incident.id)
    links = page["data"]["links"][str(incident.id)]
    assert links["open"] == f"{PUBLIC}/console#incidents/{incident.id}"
    assert links["acknowledge"].startswith(f"{PUBLIC}/v1/links/")
    await night.look(4 * 60)
    assert len(await night.pages()) == 1
    await night.look(61)
    assert [page["person"] for page in await night.pages()] == ["li", "wang"]
    assert (await night.pages())[1]["data"]["reason"] == "escalated"


async def test_an_acknowledgement_calls_nobody_further_and_the_end_is_told(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    night = await Night(engine).begin()
    [incident] = await happen(engine, event_log, [RULE], "a")
    await night.look()
    await night.delivered()
    await take(engine, incident)
    await night.look(20 * 60)
    assert len(await night.pages()) == 1
    await night.look(11 * 60)  # it expires: nothing has followed
    assert [page["data"]["reason"] for page in await night.pages()] == ["new", "repeat"]
    await night.delivered()
    await take(engine, incident, Command.RESOLVE)
    await night.look(60)
    await night.look(300)
    pages = await night.pages()
    assert [page["data"]["reason"] for page in pages] == ["new", "repeat", "resolved"]
    assert (pages[-1]["data"]["firing"], pages[-1]["data"]["resolved"]) == (0, 1)
    await night.look(24 * 3600)
    assert len(await night.pages()) == 3


async def test_what_is_less_urgent_waits_for_company_and_leaves_together(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    night = await Night(engine).begin()
    await happen(engine, event_log, [CALM], "a", "b")
    await night.look()
    assert await night.pages() == []
    await happen(engine, event_log, [CALM], "c", second=1)
    await night.look(31)
    [page] = await night.pages()
    assert page["data"]["firing"] == 3
    await happen(engine, event_log, [CALM], "d", second=2)
    await night.look(60)
    assert len(await night.pages()) == 1  # the group's interval is not over
    await night.look(240)
    pages = [page for page in await night.pages() if page["person"] == "li"]
    assert [page["data"]["firing"] for page in pages] == [3, 1]


async def test_a_person_is_paged_at_most_every_two_minutes_but_for_priority_one(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    route = Route(
        route_id="route", name="route", chain="chain", group_by=("rule",), group_wait_seconds=0,
        group_interval_seconds=30,
    )  # fmt: skip
    night = await Night(engine).begin(route=route)
    rules = [CALM.model_copy(update={"id": f"calm-{number}"}) for number in range(3)]
    for second in range(6):
        await happen(engine, event_log, rules, f"s{second}", second=second)
        await night.look(30)
    calm = await night.pages()
    assert len(calm) == 2
    found = await happen(engine, event_log, [*rules, RULE], "u", second=9)
    [urgent] = [one for one in found if one.rule_id == "gas"]
    await night.look()
    pages = await night.pages()
    assert len(pages) == 3
    assert [one["id"] for one in pages[-1]["data"]["incidents"]] == [str(urgent.id)]
    moments = [page["created_at"] for page in calm]
    assert moments[1] - moments[0] >= timedelta(minutes=2)
    why = {notice.why for notice in await night.notices() if notice.state == "waiting"}
    assert why <= {"", "a page left less than 2 minutes ago"}


async def test_a_page_that_tells_only_what_is_over_is_not_sent(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    night = await Night(engine).begin()
    [incident] = await happen(engine, event_log, [RULE], "a")
    await night.look()
    await take(engine, incident)
    await take(engine, incident, Command.RESOLVE)
    await night.look(400)
    [page] = await night.pages()
    assert page["state"] == "superseded"
    assert {(notice.state, notice.why) for notice in await night.notices()} == {
        ("superseded", "over before it arrived")
    }


async def test_every_decision_is_recorded_with_its_reason(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    night = await Night(engine).begin()
    incidents = await happen(engine, event_log, [CALM], "a", "b")
    await night.look()
    await take(engine, incidents[0])
    await night.endpoints.remove(night.contacts["li"])
    await night.look(31)
    said = {notice.incident_id: (notice.state, notice.why) for notice in await night.notices()}
    assert said == {
        incidents[0].id: ("dropped", "acknowledged"),
        incidents[1].id: ("dropped", "no contact that works"),
    }


async def test_a_mute_time_postpones_and_says_so(engine: AsyncEngine, event_log: EventLog) -> None:
    always = {"zone": "Asia/Shanghai", "hours": [{"from": "00:00", "until": "00:00"}]}
    route = Route.model_validate(
        {"route_id": "route", "name": "r", "chain": "chain", "mute_times": [always]}
    )
    night = await Night(engine).begin(route=route)
    await happen(engine, event_log, [CALM], "a")
    await night.look()
    await night.look(60)
    assert await night.pages() == []
    [notice] = await night.notices()
    assert (notice.state, notice.why) == ("waiting", "muted by route route")
    assert notice.due_at > night.clock() + timedelta(hours=1)


async def test_two_pagers_and_kills_in_the_middle_page_nobody_twice(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    night = await Night(engine).begin()
    incidents = await happen(engine, event_log, [RULE], *(f"s{number}" for number in range(40)))
    for round_ in range(60):
        pagers = [night.another() for _ in range(3)]
        looking = [asyncio.create_task(pager.look()) for pager in pagers]
        await asyncio.wait(looking, timeout=0.002 * round_)
        looking[0].cancel()  # in the middle of whatever it does
        await asyncio.gather(*looking, return_exceptions=True)
    await night.look()
    told = Counter(one["id"] for page in await night.pages() for one in page["data"]["incidents"])
    shown = Counter(notice.incident_id for notice in await night.notices())
    assert shown == Counter({one.id: 1 for one in incidents})
    assert all(count == 1 for count in told.values())
    pages = {notice.page_id for notice in await night.notices()}
    assert pages == {page["event_id"] for page in await night.pages()}


async def test_the_heartbeat_stops_when_an_incident_has_no_next_step(
    engine: AsyncEngine, event_log: EventLog, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver())
    night = await Night(engine).begin()
    await happen(engine, event_log, [RULE], "a")
    await night.look()
    dog = Watchdog(engine, night.clock, asyncio.Event(), receivers[0].url)
    async with httpx.AsyncClient() as client:
        await night.delivered()
        assert await dog.watch(client)
        async with engine.begin() as connection:
            await connection.execute(delete(escalations))
        assert not await dog.watch(client)
        assert await dog.watch(client)  # it was given one
        night.clock.ahead += timedelta(minutes=6)  # and nobody takes it
        assert await dog.look() == Findings(late=1)
        assert not await dog.watch(client)
    assert len(receivers[0].seen) == 2


async def test_the_watchdog_sees_pages_that_nobody_sends(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    night = await Night(engine).begin()
    await happen(engine, event_log, [RULE], "a")
    await night.look()
    dog = Watchdog(engine, night.clock, asyncio.Event(), "")
    assert (await dog.look()).well
    night.clock.ahead += timedelta(minutes=6)
    assert (await dog.look()).unsent == 1


async def test_the_job_wakes_when_an_incident_opens(
    engine: AsyncEngine, event_log: EventLog
) -> None:
    night = await Night(engine).begin()
    stop = asyncio.Event()
    running = asyncio.create_task(night.pager.run(stop))
    await happen(engine, event_log, [RULE], "a")

    async def paged() -> bool:
        return len(await night.pages()) == 1

    assert await eventually(paged, 10)
    stop.set()
    await running
