"""What a message or a cascade can be, and why it fails, has words in both languages."""

import ast
import json
from pathlib import Path
from typing import get_args

import pytest

import vigie.notify
from vigie.app import every_room
from vigie.notify.model import Channel
from vigie.notify.rules import CASCADE, MESSAGE

SOURCE = Path(vigie.notify.__file__).parent
WORDS = Path(__file__).parents[3] / "web" / "src" / "rooms" / "notify" / "words"


def failures() -> set[str]:
    """Codes that channels fail with, and those that the sender writes itself."""
    found = {"gave_up", "no_address", "not_reached", "uncertain"}
    for file in SOURCE.glob("channels/*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name(id="Refused" | "NotSent"), args=[ast.Constant(value=code), *_]
                ):
                    found.add(str(code))
    return found


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_code_has_words(language):
    words = json.loads((WORDS / f"{language}.json").read_text(encoding="utf-8"))
    templates = {t.name.replace(".", "_") for t in every_room().collect("templates")}
    assert "mail_refused" in failures()
    for group, codes in (
        ("messageError", failures()),
        ("messageState", set(MESSAGE.states)),
        ("cascadeState", set(CASCADE.states)),
        ("channel", set(get_args(Channel))),
        ("template", {name for name in templates if name.startswith("notify_")}),
    ):
        assert codes - words[group].keys() == set(), group
