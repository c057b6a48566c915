"""Documents: in the house's style, for screen readers too, without reach, in bounds, signed."""

import io

import pytest

from vigie.core.errors import Invalid
from vigie.core.settings import Settings
from vigie.files import Heading, Template, pdf

HEADING = Heading("Relève de nuit", city="Dijon métropole", subtitle="du 4 au 5 mai")
DATA = {"columns": ["Heure", "Quoi"], "rows": [["02:10", "#panic() *gras* <b> ` $x$ é"]]}


def template(name: str) -> Template:
    return Template("tests.vigie.files", name)


def reader(body: bytes):
    from pyhanko.pdf_utils.reader import PdfFileReader

    return PdfFileReader(io.BytesIO(body))


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_a_document_says_its_title_and_language_and_is_tagged(language):
    body = await pdf.render(template("report"), DATA, language, heading=HEADING)
    root = reader(body).root
    assert str(root["/Lang"]).startswith(language)
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert b"pdfuaid" in root["/Metadata"].data
    assert "Relève de nuit".encode() in root["/Metadata"].data
    assert root["/Pages"]["/Count"] == 1


async def test_data_is_never_run_as_markup():
    # `#panic()` would fail the document if it were.
    assert await pdf.render(template("report"), DATA, "fr", heading=HEADING)
    heading = Heading("#panic()", city='#read("/etc/passwd")')
    assert await pdf.render(template("report"), DATA, "fr", heading=heading)


@pytest.mark.parametrize("path", ["/etc/passwd", "../../../../etc/passwd", "/../etc/passwd"])
async def test_a_template_reads_nothing_outside_its_folder(path):
    with pytest.raises(Invalid) as refused:
        await pdf.render(template("thief"), {"path": path}, "fr", heading=HEADING)
    assert refused.value.code == "template_failed"
    assert "root:" not in refused.value.detail


async def test_a_template_reaches_no_network():
    with pytest.raises(Invalid) as refused:
        await pdf.render(template("caller"), {}, "fr", heading=HEADING)
    assert refused.value.code == "template_failed"


async def test_pages_and_time_and_data_are_bounded(monkeypatch):
    whole = await pdf.render(template("long"), {"pages": 10}, "fr", heading=HEADING)
    assert reader(whole).root["/Pages"]["/Count"] == 11
    with pytest.raises(Invalid) as refused:
        await pdf.render(template("long"), {"pages": 300}, "fr", heading=HEADING)
    assert refused.value.code == "template_failed"
    with pytest.raises(Invalid) as refused:
        await pdf.render(template("report"), "x" * 6_000_000, "fr", heading=HEADING)
    assert refused.value.code == "document_too_large"
    monkeypatch.setattr(pdf, "_SECONDS", 1.0)
    with pytest.raises(Invalid) as refused:
        await pdf.render(template("forever"), {}, "fr", heading=HEADING)
    assert refused.value.code == "file_unreadable"


def checked(body: bytes, certificate: bytes):
    from asn1crypto.x509 import Certificate
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    root = Certificate.load(certificate)
    (signature,) = reader(body).embedded_signatures
    return validate_pdf_signature(
        signature, signer_validation_context=ValidationContext(trust_roots=[root])
    )


def test_a_signature_is_whole_until_a_byte_changes(tmp_path):
    import asyncio

    from vigie.files.signing import certificate

    settings = Settings(var=str(tmp_path))
    body = asyncio.run(pdf.render(template("report"), DATA, "fr", heading=HEADING, sign=settings))
    status = checked(body, certificate(settings))
    assert status.intact
    assert status.valid
    assert status.trusted
    at = body.index(b"/Lang") + 8
    changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
    assert not checked(changed, certificate(settings)).intact
    key = tmp_path / "secrets" / "files-signing.p12"
    assert key.stat().st_mode & 0o077 == 0


def test_a_key_of_ones_own_signs(tmp_path):
    import asyncio

    from vigie.files import signing

    own = tmp_path / "city.p12"
    own.write_bytes(signing._made(b"geheim"))  # pyright: ignore[reportPrivateUsage]
    settings = Settings(var=str(tmp_path), files_sign_pkcs12=str(own), files_sign_password="geheim")
    body = asyncio.run(pdf.render(template("report"), DATA, "fr", heading=HEADING, sign=settings))
    assert checked(body, signing.certificate(settings)).valid
    from vigie.core.errors import SetupError

    wrong = Settings(var=str(tmp_path), files_sign_pkcs12=str(own), files_sign_password="no")
    with pytest.raises(SetupError):
        signing.sign(body, wrong, "x")
