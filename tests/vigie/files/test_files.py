"""Upload, attach, see, download, take away: over HTTP, with real engines and a real disk."""

import asyncio
import hashlib
import io
import zipfile
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from tests.support.web import person
from tests.vigie.files.conftest import photo
from vigie.core import verbs
from vigie.core.errors import Conflict, NotFound
from vigie.core.objects import Ref
from vigie.core.scope import Grant, Principal
from vigie.files import AttachFile, DetachFile, attached_to, keep_document
from vigie.files.keeping import store_of
from vigie.files.sweep import Sweep

LIMITS = {"files_max_bytes": 400_000, "files_person_bytes": 1_500_000}
PDF = b"%PDF-1.7\n" + b"x" * 3000
INSIDE = Ref("things.thing", "inside")


async def put(browser, body, *, name="a.pdf", kind="application/pdf", **params):
    return await browser.post(
        "/api/v1/files",
        content=body,
        params={"name": name, **params},
        headers={"Content-Type": kind},
    )


async def uploaded(browser, body=PDF, **options):
    answer = await put(browser, body, **options)
    assert answer.status_code == 201, answer.text
    return answer.json()["items"][0]


async def unit_of(runtime, username):
    """A unit of work as that person, outside HTTP: what a room's own verb would have."""
    async with runtime.database.unit() as unit:
        row = (
            await unit.execute(
                text("select id from access.account where username = :u"), {"u": username}
            )
        ).one()
        grants = {"crew": "21231", "stranger": "21166"}
        grant = Grant("crew_of_things", grants[username])
    return runtime.database.unit(Principal(row.id, username, "user", (grant,)))


async def attach(runtime, username, file, to=INSIDE, **options):
    async with await unit_of(runtime, username) as unit:
        return await verbs.call(unit, "files.attach", AttachFile(file, to, **options))


async def test_a_file_is_its_uploaders_until_it_belongs_to_an_object(crew, stranger, files_runtime):
    file = (await uploaded(crew))["file"]
    address = f"/api/v1/files/{file['id']}"
    assert file["scan"] == "not_scanned"
    assert (await crew.get(address)).content == PDF
    assert (await stranger.get(address)).status_code == 404
    with pytest.raises(NotFound):
        await attach(files_runtime, "stranger", UUID(file["id"]))

    made = await attach(files_runtime, "crew", UUID(file["id"]), caption="La fuite")
    assert made.caption == "La fuite"
    listed = await crew.get(
        "/api/v1/files", params={"object_type": "things.thing", "object_id": "inside"}
    )
    assert [a["id"] for a in listed.json()["items"]] == [str(made.id)]
    hidden = await stranger.get(
        "/api/v1/files", params={"object_type": "things.thing", "object_id": "inside"}
    )
    assert hidden.status_code == 404
    for part in ("", "/thumbnail", "/about"):
        assert (await stranger.get(address + part)).status_code == 404

    # A third person, who never uploaded anything, sees it by the object's permission alone.
    async with await unit_of(files_runtime, "stranger") as unit:
        with pytest.raises(NotFound):
            await verbs.call(unit, "files.detach", DetachFile(made.id))
    async with await unit_of(files_runtime, "crew") as unit:
        await verbs.call(unit, "files.detach", DetachFile(made.id))
        assert await attached_to(unit, INSIDE) == []


async def test_another_of_the_crew_sees_it_and_a_viewer_does_not(app, crew, files_runtime):
    file = (await uploaded(crew, PDF + b"2"))["file"]
    await attach(files_runtime, "crew", UUID(file["id"]), to=Ref("things.thing", "other"))
    async with await person(app, files_runtime, "colleague", "crew_of_things@21231") as colleague:
        assert (await colleague.get(f"/api/v1/files/{file['id']}")).status_code == 200
    async with await person(app, files_runtime, "looker", "viewer") as viewer:
        assert (await viewer.get(f"/api/v1/files/{file['id']}")).status_code == 404
        assert (await put(viewer, PDF)).status_code == 403


async def test_the_same_content_is_once_on_disk(crew, files_runtime, owner):
    first = await uploaded(crew, PDF + b"same")
    second = await uploaded(crew, PDF + b"same", name="b.pdf")
    assert first["file"]["id"] != second["file"]["id"]
    sha256 = hashlib.sha256(PDF + b"same").hexdigest()
    assert store_of(files_runtime.settings).path(sha256).read_bytes() == PDF + b"same"
    rows = await owner.execute("select count(*) from files.rendition where sha256 = %s", [sha256])
    assert (await rows.fetchone()) == (2,)


