"""The schedule comes from its seed alone."""

from collections import Counter

from tests.chaos.schedule import GROUPS, PARTS, SERVICES, Kind, draw, processes


def test_the_same_seed_gives_the_same_faults() -> None:
    assert draw(7, 200) == draw(7, 200)
    assert draw(7, 200) != draw(8, 200)


def test_a_longer_run_begins_like_a_shorter_one() -> None:
    assert draw(7, 200)[:30] == draw(7, 30)


def test_the_first_faults_are_of_every_kind() -> None:
    assert {fault.kind for fault in draw(3, len(Kind))} == set(Kind)


def test_what_a_machine_cannot_do_is_left_out_and_changes_nothing_else() -> None:
    whole = draw(5, 100)
    without = draw(5, 100, [Kind.FULL])
    assert Kind.FULL not in {fault.kind for fault in without}
    told = [str(fault)[3:] for fault in whole if fault.kind is not Kind.FULL]
    assert [str(fault)[3:] for fault in without][: len(told)] == told


def test_every_fault_has_something_to_hit() -> None:
    faults = draw(1, 2_000)
    assert [fault.number for fault in faults] == list(range(1, 2_001))
    for fault in faults:
        assert fault.seconds >= 0
        match fault.kind:
            case Kind.ROLL:
                assert fault.target in SERVICES
            case Kind.RESTART | Kind.FULL:
                assert fault.target in PARTS
            case Kind.REBALANCE:
                assert fault.target.rpartition("-")[0] in GROUPS
            case Kind.KILL | Kind.PAUSE:
                assert fault.target in [*processes(), *PARTS]
            case _:
                assert fault.target in processes()
    hit = Counter(fault.target for fault in faults)
    assert set(hit) == {*processes(), *PARTS, *SERVICES}
