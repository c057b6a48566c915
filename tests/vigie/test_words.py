"""Every text translated: each code that the server names has words in French and in English.

Codes are collected from the source itself, so that a new one without words fails here.
"""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import vigie
from tests.support.rooms import PERMISSIONS, ROLES
from vigie.control.rules import STATES
from vigie.core.permissions import Catalogue
from vigie.gateways.ingest.messages import REASONS
from vigie.gateways.mqtt.rules import _CODES, Denial  # pyright: ignore[reportPrivateUsage]
from vigie.twin import kinds
from vigie.twin.kinds import Choice, Command, Field, Kind

SOURCE = Path(vigie.__file__).parent
WEB = Path(__file__).parents[2] / "web" / "src"
STATUSES = {"ok", "standby", "starting", "degraded", "down"}
# Read in a terminal, in English: the command line and the files that it opens.
COMMAND_LINE = (
    "commands",
    "core/geofiles",
    "core/errors.py",
    "gateways/mqtt/check.py",
    "gateways/clients/provision.py",
    "places/addresses/importing.py",
    "places/importing.py",
    "places/osm.py",
    "places/pack.py",
    "traffic/priority",
    "twin/importing",
)


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE), ast.parse(path.read_text(encoding="utf-8"))


def calls() -> Iterator[tuple[Path, str, ast.Call]]:
    """Each call: the file, the name called, the call."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                named = node.func
                name = named.attr if isinstance(named, ast.Attribute) else getattr(named, "id", "")
                yield path, name, node


def constants() -> dict[tuple[Path, str], str]:
    """Texts with a name at the top of a file: ENDED = "control.ended"."""
    found: dict[tuple[Path, str], str] = {}
    for path, tree in trees():
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                for target in node.targets:
                    if isinstance(target, ast.Name) and isinstance(node.value.value, str):
                        found[path, target.id] = node.value.value
    return found


NAMED = constants()


def texts(path: Path, node: ast.expr | None) -> set[str]:
    """The texts that an argument can be: itself, a constant's, or both of a choice."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.Name(id=name):
            return {NAMED[path, name]} if (path, name) in NAMED else set()
        case ast.IfExp(body=body, orelse=orelse):
            return texts(path, body) | texts(path, orelse)
        case _:
            return set()


def argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    if len(call.args) > position:
        return call.args[position]
    return next((word.value for word in call.keywords if word.arg == name), None)


def acts() -> set[str]:
    return {
        act
        for path, name, call in calls()
        if name == "record"
        for act in texts(path, argument(call, 1, "act"))
        if "." in act
    }


def errors() -> set[str]:
    """Codes of everything that is a VigieError, by whatever subclass."""
    kinds = {"VigieError"}
    classes = [n for _, tree in trees() for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
    for _ in range(4):
        kinds |= {
            c.name
            for c in classes
            if any(isinstance(b, ast.Name) and b.id in kinds for b in c.bases)
        }
    own = {
        text
        for path, name, call in calls()
        if name == "__init__" and call.args
        for text in texts(path, call.args[0])
    }
    thrown = {
        code
        for path, name, call in calls()
        if name in kinds and not path.as_posix().startswith(COMMAND_LINE)
        for code in texts(path, argument(call, 0, "code"))
        if " " not in code
    }
    thrown |= {
        code
        for path, name, call in calls()
        if name == "wrong_fields" and not path.as_posix().startswith(COMMAND_LINE)
        for code in texts(path, argument(call, len(call.args), "code"))
    }
    malformed = {
        code
        for path, name, call in calls()
        if name == "malformed"
        for code in texts(path, argument(call, 1, "code")) | {"malformed"}
    }
    return {c for c in own | thrown | malformed if c and c.islower()} - {"setup"}


def components() -> tuple[set[str], set[str]]:
    """Names of components, and the codes of their states."""
    names: set[str] = set()
    codes: set[str] = set()
    for path, name, call in calls():
        if name == "component":
            names |= texts(path, argument(call, 0, "name"))
        if name == "set" and call.args and texts(path, call.args[0]) & STATUSES:
            codes |= texts(path, argument(call, 1, "code"))
    return names, codes - {""}


def gateway(*functions: str) -> set[str]:
    """Lower-case codes that the gateways' functions are given."""
    return {
        text
        for path, name, call in calls()
        if path.parts[0] == "gateways" and name in functions
        for given in call.args
        for text in texts(path, given)
        if text.replace("_", "").isalpha() and text.islower()
    }


def target_errors() -> set[str]:
    """`{"code": …}` in the control room, in Python and in its SQL."""
    found: set[str] = set()
    for path, tree in trees():
        if path.parts[0] != "control":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict) and "field" not in {
                ast.unparse(k)[1:-1] for k in node.keys if k
            }:
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "code":
                        found |= texts(path, value)
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
                if text.startswith("{") and '"code"' in text:
                    found.add(json.loads(text)["code"])
    return found


def catalogue(language: str) -> dict[str, dict[str, str]]:
    """All words of a language, group by group: the shared ones and every room's."""
    whole: dict[str, dict[str, str]] = {}
    shared = WEB / "shared" / "i18n" / language
    rooms = sorted(WEB.glob(f"rooms/*/words/{language}.json"))
    for file in (shared / "codes.json", shared / "screens.json", *rooms):
        for group, words in json.loads(file.read_text(encoding="utf-8")).items():
            twice = whole.setdefault(group, {}).keys() & words.keys()
            assert not twice, f"{file}: {group}.{sorted(twice)[0]} has words already"
            whole[group].update(words)
    return whole


