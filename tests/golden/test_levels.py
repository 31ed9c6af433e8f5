import json

import pytest

from engine.domain.forecast import HORIZONS, SimulationLevel
from tests.golden.levels import FILE, TOLERANCE, quantiles

RENEW = "if this change is meant, run `make golden` and read the difference"
WRITTEN = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def found() -> dict[str, list[float]]:
    return quantiles()


@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize("level", SimulationLevel)
def test_a_level_says_of_a_shipped_day_what_was_written_down(found, level, horizon: int) -> None:
    name = f"level {level.value}, {horizon} bars"
    assert len(WRITTEN[name]) == 27
    assert found[name] == pytest.approx(WRITTEN[name], abs=TOLERANCE), RENEW


def test_nothing_else_is_written_down(found) -> None:
    assert found.keys() == WRITTEN.keys()
