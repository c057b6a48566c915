"""From bytes received to renditions ready to be kept: sniffed, scanned, photos written again."""

import asyncio
import hashlib
from pathlib import Path

import msgspec

from vigie.files import images, rules
from vigie.files.model import Checked, Part, Received, Rendition
from vigie.files.scan import scan
from vigie.files.sniff import sniff


async def check(received: Received, folder: Path, scanner: str, *, evidence: bool) -> Checked:
    """One file, ready to be kept. `folder` is empty and takes what is written on the way.

    Raises Invalid for what is not taken, Unavailable when the scanner is away.
    """
    media_type = await asyncio.to_thread(sniff, received.path, received.name)
    verdict, threat = await scan(scanner, received.path)
    kind = rules.TYPES[media_type]
    written = rules.WRITTEN.get(media_type, media_type)
    name, renamed = rules.named(received.name, written)
    checked = Checked(
        name=name,
        media_type=written,
        parts=[_original(received, "content", media_type)],
        state="ready",
        scan=verdict,
        evidence=evidence,
        corrected=renamed or not _agrees(received.claimed, media_type),
        threat=threat,
    )
    if verdict == "infected":
        return msgspec.structs.replace(
            checked, state="quarantined", parts=[_original(received, "quarantined", media_type)]
        )
    if not kind.image:
        return checked
    photo = await images.process(received.path, media_type, folder)
    parts = [
        await asyncio.to_thread(_part, _kind(file.name), folder / file.name, file.media_type)
        for file in photo.files
    ]
    if evidence:
        parts.append(_original(received, "original", media_type))
    return msgspec.structs.replace(
        checked,
        parts=parts,
        width=photo.files[0].width,
        height=photo.files[0].height,
        suggestions=photo.suggestions,
    )


def _kind(name: str) -> Rendition:
    return "small" if name == "small" else "large" if name == "large" else "content"


def _original(received: Received, kind: Rendition, media_type: str) -> Part:
    return Part(kind, received.path, received.sha256, received.bytes, media_type)


def _part(kind: Rendition, path: Path, media_type: str) -> Part:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Part(kind, path, sha256, path.stat().st_size, media_type)


def _agrees(claimed: str, media_type: str) -> bool:
    """Nothing claimed is no lie; texts are called many things."""
    claimed = claimed.partition(";")[0].strip().lower()
    if claimed in ("", "application/octet-stream", media_type):
        return True
    if media_type in ("image/heic", "audio/x-wav", "audio/mp4", "application/zip"):
        return claimed.split("/")[0] in (media_type.split("/")[0], "image", "audio")
    return media_type.startswith("text/") and claimed.startswith("text/")