async def test_two_uploads_of_the_same_at_once_and_a_sweep_between(crew, files_runtime):
    body = PDF + b"at once"
    sweep = Sweep(files_runtime.database, files_runtime.settings, grace_s=0)
    answers = await asyncio.gather(
        *(put(crew, body, name=f"{n}.pdf") for n in range(4)), sweep.whole(), sweep.whole()
    )
    for answer in answers[:4]:
        assert answer.status_code == 201, answer.text
        file = answer.json()["items"][0]["file"]
        assert (await crew.get(f"/api/v1/files/{file['id']}")).content == body


async def test_a_sweep_waits_for_who_places_the_same_content(files_runtime, owner):
    settings = files_runtime.settings
    body = PDF + b"raced"
    async with files_runtime.database.unit() as unit:
        await keep_document(unit, settings, "raced.pdf", body)
        # On disk, and its row not committed: to a sweep that did not wait it looks left behind.
        sweep = Sweep(files_runtime.database, settings, grace_s=0)
        sweeping = asyncio.create_task(sweep.whole())
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        while not sweeping.done() and (await (await owner.execute(waiting)).fetchone()) == (0,):
            await asyncio.sleep(0.01)
        assert not sweeping.done()
    await sweeping
    assert store_of(settings).path(hashlib.sha256(body).hexdigest()).read_bytes() == body


async def test_a_photo_comes_back_without_where_it_was_taken(crew):
    made = await uploaded(crew, photo(), name="IMG_1.png", kind="image/png")
    assert made["corrected"] is True
    assert made["file"]["name"] == "IMG_1.jpg"
    assert made["file"]["thumbnails"] == ["small", "large"]
    assert made["suggestions"]["lat"] == pytest.approx(47.322, abs=0.001)
    answer = await crew.get(f"/api/v1/files/{made['file']['id']}")
    assert b"SECRET" not in answer.content
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"].startswith("inline")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    small = await crew.get(f"/api/v1/files/{made['file']['id']}/thumbnail")
    assert small.headers["content-type"] == "image/webp"
    assert b"SECRET" not in small.content


async def test_nothing_of_an_ordinary_photos_original_stays_on_disk(crew, files_runtime):
    body = photo(size=(70, 50))
    await uploaded(crew, body, name="x.jpg", kind="image/jpeg")
    for path in store_of(files_runtime.settings).folder.rglob("*"):
        assert not path.is_file() or b"SECRET" not in path.read_bytes()


async def test_evidence_keeps_the_original_sealed(app, crew, files_runtime, owner):
    body = photo(size=(80, 60))
    made = await uploaded(crew, body, name="e.jpg", kind="image/jpeg", evidence="true")
    address = f"/api/v1/files/{made['file']['id']}"
    assert b"SECRET" not in (await crew.get(address)).content
    assert (await crew.get(address + "/original")).status_code == 403
    async with await person(app, files_runtime, "chief", "administrator") as chief:
        # Not attached: it is the uploader's alone.
        assert (await chief.get(address + "/original")).status_code == 404
        await attach(files_runtime, "crew", UUID(made["file"]["id"]))
        answer = await chief.get(address + "/original")
        assert answer.content == body
        assert answer.headers["content-disposition"].startswith("attachment")
    rows = await owner.execute(
        "select after->>'original' from journal.change where object_id = %s and after ? 'original'",
        [made["file"]["id"]],
    )
    assert await rows.fetchone() == (hashlib.sha256(body).hexdigest(),)
    rows = await owner.execute(
        "select count(*) from journal.entry where act = 'files.original_read'"
    )
    assert await rows.fetchone() == (1,)


async def test_a_form_of_several_files_is_all_or_nothing(crew, owner):
    good = {"a": ("a.pdf", PDF + b"f1", "application/pdf")}
    answer = await crew.post(
        "/api/v1/files", files={**good, "b": ("../b.txt", b"bonjour", "text/plain")}
    )
    assert answer.status_code == 201, answer.text
    assert [item["file"]["name"] for item in answer.json()["items"]] == ["a.pdf", "b.txt"]
    before = await (await owner.execute("select count(*) from files.file")).fetchone()
    answer = await crew.post(
        "/api/v1/files", files={**good, "b": ("b.html", b"<html><script>", "text/html")}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "file_type_refused")
    assert await (await owner.execute("select count(*) from files.file")).fetchone() == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"MZ" + b"\0" * 200, "file_type_refused"),
        (b"\x7fELF" + b"\0" * 200, "file_type_refused"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>", "file_type_refused"),
        (b"", "file_empty"),
        (photo()[:300], "file_unreadable"),
        (b"PK\x03\x04" + b"x" * 100, "file_unreadable"),
        (PDF + b"x" * 400_000, "file_too_large"),
    ],
)
async def test_what_is_refused_leaves_nothing(crew, files_runtime, body, code):
    store = store_of(files_runtime.settings)
    before = sorted(p for p in store.folder.rglob("*") if p.is_file())
    answer = await put(crew, body)
    assert answer.json()["code"] == code
    assert sorted(p for p in store.folder.rglob("*") if p.is_file()) == before
    assert not list((store.folder / "tmp").iterdir())


