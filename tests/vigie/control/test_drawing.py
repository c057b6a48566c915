"""The drawing of the states in the documents is the table itself.

`VIGIE_DRAW=1 pytest tests/vigie/control/test_drawing.py` draws it anew.
"""

import os
import re
from pathlib import Path

from vigie.control.rules import STATES, TABLE

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "architecture.md"
BLOCK = re.compile(r"<!-- command-states -->.*?<!-- /command-states -->", re.S)


def drawing() -> str:
    """A Mermaid diagram of every move from one state to another."""
    moves: dict[tuple[str, str], list[str]] = {}
    for (state, event), outcome in TABLE.items():
        if outcome in STATES and outcome != state:
            moves.setdefault((state, outcome), []).append(event)
    lines = [f"    {a} --> {b}: {', '.join(events)}" for (a, b), events in moves.items()]
    body = "\n".join(["stateDiagram-v2", "    [*] --> requested", *lines])
    return f"<!-- command-states -->\n```mermaid\n{body}\n```\n<!-- /command-states -->"


def test_the_document_draws_the_table() -> None:
    """docs/architecture.md shows exactly the transition table."""
    text = DOCUMENT.read_text(encoding="utf-8")
    if os.environ.get("VIGIE_DRAW"):
        text = BLOCK.sub(lambda _: drawing(), text)
        DOCUMENT.write_text(text, encoding="utf-8")
    found = BLOCK.search(text)
    assert found
    assert found.group(0) == drawing()
