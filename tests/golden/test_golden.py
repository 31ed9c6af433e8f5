import json

from tests.golden.record import FILE, days


def test_five_days_of_the_default_run_are_as_they_were_written_down() -> None:
    written = json.loads(FILE.read_text(encoding="utf-8"))
    found = json.loads(json.dumps(days()))
    assert len(written["votes"]) >= 50
    assert written["fills"]
    assert found == written, "if this change is meant, run `make golden` and read the difference"