async def test_an_archive_with_names_that_climb_is_refused(crew):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../etc/cron.d/x", "x")
    answer = await put(crew, packed.getvalue(), name="x.zip", kind="application/zip")
    assert answer.json()["code"] == "archive_names"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--\r\n", "form_not_files"),
        (b"--x\r\nContent-Disposition: form-data; name=a; filename=a\r\n\r\ncut", "form_broken"),
        (b"no form at all", "form_broken"),
        (b"--x--\r\n", "form_empty"),
    ],
)
async def test_broken_forms_are_refused(crew, body, code):
    answer = await put(crew, body, kind="multipart/form-data; boundary=x")
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_too_many_files_in_one_form(crew):
    answer = await crew.post(
        "/api/v1/files", files=[("f", (f"{n}.txt", b"x", "text/plain")) for n in range(11)]
    )
    assert answer.json()["code"] == "form_too_many"


async def test_ranges_etags_and_conditions(crew):
    file = (await uploaded(crew, PDF + b"range"))["file"]
    address = f"/api/v1/files/{file['id']}"
    whole = await crew.get(address)
    part = await crew.get(address, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, whole.content[2:6])
    assert part.headers["content-range"] == f"bytes 2-5/{file['bytes']}"
    last = await crew.get(address, headers={"Range": "bytes=-5"})
    assert last.content == b"range"
    outside = await crew.get(address, headers={"Range": "bytes=999999-"})
    assert outside.status_code == 416
    tag = whole.headers["etag"]
    again = await crew.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    changed = await crew.get(address, headers={"Range": "bytes=2-5", "If-Range": '"other"'})
    assert (changed.status_code, changed.content) == (200, whole.content)


async def test_a_quota_is_refused_before_it_is_read_and_when_uploads_meet(app, files_runtime):
    async with await person(app, files_runtime, "hoarder", "operator") as hoarder:
        for n in range(3):
            await uploaded(hoarder, PDF + bytes([n]) * 390_000)
        read = 0

        async def body():
            nonlocal read
            for _ in range(400):
                read += 1000
                yield b"%PDF" + b"x" * 996

        headers = {"Content-Type": "application/pdf", "Content-Length": "400000"}
        answer = await hoarder.post("/api/v1/files", content=body(), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "files_quota_full")
        assert read < 400_000
        # Without a length it is read as far as there is room.
        read, endless = 0, body()
        answer = await hoarder.post("/api/v1/files", content=endless)
        assert (answer.status_code, answer.json()["code"]) == (413, "upload_too_large")
        assert read < 400_000
        # Each would fit alone; those that come together may not pass together.
        answers = await asyncio.gather(
            *(put(hoarder, PDF + bytes([9 + n]) * 200_000) for n in range(3))
        )
        assert sorted(a.status_code for a in answers) == [201, 413, 413]


async def test_an_infected_file_is_put_aside_and_told(app, crew, files_runtime, tmp_path, owner):
    import msgspec

    scanner = tmp_path / "scanner"
    scanner.write_text(
        '#!/bin/sh\ngrep -q EICAR "$1" && { echo "$1: Eicar-Test FOUND"; exit 1; }\nexit 0\n'
    )
    scanner.chmod(0o755)
    before = files_runtime.settings
    files_runtime.settings = msgspec.structs.replace(before, files_scan=str(scanner))
    try:
        clean = await uploaded(crew, PDF + b"clean")
        assert clean["file"]["scan"] == "clean"
        answer = await put(crew, PDF + b"EICAR")
        assert (answer.status_code, answer.json()["code"]) == (422, "file_infected")
        assert "Eicar-Test" in answer.json()["params"]["threat"]
        row = await (
            await owner.execute("select id, state from files.file where scan = 'infected'")
        ).fetchone()
        assert row[1] == "quarantined"
        assert (await crew.get(f"/api/v1/files/{row[0]}")).status_code == 404
        with pytest.raises(Conflict):
            await attach(files_runtime, "crew", row[0])
        files_runtime.settings = msgspec.structs.replace(before, files_scan="clamd:/nowhere")
        answer = await put(crew, PDF + b"unknown")
        assert (answer.status_code, answer.json()["code"]) == (503, "scan_unavailable")
    finally:
        files_runtime.settings = before


