"""Files over HTTP: upload, download in ranges, thumbnails, the files of an object."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, BinaryIO
from uuid import UUID

from litestar import Request, Response
from litestar.params import Parameter
from litestar.response import Stream

from vigie.core.database import Unit
from vigie.core.objects import Ref
from vigie.core.runtime import Runtime
from vigie.core.web import ANY_LOGIN, OpenUnit, get, post
from vigie.files import keeping, rules, service
from vigie.files.model import AttachmentList, FileView, Opened, Rendition, Size, UploadedList
from vigie.files.upload import upload

_CHUNK = 262_144
# What is sent is never a page: no script, no form, no window, no origin.
_SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; sandbox"
Name = Annotated[str, Parameter(max_length=300, description="The file's name, for a raw body.")]
Evidence = Annotated[
    bool,
    Parameter(description="Keep the photo's original too, sealed, with its place and time."),
]


@post("/files", permission="files.upload", status=201, body_limit=None)
async def upload_files(
    request: Request[Any, Any, Any],
    runtime: Runtime,
    open_unit: OpenUnit,
    name: Name = "",
    evidence: Evidence = False,
) -> UploadedList:
    """Upload files: a multipart form of files, or one file as the body.

    Photos are written again without their metadata; what they said of place and time is in
    `suggestions`, and nowhere else.
    """
    length = request.headers.get("content-length", "")
    kept = await upload(
        runtime.settings,
        open_unit,
        aiter(request.stream()),
        content_type=request.headers.get("content-type", ""),
        declared=int(length) if length.isdigit() else None,
        name=name,
        evidence=evidence,
    )
    return UploadedList(kept)


@get("/files", permission=ANY_LOGIN, may_be_missing=True)
async def list_attachments(unit: Unit, object_type: str, object_id: str) -> AttachmentList:
    """The files of an object that one may see."""
    return AttachmentList(await service.attached_to(unit, Ref(object_type, object_id)))


@get("/files/{file_id:uuid}/about", permission=ANY_LOGIN)
async def read_file(unit: Unit, file_id: UUID) -> FileView:
    """What is known of a file: name, type, size, whether it was scanned."""
    return await service.read(unit, file_id)


@get("/files/{file_id:uuid}", permission=ANY_LOGIN, media_type="application/octet-stream")
async def download_file(
    unit: Unit,
    runtime: Runtime,
    request: Request[Any, Any, Any],
    file_id: UUID,
    download: bool = False,
) -> Stream:
    """The file itself, whole or in a range."""
    return await _send(unit, runtime, request, file_id, "content", download=download)


@get("/files/{file_id:uuid}/thumbnail", permission=ANY_LOGIN, media_type="image/webp")
async def download_thumbnail(
    unit: Unit,
    runtime: Runtime,
    request: Request[Any, Any, Any],
    file_id: UUID,
    size: Size = "small",
) -> Stream:
    """A small picture of a photo."""
    return await _send(unit, runtime, request, file_id, size)


@get(
    "/files/{file_id:uuid}/original",
    permission="files.originals",
    media_type="application/octet-stream",
)
async def download_original(
    unit: Unit, runtime: Runtime, request: Request[Any, Any, Any], file_id: UUID
) -> Stream:
    """The sealed original of a photo kept as evidence; the journal keeps who opened it."""
    return await _send(unit, runtime, request, file_id, "original", download=True)


async def _send(
    unit: Unit,
    runtime: Runtime,
    request: Request[Any, Any, Any],
    file_id: UUID,
    kind: Rendition,
    *,
    download: bool = False,
) -> Stream:
    store = keeping.store_of(runtime.settings)
    sealed = kind == "original"
    found = await service.open_rendition(unit, store, file_id, kind, sealed=sealed)
    etag = f'"{found.sha256}"'
    headers = {
        "ETag": etag,
        # Asked for again each time: who may see a file changes, its bytes never do.
        "Cache-Control": "no-store" if sealed else "private, no-cache",
        "Content-Type": found.media_type,
        "Content-Disposition": rules.disposition(found.name, found.media_type, download=download),
        "Content-Security-Policy": _SANDBOX,
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
    }
    asked = request.headers.get("if-none-match", "")
    if etag in {tag.strip().removeprefix("W/") for tag in asked.split(",")}:
        return _empty(304, headers)
    span = None
    if request.headers.get("if-range", etag) == etag:
        span = rules.wanted_range(request.headers.get("range"), found.bytes)
    first, last = span or (0, found.bytes - 1)
    if span is not None:
        headers["Content-Range"] = f"bytes {first}-{last}/{found.bytes}"
    headers["Content-Length"] = str(last - first + 1)
    # Opened before the transaction ends: what is swept meanwhile is sent all the same.
    file = await asyncio.to_thread(_open, found, first)
    return Stream(
        _chunks(file, last - first + 1),
        status_code=206 if span is not None else 200,
        headers=headers,
        media_type=found.media_type,
    )


def _open(found: Opened, first: int) -> BinaryIO:
    try:
        file = found.path.open("rb")
    except FileNotFoundError as error:
        raise service.no_file() from error
    file.seek(first)
    return file


async def _chunks(file: BinaryIO, left: int) -> AsyncIterator[bytes]:
    with file:
        while left > 0:
            chunk = await asyncio.to_thread(file.read, min(_CHUNK, left))
            if not chunk:
                return
            left -= len(chunk)
            yield chunk


def _empty(status: int, headers: dict[str, str]) -> Any:
    return Response(b"", status_code=status, headers=headers)


ROUTES = [
    upload_files,
    list_attachments,
    read_file,
    download_file,
    download_thumbnail,
    download_original,
]