def without_words(language: str, group: str, codes: set[str]) -> list[str]:
    words = catalogue(language)
    key = str.maketrans(dict.fromkeys(".-: ", "_"))
    return sorted(code for code in codes if not words[group].get(code.translate(key), "").strip())


def keys(words: object, path: str = "") -> set[str]:
    if not isinstance(words, dict):
        return {path}
    return {key for name, inner in words.items() for key in keys(inner, f"{path}.{name}")}


def test_both_languages_have_the_same_words():
    french, english = keys(catalogue("fr")), keys(catalogue("en"))
    assert french ^ english == set()


def test_permissions_and_roles_have_words():
    catalogue = Catalogue(PERMISSIONS, ROLES)
    nothing_missing("permission", set(catalogue.permissions))
    nothing_missing("role", set(catalogue.roles))


def test_acts_have_words():
    found = acts()
    assert {"control.commanded", "control.ended", "access.logged_in"} <= found
    nothing_missing("act", found)


def test_errors_have_words():
    found = errors()
    assert {"too_many_assets", "client_unknown", "version_changed"} <= found
    nothing_missing("problem", found)


def test_refusals_of_messages_have_words():
    denials = set(get_args(Denial)) | {code for _, code in _CODES} | {"protocol_error"}
    nothing_missing("quarantineCode", set(REASONS) | denials | gateway("_refuse", "_refused"))


def test_faults_of_filters_have_words():
    """Each `fault(at, "reason", …)` of the filter language, as the code of its field."""
    reasons = {
        f"filter_{reason}"
        for path, name, call in calls()
        if name == "fault" and len(call.args) >= 3
        for reason in texts(path, call.args[1])
    }
    assert {"filter_value", "filter_field", "filter_quote"} <= reasons
    nothing_missing("problem", reasons)


def test_components_have_words():
    names, codes = components()
    assert {"admission", "sealer"} <= names
    assert {"admission_closed", "standby"} <= codes
    # Services that the supervisor of a role keeps, and codes that come out of an error.
    names |= {
        "ingest",
        "http",
        "metrics",
        "gateways",
        "watch",
        "jobs",
        "jobs-figures",
        "api",
        "public",
    }
    codes |= {"role_silent", "disk_full", "stream_full", "database_unavailable", "stream_missing"}
    codes |= gateway("_failed")
    nothing_missing("component", names)
    nothing_missing("detail", codes)


def test_what_a_target_answers_has_words():
    nothing_missing("targetError", target_errors() | {"no_answer", "expired", "unreachable"})


def test_states_of_a_command_have_words():
    nothing_missing("commandState", set(STATES))


# Written alike in every language; any other unit has words.
SYMBOLS = {
    "1", "%", "°", "°C", "W", "kWh", "V", "h", "s", "m", "mm", "km", "m/s", "mm/h", "m³", "m³/s",
    "g/m²", "hPa", "dBm", "kbit/s",
}  # fmt: skip


def declared(kind: Kind) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a kind declares that people read: the group, and the words' names, the closest first."""

    def said(field: Field, group: str, shown: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """A point, or a field of an event or order; `shown` is whose words a choice has."""
        yield group, (f"{kind.name}_{field.name}", field.name)
        if isinstance(field, Choice):
            for word in field.words:
                yield "choice", (f"{kind.name}_{shown}_{word}", f"{shown}_{word}")

    def of_order(command: Command) -> Iterator[tuple[str, tuple[str, ...]]]:
        yield "commandVerb", (command.verb,)
        yield from (("interlock", (name,)) for name in command.interlocks)
        if command.demands != "reason":
            yield "demand", (command.demands,)
        for field in command.params:
            yield from said(field, "param", command.shows.get(field.name, field.name))

    yield "kind", (kind.name,)
    yield "trade", (kind.trade,)
    for point in kind.points:
        yield from said(point, "metric", point.name)
    for event in kind.events:
        yield "event", (f"{kind.name}_{event.name}", event.name)
        for field in event.fields:
            yield from said(field, "param", field.name)
    for command in kind.commands:
        yield from of_order(command)
    fields = [
        *kind.points,
        *(field for event in kind.events for field in event.fields),
        *(field for command in kind.commands for field in command.params),
    ]
    for unit in {getattr(field, "unit", "1") for field in fields} - SYMBOLS:
        yield "unit", (unit.replace("/", "_"),)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_everything_that_kinds_declare_has_words(language: str):
    words = catalogue(language)
    missing = {
        f"{kind.name}: {group}.{names[-1]}"
        for kind in kinds.kinds().values()
        for group, names in declared(kind)
        if not any(words.get(group, {}).get(name, "").strip() for name in names)
    }
    assert sorted(missing) == []


def test_words_of_what_no_kind_declares_are_gone():
    """A word for a point that was renamed would never be seen again, and nobody would know."""
    used: dict[str, set[str]] = {}
    for kind in kinds.kinds().values():
        for group, names in declared(kind):
            used.setdefault(group, set()).update(names)
    words = catalogue("fr")
    assert {
        g: words[g].keys() - names for g, names in used.items() if words[g].keys() - names
    } == {}


def nothing_missing(group: str, codes: set[str]):
    assert codes
    for language in ("fr", "en"):
        assert without_words(language, group, codes) == [], f"{language}: {group}"
