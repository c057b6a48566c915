import sqlite3
import time
from pathlib import Path

import pytest

from simcity.ledger import Ledger, summary
from tests.simcity.helpers import lamps

DEVICES = [(device, "gwA") for device in lamps("gwA", 3)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def opened(file: Path, boot: int = 0) -> Ledger:
    ledger = Ledger(file, DEVICES)
    ledger.start(boot, 1, 0.0)
    return ledger


def acknowledged(file: Path) -> list[tuple[str, int, int, int]]:
    return sqlite3.connect(file).execute("SELECT * FROM acknowledged_message").fetchall()


def test_what_is_flushed_is_there_while_it_goes_on(file: Path) -> None:
    ledger = opened(file)
    ledger.acknowledged([(0, 0, 1000), (2, 0, 1001)])
    ledger.flush()
    assert acknowledged(file) == [("gwAL0", 0, 0, 1000), ("gwAL2", 0, 0, 1001)]
    ledger.close()


def test_it_is_for_its_owner_also_where_an_older_one_was_open(file: Path) -> None:
    for _ in range(2):
        ledger = opened(file)
        ledger.acknowledged([(0, 0, 1000)])
        ledger.flush()
        modes = {path.name: path.stat().st_mode & 0o777 for path in file.parent.iterdir()}
        assert set(modes.values()) == {0o600}, modes
        ledger.close()
        file.chmod(0o644)


def test_what_is_passed_on_arrives_within_a_tenth_of_a_second(file: Path) -> None:
    ledger = opened(file)
    ledger.acknowledged([(1, 5, 1000)])
    ledger.pass_on()
    end = time.monotonic() + 5  # generous: a busy machine is no fault of the ledger's
    while not acknowledged(file):
        assert time.monotonic() < end
        time.sleep(0.01)
    ledger.close()


def test_a_restart_knows_boots_lamps_and_commands(file: Path) -> None:
    ledger = opened(file, boot=4)
    ledger.command(("done", 0, 40.0, 1000, 9000, "done", None, "v"))
    ledger.command(("old", 0, 40.0, 1000, 2000, "done", None, "v"))
    ledger.command(("late", 0, None, 1000, 9000, "expired", None, "v"))
    ledger.pass_on([(2, 7000, 55.0, "none", 55.0, 99.0, 12.5, 300.0)])
    ledger.close()
    again = Ledger(file, DEVICES)
    assert again.last_boot() == 4
    assert again.lamps() == [(2, 7.0, 55.0, 99.0, 12.5, 300.0)]
    assert again.recent_commands(3000) == [("done", 0, 40.0, "done", None)]
    again.close()


def test_an_outcome_replaces_a_copy_that_was_not_heard(file: Path) -> None:
    ledger = opened(file)
    for status, level in (("unheard", None), ("done", 30.0), ("expired", None)):
        ledger.command(("c", 1, level, 1000, 9000, status, None, "v"))
        ledger.flush()
    rows = sqlite3.connect(file).execute("SELECT id, level, status FROM executed_command")
    assert rows.fetchall() == [("c", 30.0, "done")]
    ledger.close()


def test_old_messages_are_forgotten_and_new_ones_kept(file: Path) -> None:
    ledger = opened(file)
    ledger.acknowledged([(0, n, n) for n in range(100)])
    ledger.flush()
    ledger.forget(0.05)
    ledger.acknowledged([(0, n, n) for n in range(100, 130)])
    ledger.flush()
    time.sleep(0.1)
    ledger.forget(0.05)
    ledger.flush()
    assert [row[2] for row in acknowledged(file)] == list(range(100, 130))
    ledger.close()


def test_the_summary_counts(file: Path) -> None:
    ledger = opened(file)
    ledger.acknowledged([(0, 0, 1), (0, 0, 1), (1, 0, 2)])
    ledger.command(("c", 1, 30.0, 1000, 9000, "done", None, "v"))
    ledger.close()
    seen = summary(file)
    assert (seen["devices"], seen["acknowledged"], seen["acknowledged_twice"]) == (3, 3, 1)
    assert seen["commands"] == {"done": 1}


def test_a_ledger_that_cannot_be_written_says_so(file: Path) -> None:
    ledger = opened(file)
    ledger.acknowledged([(99, 0, 1)])  # no such device
    with pytest.raises(RuntimeError, match="ledger cannot be written"):
        ledger.flush()
    ledger.close()
