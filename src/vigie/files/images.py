"""Photos: decoded and written again, so that only pixels are kept; thumbnails in two sizes."""

from pathlib import Path
from typing import Any

import msgspec

from vigie.core.errors import Invalid
from vigie.files.isolation import run
from vigie.files.model import Suggestions
from vigie.files.rules import WRITTEN

# Modern phones make 12 to 50 million; decoded, 50 million are 200 MB.
MOST_PIXELS = 50_000_000
SIZES = {"small": 256, "large": 1280}
_SECONDS, _MEGABYTES = 30.0, 2000
_FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/heic": "HEIF",
    "image/avif": "AVIF",
}


class Written(msgspec.Struct, frozen=True):
    """One file that the process wrote."""

    name: str
    media_type: str
    width: int
    height: int


class Processed(msgspec.Struct, frozen=True):
    """A photo without its metadata, its thumbnails, and what it said of itself."""

    files: list[Written]
    suggestions: Suggestions = Suggestions()


async def process(path: Path, media_type: str, folder: Path) -> Processed:
    """Write a photo again into a folder (`content`, `small`, `large`).

    Raises Invalid for one that is damaged, has too many pixels, or takes too long.
    """
    request: dict[str, Any] = {
        "path": str(path),
        "format": _FORMATS[media_type],
        "written": WRITTEN[media_type],
        "most_pixels": MOST_PIXELS,
        "sizes": SIZES,
    }
    answer = await run("images", request, folder, seconds=_SECONDS, megabytes=_MEGABYTES)
    try:
        found = msgspec.convert(answer, Processed)
    except msgspec.ValidationError as error:
        raise Invalid("file_unreadable", "This photo cannot be read.") from error
    if [file.name for file in found.files] != ["content", *SIZES]:
        raise Invalid("file_unreadable", "This photo cannot be read.")
    return found