async def test_clamd_is_asked_as_it_wants_to_be(tmp_path):
    from vigie.files.scan import scan

    received = bytearray()

    async def clamd(reader, writer):
        assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            received.extend(await reader.readexactly(size))
        writer.write(b"stream: Eicar FOUND\0" if b"EICAR" in received else b"stream: OK\0")
        await writer.drain()
        writer.close()

    path = tmp_path / "file"
    path.write_bytes(b"x" * 600_000 + b"EICAR")
    async with await asyncio.start_unix_server(clamd, tmp_path / "clamd"):
        assert await scan(f"clamd:{tmp_path}/clamd", path) == ("infected", "Eicar")
        assert bytes(received) == path.read_bytes()
        received.clear()
        path.write_bytes(b"fine")
        assert await scan(f"clamd:{tmp_path}/clamd", path) == ("clean", "")


async def test_what_belongs_to_nothing_is_swept_and_what_belongs_stays(app, files_runtime, owner):
    async with await person(app, files_runtime, "sweeper", "crew_of_things@21231") as browser:
        kept = (await uploaded(browser, PDF + b"kept"))["file"]
        gone = (await uploaded(browser, PDF + b"gone"))["file"]
    async with files_runtime.database.unit() as unit:
        await verbs.call(unit, "files.attach", AttachFile(UUID(kept["id"]), INSIDE))
    await owner.execute(
        "update files.file set loose_since = loose_since - interval '2 days' where id = any(%s)",
        [[kept["id"], gone["id"]]],
    )
    store = store_of(files_runtime.settings)
    orphan = hashlib.sha256(b"orphan").hexdigest()
    path = store.workspace() / "x"
    path.write_bytes(b"orphan")
    store.place(path, orphan)
    await Sweep(files_runtime.database, files_runtime.settings).whole()
    assert store.path(orphan).exists(), "what is young may be an upload's that runs"
    await Sweep(files_runtime.database, files_runtime.settings, grace_s=0).whole()
    assert not store.path(orphan).exists()
    assert store.path(hashlib.sha256(PDF + b"kept").hexdigest()).exists()
    assert not store.path(hashlib.sha256(PDF + b"gone").hexdigest()).exists()
    rows = await owner.execute("select id::text from files.file where id = any(%s)",
                               [[kept["id"], gone["id"]]])  # fmt: skip
    assert await rows.fetchall() == [(kept["id"],)]


async def test_what_is_counted_is_what_there_is(files_runtime, owner):
    rows = await owner.execute(
        """
        select (select bytes from files.usage where holder = 'all'),
               (select sum(bytes) from files.content)
        """
    )
    counted, there = await rows.fetchone()
    assert counted == there
    rows = await owner.execute(
        """
        select usage.holder, usage.bytes, usage.files, sum(c.bytes), count(distinct f.id)
          from files.usage
          join files.file f on 'user:' || f.owner = usage.holder
          join files.rendition r on r.file = f.id
          join files.content c using (sha256)
         group by 1, 2, 3
        """
    )
    for holder, size, files, held, there in await rows.fetchall():
        assert (size, files) == (held, there), holder


async def test_a_person_sees_their_files_and_is_forgotten(app, files_runtime, owner):
    from vigie.files.personal import erase, export

    async with await person(app, files_runtime, "leaver", "crew_of_things@21231") as browser:
        file = (await uploaded(browser, PDF + b"leaver", name="Jean Dupont.pdf"))["file"]
    async with files_runtime.database.unit() as unit:
        await verbs.call(unit, "files.attach", AttachFile(UUID(file["id"]), INSIDE, "Sa photo"))
        row = await unit.execute(text("select id from access.account where username = 'leaver'"))
        subject = f"user:{row.scalar_one()}"
        found = await export(unit, subject)
        assert [(f["name"], f["captions"]) for f in found] == [("Jean Dupont.pdf", ["Sa photo"])]
        assert await erase(unit, subject) == 1
        assert await export(unit, subject) == []
        names = [
            a.file.name for a in await attached_to(unit, INSIDE) if str(a.file.id) == file["id"]
        ]
        assert names == ["file.pdf"]


async def test_a_room_keeps_and_attaches_the_document_it_made(crew, files_runtime):
    async with await unit_of(files_runtime, "crew") as unit:
        file = await keep_document(unit, files_runtime.settings, "Relève du 4 mai", PDF + b"made")
        to = Ref("things.thing", "other")
        await verbs.call(unit, "files.attach", AttachFile(file.id, to, position=0))
    assert file.name == "Relève du 4 mai.pdf"
    answer = await crew.get(f"/api/v1/files/{file.id}")
    assert answer.content == PDF + b"made"
    assert "filename*=UTF-8''Rel%C3%A8ve" in answer.headers["content-disposition"]


async def test_files_that_do_not_exist_are_not_found(crew):
    for part in ("", "/thumbnail", "/about"):
        assert (await crew.get(f"/api/v1/files/{uuid4()}{part}")).status_code == 404
