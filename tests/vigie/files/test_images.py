"""Photos: only their pixels are kept, upright, in bounds; what is damaged or a bomb is refused."""

import io
import struct
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.vigie.files.conftest import photo
from vigie.core.errors import Invalid
from vigie.files import images
from vigie.files.sniff import sniff

TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "HEIF": "image/heic"}


async def processed(tmp_path, body: bytes, media_type: str):
    path = tmp_path / "given"
    path.write_bytes(body)
    folder = tmp_path / "out"
    folder.mkdir(exist_ok=True)
    return await images.process(path, media_type, folder), folder


@pytest.mark.parametrize("kind", TYPES)
async def test_no_metadata_is_left_and_what_it_said_is_suggested(tmp_path, kind):
    body = photo(kind)
    assert b"SECRET" in body
    (tmp_path / "sniffed").write_bytes(body)
    assert sniff(tmp_path / "sniffed", "x") == TYPES[kind]
    found, folder = await processed(tmp_path, body, TYPES[kind])
    assert found.suggestions.taken == "2026-05-04T12:30:00+02:00"
    assert found.suggestions.lat == pytest.approx(47.322042, abs=1e-5)
    assert found.suggestions.lon == pytest.approx(5.041631, abs=1e-5)
    for file in found.files:
        kept = (folder / file.name).read_bytes()
        assert b"SECRET" not in kept
        assert b"Exif" not in kept
        with Image.open(folder / file.name) as image:
            assert not image.getexif()
            assert not {"exif", "xmp", "comment", "icc_profile", "Comment"} & set(image.info)


async def test_a_photo_taken_sideways_stands_upright(tmp_path):
    found, folder = await processed(tmp_path, photo(size=(64, 48), turned=6), "image/jpeg")
    assert (found.files[0].width, found.files[0].height) == (48, 64)
    with Image.open(folder / "content") as image:
        assert image.size == (48, 64)


async def test_thumbnails_are_bounded_and_never_larger_than_the_photo(tmp_path):
    found, _ = await processed(tmp_path, photo(size=(2000, 1000)), "image/jpeg")
    sizes = {file.name: (file.width, file.height) for file in found.files}
    assert sizes == {"content": (2000, 1000), "large": (1280, 640), "small": (256, 128)}
    found, _ = await processed(tmp_path, photo(size=(30, 20)), "image/jpeg")
    assert {(file.width, file.height) for file in found.files} == {(30, 20)}


async def test_a_transparent_png_stays_transparent(tmp_path):
    out = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(out, "PNG")
    _, folder = await processed(tmp_path, out.getvalue(), "image/png")
    with Image.open(folder / "content") as image:
        assert image.mode == "RGBA"


def png_of(width: int, height: int) -> bytes:
    """A few hundred bytes that say they are a huge picture."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100_000, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


async def test_a_bomb_is_refused_before_it_is_decoded(tmp_path):
    with pytest.raises(Invalid) as refused:
        await processed(tmp_path, png_of(60_000, 60_000), "image/png")
    assert refused.value.code == "image_too_large"
    assert not list((tmp_path / "out").iterdir())


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0.02, 0.97), kind=st.sampled_from(sorted(TYPES)))
async def test_what_is_cut_short_is_refused_or_whole_without_metadata(tmp_path, cut, kind):
    body = photo(kind)
    code = "file_unreadable"
    try:
        _, folder = await processed(tmp_path, body[: int(len(body) * cut)], TYPES[kind])
        assert b"SECRET" not in (folder / "content").read_bytes()
    except Invalid as refused:
        code = refused.code
    assert code == "file_unreadable"


async def test_a_photo_that_is_an_archive_too_keeps_only_its_pixels(tmp_path):
    import zipfile

    packed = io.BytesIO(photo())
    packed.seek(0, io.SEEK_END)
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("evil.html", "<script>alert(1)</script>")
    body = packed.getvalue()
    assert zipfile.is_zipfile(io.BytesIO(body))
    _, folder = await processed(tmp_path, body, "image/jpeg")
    kept = (folder / "content").read_bytes()
    assert not zipfile.is_zipfile(io.BytesIO(kept))
    assert b"script" not in kept


async def test_a_decoder_that_takes_too_long_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "_SECONDS", 0.01)
    with pytest.raises(Invalid) as refused:
        await processed(tmp_path, photo(), "image/jpeg")
    assert refused.value.code == "file_unreadable"


@given(st.binary(min_size=1, max_size=3000))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_have_a_type_that_is_taken_or_are_refused(tmp_path, body):
    from vigie.files.rules import TYPES as TAKEN

    path = tmp_path / "any"
    path.write_bytes(body)
    try:
        found = sniff(path, "any.bin")
    except Invalid as refused:
        found = refused.code
    assert found in {*TAKEN, "file_type_refused", "file_unreadable", "archive_names"}
