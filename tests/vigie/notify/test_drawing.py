"""The diagrams in docs/messages.md are drawn from the tables: VIGIE_GOLDEN=write draws them."""

import os
import re
from pathlib import Path

import pytest

from vigie.notify.rules import CASCADE, MESSAGE

FILE = Path(__file__).parents[3] / "docs" / "messages.md"


@pytest.mark.parametrize("machine", [MESSAGE, CASCADE], ids=lambda m: m.name)
def test_the_diagram_is_the_table(machine):
    block = re.compile(f"<!-- {machine.name} -->.*?<!-- /{machine.name} -->", re.S)
    start, end = f"<!-- {machine.name} -->", f"<!-- /{machine.name} -->"
    drawn = f"{start}\n```mermaid\n{machine.diagram()}\n```\n{end}"
    text = FILE.read_text(encoding="utf-8")
    if os.environ.get("VIGIE_GOLDEN") == "write":
        text = block.sub(lambda _: drawn, text)
        FILE.write_text(text, encoding="utf-8")
    found = block.search(text)
    assert found
    assert found.group(0) == drawn
