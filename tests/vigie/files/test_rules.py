"""Names, types, ranges: decided without reading a file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.errors import Invalid
from vigie.files import rules


@given(st.text(max_size=400))
def test_a_name_is_one_line_without_folders_and_bounded(name):
    tidy = rules.clean_name(name)
    assert len(tidy) <= rules.MOST_NAME
    assert tidy.isprintable()
    assert not set(tidy) & set('/\\<>:"|?*\0\n\r')
    assert not tidy.startswith(".")


@given(st.text(max_size=400), st.sampled_from(sorted(rules.TYPES)))
def test_a_name_always_ends_as_its_type_says(name, media_type):
    found, _ = rules.named(name, media_type)
    assert found.rpartition(".")[2].lower() in rules.TYPES[media_type].extensions
    assert len(found.rpartition(".")[0]) > 0
    assert len(found) <= rules.MOST_NAME
    assert rules.named(found, media_type) == (found, False)


@pytest.mark.parametrize(
    ("given", "media_type", "kept"),
    [
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("C:\\Users\\x\\photo.PNG", "image/jpeg", "photo.jpg"),
        ("photo.JPEG", "image/jpeg", "photo.JPEG"),
        ("facture.pdf.exe", "application/pdf", "facture.pdf.exe.pdf"),
        ("eda\u202egnp.pdf", "application/pdf", "edagnp.pdf"),
        ("", "image/png", "file.png"),
        (".htaccess", "text/plain", "htaccess.txt"),
        ("12.06 fuite rue Monge", "image/jpeg", "12.06 fuite rue Monge.jpg"),
    ],
)
def test_names_people_and_attackers_send(given, media_type, kept):
    assert rules.named(given, media_type)[0] == kept


@pytest.mark.parametrize(
    "head",
    [
        b"<html><body>",
        b"  \n<!DOCTYPE HTML>",
        b"hello <SCRIPT src=x>",
        b'<?xml version="1.0"?><svg onload="x"/>',
        b"#!/bin/sh\nrm",
        b"<?php system($_GET[0]);",
        b"text \x00 with zero",
        b"\x01\x02\x03",
    ],
)
def test_what_a_browser_or_a_shell_would_run_is_no_text(head):
    with pytest.raises(Invalid) as refused:
        rules.text_type(head, "notes.txt")
    assert refused.value.code == "file_type_refused"


def test_texts_are_texts():
    assert rules.text_type("Relève : 3 < 5 et 7 > 2, été".encode(), "a.txt") == "text/plain"
    assert rules.text_type("Relève".encode("latin-1"), "a.txt") == "text/plain"
    assert rules.text_type(b"a;b\n1;2", "a.CSV") == "text/csv"
    # The head of a longer file ends where it ends: in the middle of a letter too.
    assert rules.text_type("é".encode()[:1], "a.txt") == "text/plain"


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "C:\\x", "\\\\host\\x"])
def test_an_archive_may_not_leave_its_folder(name):
    with pytest.raises(Invalid) as refused:
        rules.zip_type(["fine.txt", name], "")
    assert refused.value.code == "archive_names"


def test_archives_are_what_their_names_say():
    office = "application/vnd.openxmlformats-officedocument."
    assert rules.zip_type(["[Content_Types].xml", "word/document.xml"], "").startswith(office)
    assert rules.zip_type(["a.txt"], "") == "application/zip"
    odt = "application/vnd.oasis.opendocument.text"
    assert rules.zip_type(["mimetype", "content.xml"], odt) == odt
    for program in ("META-INF/MANIFEST.MF", "word/vbaProject.bin", "AndroidManifest.xml"):
        with pytest.raises(Invalid):
            rules.zip_type(["[Content_Types].xml", "word/document.xml", program], "")


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(1, 1000))
def test_a_range_lies_inside_the_file(first, last, size):
    try:
        span = rules.wanted_range(f"bytes={first}-{last}", size)
    except rules.RangeNotSatisfiable:
        assert first >= size
        return
    if span is None:
        assert last < first
    else:
        assert span == (first, min(last, size - 1))


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("bytes=0-", (0, 9)),
        ("bytes=-3", (7, 9)),
        ("bytes=-99", (0, 9)),
        ("bytes=0-1,4-5", None),
        ("bytes=-", None),
        ("pages=1-2", None),
        (None, None),
    ],
)
def test_ranges_browsers_send(header, span):
    assert rules.wanted_range(header, 10) == span


def test_a_range_outside_is_refused():
    for header in ("bytes=10-", "bytes=-0"):
        with pytest.raises(rules.RangeNotSatisfiable):
            rules.wanted_range(header, 10)


def test_only_what_cannot_run_is_shown_in_place():
    assert rules.disposition("é.jpg", "image/jpeg", download=False).startswith("inline")
    for media_type in ("application/pdf", "text/plain", "application/zip", "text/html"):
        assert rules.disposition("x", media_type, download=False).startswith("attachment")
    header = rules.disposition('a"\r\nX: y', "image/png", download=True)
    assert "\r" not in header
    assert header.count('"') == 2
