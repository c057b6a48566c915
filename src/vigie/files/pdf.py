"""Documents as PDF, in the house's style: accessible (PDF/UA), without network, within bounds.

    HANDOVER = Template("vigie.logbook", "handover")      # vigie/logbook/templates/handover.typ
    body = await files.pdf.render(HANDOVER, data, "fr", heading=Heading("Relève", city="Dijon"))

The template is the room's; `data` are plain values that it reads, never run as markup.
"""

import asyncio
import re
import shutil
import tempfile
from importlib.resources import files as resources
from pathlib import Path
from typing import Any, Literal

import msgspec

from vigie.core import clock
from vigie.core.errors import Invalid
from vigie.core.settings import Settings
from vigie.files.isolation import run

Language = Literal["fr", "en"]
MOST_DATA = 5_000_000
MOST_PAGES = 200
_SECONDS, _MEGABYTES = 30.0, 2500
_DAY = {"fr": "%d/%m/%Y %H:%M UTC", "en": "%Y-%m-%d %H:%M UTC"}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,60}")


class Template(msgspec.Struct, frozen=True):
    """A template of a room: `templates/<name>.typ` in its package."""

    package: str
    name: str


class Heading(msgspec.Struct, frozen=True):
    """What stands at the top of a document, and in its metadata."""

    title: str
    city: str
    subtitle: str = ""


_MAIN = """\
#import "/house.typ": house
#import "/template.typ": body
#let given = json("/data.json")
#show: house.with(
  title: given.title, subtitle: given.subtitle, city: given.city,
  language: given.language, issued: given.issued, most-pages: given.most_pages,
)
#body(given.data, given.language)
"""


async def render(
    template: Template,
    data: Any,
    language: Language,
    *,
    heading: Heading,
    sign: Settings | None = None,
) -> bytes:
    """A document. With `sign`, the installation's key signs it.

    Raises Invalid when there is too much data, when the template fails on it, or when it would
    take too long, too much memory or over MOST_PAGES pages.
    """
    now = clock.now()
    given = msgspec.json.encode(
        {
            "title": heading.title,
            "subtitle": heading.subtitle,
            "city": heading.city,
            "language": language,
            "issued": now.strftime(_DAY[language]),
            "most_pages": MOST_PAGES,
            "data": data,
        }
    )
    if len(given) > MOST_DATA:
        raise Invalid("document_too_large", "This document would hold too much: choose less.")
    folder = await asyncio.to_thread(_prepare, template, given)
    try:
        await run(
            "pdf",
            {"standards": ["ua-1"], "timestamp": int(now.timestamp())},
            folder,
            seconds=_SECONDS,
            megabytes=_MEGABYTES,
        )
        body = await asyncio.to_thread((folder / "document.pdf").read_bytes)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, True)
    if sign is not None:
        from vigie.files import signing

        body = await asyncio.to_thread(signing.sign, body, sign, heading.title)
    return body


def _prepare(template: Template, given: bytes) -> Path:
    """A folder with all that the typesetter may read."""
    if not _NAME.fullmatch(template.name):
        raise ValueError(f"template {template.name!r}: a lower-case word")
    source = resources(template.package) / "templates" / f"{template.name}.typ"
    house = resources("vigie.files") / "templates" / "house.typ"
    folder = Path(tempfile.mkdtemp(prefix="vigie-pdf-"))
    (folder / "main.typ").write_text(_MAIN, encoding="utf-8")
    (folder / "house.typ").write_bytes(house.read_bytes())
    (folder / "template.typ").write_bytes(source.read_bytes())
    (folder / "data.json").write_bytes(given)
    return folder
