"""Decodes a photo and writes it again without anything but its pixels. Runs alone, see isolation.

Reads {"path", "format", "written", "most_pixels", "sizes"} from its input; writes `content` and a
file a size into its folder; answers with what it wrote and what the photo said of itself.
"""

import contextlib
import datetime
import io
import json
import os
import resource
import sys
from typing import Any

EXIF, GPS = 0x8769, 0x8825
TAKEN, OFFSET = 36867, 36881
SUFFIX = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
MOST_WRITTEN = 400_000_000


class Refused(Exception):
    """The photo cannot be taken: a code and a sentence."""


def limit(megabytes: int, seconds: int) -> None:
    memory = megabytes * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_WRITTEN, MOST_WRITTEN))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def degrees(values: Any, hemisphere: Any) -> float | None:
    try:
        whole, minutes, seconds = (float(v) for v in values)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    found = whole + minutes / 60 + seconds / 3600
    return -found if str(hemisphere).upper()[:1] in ("S", "W") else found


def suggestions(exif: Any) -> dict[str, Any]:
    """Capture time and place, as far as they make sense."""
    found: dict[str, Any] = {}
    details = exif.get_ifd(EXIF)
    taken = str(details.get(TAKEN, "")).strip("\0 ")
    if len(taken) == 19:
        day, _, time = taken.partition(" ")
        offset = str(details.get(OFFSET, ""))[:6].strip("\0 ")
        found["taken"] = f"{day.replace(':', '-')}T{time}{offset}"
        try:
            datetime.datetime.fromisoformat(found["taken"])
        except ValueError:
            del found["taken"]
    gps = exif.get_ifd(GPS)
    lat, lon = degrees(gps.get(2), gps.get(1)), degrees(gps.get(4), gps.get(3))
    if lat is not None and lon is not None and abs(lat) <= 90 and abs(lon) <= 180 and (lat or lon):
        found["lat"], found["lon"] = round(lat, 6), round(lon, 6)
    return found


def in_srgb(image: Any) -> Any:
    """The pixels in the colours every screen assumes, since the profile goes too."""
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA"):
        return image
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
        turned = ImageCms.profileToProfile(
            image.convert("RGB"),
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
        )
        if alpha is not None and turned is not None:
            turned.putalpha(alpha)
        return turned or image
    return image


def write(image: Any, name: str, media_type: str, quality: int) -> dict[str, Any]:
    """Write pixels, and nothing that came with them, to disk."""
    bare = image.copy()
    bare.info = {}
    if media_type == "image/jpeg" and bare.mode != "RGB":
        if bare.mode == "RGBA":
            from PIL import Image

            white = Image.new("RGB", bare.size, "white")
            white.paste(bare, mask=bare.getchannel("A"))
            bare = white
        else:
            bare = bare.convert("RGB")
    options = {"quality": quality} if media_type != "image/png" else {}
    with open(name, "wb") as file:
        bare.save(file, SUFFIX[media_type], **options)
        file.flush()
        os.fsync(file.fileno())
    return {"name": name, "media_type": media_type, "width": bare.width, "height": bare.height}


def work(request: dict[str, Any]) -> dict[str, Any]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    most = request["most_pixels"]
    Image.MAX_IMAGE_PIXELS = most
    if request["format"] == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    try:
        opened = Image.open(request["path"], formats=[request["format"]])
    except UnidentifiedImageError as error:
        raise Refused("file_unreadable", "This is not a photo that can be read.") from error
    except Image.DecompressionBombError as error:
        raise Refused("image_too_large", f"The photo has over {most} pixels.") from error
    # The header only: nothing is decoded before its size is known to be fit.
    if opened.width * opened.height > most:
        raise Refused(
            "image_too_large",
            f"The photo has {opened.width} x {opened.height} pixels: send one of {most} at most.",
        )
    try:
        said = suggestions(opened.getexif())
    except Exception:
        said = {}
    opened.load()
    image: Any = ImageOps.exif_transpose(opened)
    if image.mode in ("P", "PA", "LA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
    elif image.mode not in ("RGB", "RGBA", "L"):
        image = image.convert("RGB")
    image = in_srgb(image)
    files = [write(image, "content", request["written"], 90)]
    for name, edge in request["sizes"].items():
        small = image.copy()
        small.thumbnail((edge, edge))
        files.append(write(small, name, "image/webp", 80))
    return {"files": files, "suggestions": said}


def main() -> None:
    limit(int(sys.argv[1]), int(sys.argv[2]))
    try:
        answer = {"result": work(json.load(sys.stdin))}
    except Refused as refused:
        answer = {"error": refused.args[0], "detail": refused.args[1]}
    except MemoryError:
        answer = {"error": "image_too_large", "detail": "The photo needs too much memory."}
    except Exception as error:
        answer = {
            "error": "file_unreadable",
            "detail": f"This photo cannot be read: it is damaged ({type(error).__name__}).",
        }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
