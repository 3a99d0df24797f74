"""The product is broken on purpose, once in each way, while people text and agents answer. The long run of the same:
``python -m tests.faults``."""

from collections.abc import Iterator

import pytest

from tests.faults import flood, oracle, rounds
from tests.faults.faults import FAULTS, Fault, Scene

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("faults")]
SEED = 5550100


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One product for all faults, one after the other."""
    with rounds.stage(tmp_path_factory.mktemp("faults"), SEED) as scene:
        yield scene


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_nothing_is_lost_sent_twice_or_stuck_when(scene: Scene, fault: Fault) -> None:
    if fault.breaks is flood.full_queue and not flood.may_open(flood.FILES):
        pytest.skip(f"a full queue needs {flood.FILES} open files, more than this system allows (ulimit -Hn)")
    rounds.play(scene, fault, at_least=True, seed=SEED)


def test_in_the_end_the_carrier_has_delivered_everything_and_the_ledger_is_whole(scene: Scene) -> None:
    rounds.settle(scene, entirely=True)
    assert set(oracle.violations(scene.cc, scene.load)) <= scene.load.complaints
    assert [text for text in scene.load.texts.values() if not text.accepted_at] == []
    assert scene.inside.ask("verify_ledger") == ""
    assert len(scene.load.replies) > len(FAULTS)  # the load was there in all of them
    assert any(opt_out.start for opt_out in scene.load.all_opt_outs())
