"""Escalation chains: who is told, one after the other, until somebody takes it. Pure."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from services.alerts.oncall.entry import Code, Entry, Words

TargetKind = Literal["person", "roster", "endpoint"]


class Target(Entry):
    """Who is told: a person, whoever is on duty by a roster, or an endpoint."""

    kind: TargetKind
    id: Code


class Notify(Entry):
    """Tell all of these at once."""

    kind: Literal["notify"] = "notify"
    targets: Annotated[tuple[Target, ...], Field(min_length=1, max_length=20)]


class Wait(Entry):
    """Give them time to acknowledge."""

    kind: Literal["wait"] = "wait"
    minutes: Annotated[int, Field(ge=1, le=60, strict=True)]


class Repeat(Entry):
    """Begin again at the first step, so many times more."""

    kind: Literal["repeat"] = "repeat"
    times: Annotated[int, Field(ge=1, le=10, strict=True)]


Step = Annotated[Notify | Wait | Repeat, Field(discriminator="kind")]


class Chain(Entry):
    """Steps, in order. `acknowledged_minutes`: when an acknowledgement that nothing follows
    expires, so that the chain goes on."""

    chain_id: Code
    name: Words
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=50)]
    acknowledged_minutes: Annotated[int, Field(ge=1, le=1440, strict=True)] = 30

    @model_validator(mode="after")
    def _sensible(self) -> "Chain":
        kinds = [step.kind for step in self.steps]
        if "notify" not in kinds:
            raise ValueError("a chain tells somebody: it needs a step 'notify'")
        if "repeat" in kinds[:-1]:
            raise ValueError("'repeat' is the last step: nothing after it would ever be reached")
        if kinds[-1] == "repeat" and "wait" not in kinds:
            raise ValueError("without a step 'wait' it would repeat at once")
        return self

    @property
    def unrolled(self) -> tuple[Notify | Wait, ...]:
        """The steps of one pass, repetitions written out: at most 550."""
        plain = tuple(step for step in self.steps if not isinstance(step, Repeat))
        last = self.steps[-1]
        return plain * (1 + (last.times if isinstance(last, Repeat) else 0))

    @property
    def targets(self) -> frozenset[Target]:
        """Everybody whom it may tell."""
        return frozenset(
            target for step in self.steps if isinstance(step, Notify) for target in step.targets
        )
