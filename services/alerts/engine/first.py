"""States of the version without snapshots, in today's form. Pure."""

from collections.abc import Iterable

from services.alerts.engine.memory import First
from services.alerts.judging.alarm import NEVER
from services.alerts.judging.alert import Alert
from services.alerts.judging.inquiry import new_state
from services.alerts.judging.rulebook import Book
from services.alerts.judging.states import Asked, States


def states_of(rows: Iterable[First], book: Book) -> States:
    """What was pending or active, as the rules in force ask it."""
    states = States(rules={rule_id: plan.fingerprint for rule_id, plan in book.plans.items()})
    for row in rows:
        plan = book.plans.get(row.rule_id)
        if plan is None or not plan.local or row.phase not in ("pending", "active"):
            continue
        state = new_state(plan, plan.parts[0])
        state.last_us, state.quiet = row.last_us, False
        alarm, alert = state.alarm, state.told
        alarm.started_us = row.since_us
        if row.phase == "pending":
            alarm.turns[0], alarm.counts[0] = row.since_us, 1
        elif isinstance(alert, Alert):
            alarm.level, alarm.turns[0] = 1, NEVER
            alert.level, alert.started_us, alert.recent = 1, row.since_us, [row.since_us]
        states.asked.append(Asked(row.rule_id, 0, row.subject, state))
    return states
