"""Photos with all that must not be kept, an app, and a room whose things take files."""

import io
from collections.abc import AsyncIterator

import msgspec
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from tests.support.web import person
from vigie.app import every_room
from vigie.core.objects import ObjectType, Title
from vigie.core.permissions import Permission, Role
from vigie.core.rooms import Room, Rooms
from vigie.core.runtime import Runtime
from vigie.core.web import build_app


def photo(
    kind: str = "JPEG", size: tuple[int, int] = (64, 48), *, place: bool = True, turned: int = 1
) -> bytes:
    """A photo with camera, time, place, comment and XMP in it."""
    image = Image.radial_gradient("L").resize(size).convert("RGB")
    image.putpixel((0, 0), (255, 0, 0))
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAMERA"
    exif[0x0112] = turned
    exif.get_ifd(0x8769)[36867] = "2026:05:04 12:30:00"
    exif.get_ifd(0x8769)[36881] = "+02:00"
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0SECRETCOMMENT"
    if place:
        gps = exif.get_ifd(0x8825)
        gps[1], gps[2] = "N", (IFDRational(47), IFDRational(19), IFDRational(1935, 100))
        gps[3], gps[4] = "E", (IFDRational(5), IFDRational(2), IFDRational(2987, 100))
    out = io.BytesIO()
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>SECRETXMP</x:xmpmeta>"
    if kind == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
        image.save(out, "HEIF", exif=exif.tobytes(), xmp=xmp)
    elif kind == "PNG":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_text("Comment", "SECRETTEXT")
        image.save(out, "PNG", exif=exif, pnginfo=info)
    elif kind == "JPEG":
        image.save(out, "JPEG", exif=exif, xmp=xmp, comment=b"SECRETJPEG", quality=95)
    else:
        image.save(out, kind, exif=exif, xmp=xmp)
    return out.getvalue()


async def things(unit, ids):
    """Objects "inside" and "outside": the test's own room, seen by its own permission."""
    return {
        i: Title(f"thing {i}", municipality="21231", trade="x")
        for i in ids
        if i in ("inside", "other") and unit.scope.allows("21231", "x")
    }


OBJECTS = (ObjectType("things.thing", "things.read", things, "/things/{id}"),)
THINGS = Room(
    name="things",
    floor="twin",
    permissions=(Permission("things.read", "", ("crew_of_things", "administrator")),),
    roles=(Role("crew_of_things", "", holds=("files.upload", "files.attach")),),
    objects=f"{__name__}:OBJECTS",
)


@pytest.fixture(scope="module")
def rooms() -> Rooms:
    return Rooms([*every_room(), THINGS])


@pytest.fixture(scope="module")
def files_runtime(settings, database, bus, rooms, request) -> Runtime:
    """A runtime with the room of things, and small limits."""
    limits = getattr(request.module, "LIMITS", {})
    return Runtime(msgspec.structs.replace(settings, **limits), "test", database, bus, rooms)


@pytest.fixture(scope="module")
def app(files_runtime, rooms):
    return build_app(files_runtime, rooms.collect("routes"), rooms.permissions, rooms.roles)


@pytest.fixture(scope="module")
async def crew(app, files_runtime) -> AsyncIterator:
    async with await person(app, files_runtime, "crew", "crew_of_things@21231") as browser:
        yield browser


@pytest.fixture(scope="module")
async def stranger(app, files_runtime) -> AsyncIterator:
    """Holds every right of the crew, in another town."""
    async with await person(app, files_runtime, "stranger", "crew_of_things@21166") as browser:
        yield browser
