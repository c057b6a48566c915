"""What the rest of the house sees of files, and what the room's own parts hand each other."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from vigie.core.objects import Ref

OBJECT = "files.file"

Rendition = Literal["content", "small", "large", "original", "quarantined"]
State = Literal["ready", "quarantined"]
Scan = Literal["not_scanned", "clean", "infected"]
Size = Literal["small", "large"]


class FileView(msgspec.Struct, frozen=True):
    """A file as its readers see it. `thumbnails` are the sizes that exist."""

    id: UUID
    name: str
    media_type: str
    bytes: int
    width: int | None
    height: int | None
    state: State
    scan: Scan
    evidence: bool
    created: datetime
    thumbnails: list[Size]


class Suggestions(msgspec.Struct, frozen=True):
    """What a photo said of itself before that was removed: offered to whoever uploads it, not kept.

    `taken` is local time of the camera, with its offset where the camera knew it.
    """

    taken: str | None = None
    lon: float | None = None
    lat: float | None = None


class Uploaded(msgspec.Struct, frozen=True):
    """An uploaded file. `corrected` when its name or claimed type did not agree with its bytes."""

    file: FileView
    corrected: bool
    suggestions: Suggestions


class UploadedList(msgspec.Struct, frozen=True):
    """The files of one request, in its order."""

    items: list[Uploaded]


class Attachment(msgspec.Struct, frozen=True):
    """A file at its place beside an object."""

    id: UUID
    file: FileView
    caption: str
    position: int
    created: datetime


class AttachmentList(msgspec.Struct, frozen=True):
    """The files of one object, in their order."""

    items: list[Attachment]


class AttachFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of `files.attach`; without a position the file comes last."""

    file: UUID
    to: Ref
    caption: Annotated[str, Meta(max_length=500)] = ""
    position: Annotated[int, Meta(ge=0, le=10_000)] | None = None


class DetachFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of `files.detach`."""

    attachment: UUID


class Received(msgspec.Struct, frozen=True):
    """Bytes that came in: on disk and synced, nothing decided yet."""

    path: Path
    sha256: str
    bytes: int
    name: str
    claimed: str


class Part(msgspec.Struct, frozen=True):
    """One rendition that is ready to be placed in the store."""

    kind: Rendition
    path: Path
    sha256: str
    bytes: int
    media_type: str


class Checked(msgspec.Struct, frozen=True):
    """A received file after sniffing, scanning and re-encoding."""

    name: str
    media_type: str
    parts: list[Part]
    state: State
    scan: Scan
    evidence: bool
    corrected: bool
    threat: str = ""
    width: int | None = None
    height: int | None = None
    suggestions: Suggestions = Suggestions()


class Opened(msgspec.Struct, frozen=True):
    """A rendition to be sent."""

    path: Path
    sha256: str
    bytes: int
    media_type: str
    name: str
