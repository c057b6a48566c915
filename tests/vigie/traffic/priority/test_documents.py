"""What docs/traffic-priority.md shows is what the code does."""

import re
from pathlib import Path

from vigie.traffic.priority import REQUEST_TABLE, crossings_from_json
from vigie.traffic.priority.requests import MEANING

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "traffic-priority.md").read_text()


def test_the_example_is_a_safe_crossing() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    (crossing,) = crossings_from_json(example)
    assert crossing.cycle == 70


def test_the_table_drawn_is_the_table() -> None:
    verbs = list(MEANING)
    drawn = {}
    for state in {s for s, _ in REQUEST_TABLE}:
        row = re.search(rf"^\| {state} \|(.*)\|$", PAGE, re.MULTILINE)
        assert row is not None, state
        cells = [cell.strip() for cell in row[1].split("|")]
        drawn |= {(state, v): c for v, c in zip(verbs, cells, strict=True) if c != "–"}
    assert drawn == REQUEST_TABLE
