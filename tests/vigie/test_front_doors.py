"""Rooms are entered by their front door: another room imports a package, never what is behind it.

Composition (app, routes, cli, centre, city, commands) knows every room and may reach its `api` and
the like. Core's own modules are its front door; what lies in its packages is behind it.
"""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"
COMPOSITION = {"app", "routes", "cli", "centre", "city", "commands", "__main__"}
PACKAGES = {
    ".".join(p.parent.relative_to(SOURCE).parts) for p in SOURCE.glob("vigie/**/__init__.py")
}
FILES = sorted(p for p in SOURCE.glob("vigie/**/*.py") if "migrations" not in p.parts)


def room(module: str) -> str:
    """The room a module belongs to, like `vigie.twin`."""
    return ".".join(module.split(".")[:2])


def imports(file: Path) -> list[str]:
    """Every vigie module a file imports, as written."""
    found: list[str] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = (SOURCE / Path(*inner.split("."))).with_suffix(".py").exists()
                found.append(inner if is_module or inner in PACKAGES else node.module)
    return [name for name in found if name.split(".")[0] == "vigie"]


@pytest.mark.parametrize("file", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_other_rooms_are_entered_by_the_front_door(file: Path) -> None:
    """A module of another room is imported from its package."""
    module = ".".join(file.relative_to(SOURCE).with_suffix("").parts)
    if module.split(".")[1] in COMPOSITION:
        return
    behind = [
        name
        for name in imports(file)
        if room(name) != room(module)
        and name not in PACKAGES
        and name != room(name)
        and not (name.startswith("vigie.core.") and name.count(".") == 2)
    ]
    assert not behind, f"{module} reaches behind a front door: {behind}"
