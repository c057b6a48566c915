"""Decisions on messages: by which channel, when, and the words."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.errors import Invalid
from vigie.core.settings import Settings
from vigie.core.templates import Template, Text, check, render
from vigie.notify import acknowledging, rules
from vigie.notify.contacts import allowed_service
from vigie.notify.rules import CASCADE, MESSAGE, after_quiet, choose, masked

PARIS = ZoneInfo("Europe/Paris")
instants = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
minutes = st.times().map(lambda t: t.replace(second=0, microsecond=0, fold=0))


@given(instants, minutes, minutes)
def test_quiet_hours_end_at_their_end_and_never_before_the_message(instant, start, end):
    due = after_quiet(instant, start, end, PARIS)
    assert instant <= due <= instant + timedelta(hours=25)
    if due != instant:
        assert due.astimezone(PARIS).time() == end or due.astimezone(PARIS).month in (3, 10)
    # What waited is not quiet any more.
    if start != end and due.astimezone(PARIS).time() == end:
        assert after_quiet(due, start, end, PARIS) == due


def test_a_night_goes_over_midnight_in_local_time():
    night = (time(22), time(7))
    evening = datetime(2026, 7, 1, 20, 30, tzinfo=UTC)  # 22:30 in Dijon
    assert after_quiet(evening, *night, PARIS) == datetime(2026, 7, 2, 5, tzinfo=UTC)
    early = datetime(2026, 7, 2, 4, 59, tzinfo=UTC)
    assert after_quiet(early, *night, PARIS) == datetime(2026, 7, 2, 5, tzinfo=UTC)
    day = datetime(2026, 7, 2, 5, 0, tzinfo=UTC)
    assert after_quiet(day, *night, PARIS) == day


def test_the_senders_word_counts_then_the_persons_then_what_can_reach_them():
    able = {"mail", "sms", "hand"}
    assert choose("sms", {"x.y": "mail"}, "x.y", able) == "sms"
    assert choose(None, {"x.y": "sms", "*": "mail"}, "x.y", able) == "sms"
    assert choose(None, {"*": "sms"}, "x.y", able) == "sms"
    assert choose(None, {"*": "push"}, "x.y", able) == "mail"
    assert choose(None, {}, "x.y", {"hand"}) == "hand"


def test_what_was_sent_is_never_taken_again_and_what_was_cancelled_never_sent():
    assert "take" not in MESSAGE.verbs_from("sent") + MESSAGE.verbs_from("delivered")
    assert MESSAGE.verbs_from("cancelled") == ()
    assert CASCADE.verbs_from("acknowledged") == ()


def test_addresses_are_masked():
    assert masked("prenom.nom@dijon.fr") == "p…@dijon.fr"
    assert masked("+33612345689") == "+33…89"


class Facts(msgspec.Struct, frozen=True):
    """Parameters of a message."""

    place: str
    at: datetime


TEMPLATE = Template(
    "x.y",
    Facts,
    fr=Text("Panne à {place}", "Depuis le {at}."),
    en=Text("Failure at {place}", "Since {at}.", "{place} failed"),
)


def test_words_are_in_the_language_and_the_local_time_of_who_reads_them():
    params = check(TEMPLATE, {"place": "Dijon", "at": "2026-07-01T20:30:00Z"})
    french = render(TEMPLATE, params, "fr", PARIS)
    assert (french.subject, french.body) == ("Panne à Dijon", "Depuis le 01/07/2026 à 22:30.")
    assert french.short == "Panne à Dijon"
    assert render(TEMPLATE, params, "en", PARIS).short == "Dijon failed"


def test_a_value_is_text_and_nothing_else():
    params = check(TEMPLATE, {"place": "{at}\r\nBcc: x@y.z", "at": "2026-07-01T20:30:00Z"})
    assert render(TEMPLATE, params, "fr", PARIS).subject == "Panne à {at} Bcc: x@y.z"


def test_wrong_parameters_and_texts_are_refused():
    with pytest.raises(Invalid, match="place"):
        check(TEMPLATE, {"at": "2026-07-01T20:30:00Z"})
    for wrong in ("{nobody}", "{place.__class__}", "{place!r}", "{place:>90}"):
        with pytest.raises(ValueError, match="no parameter"):
            Template("x.z", Facts, fr=Text(wrong, ""), en=Text("", ""))


@given(st.uuids(), st.text(max_size=60))
def test_only_we_can_compute_a_link(tmp_path_factory, message: UUID, noise: str):
    settings = Settings(var=str(tmp_path_factory.getbasetemp()))
    token = acknowledging.token(settings, message)
    assert acknowledging.read(settings, token) == message
    assert len(token) == 38
    assert acknowledging.read(settings, noise) is None
    changed = ("B" if token[0] == "A" else "A") + token[1:]
    assert acknowledging.read(settings, changed) is None


def test_only_push_services_of_the_installation_are_called():
    settings = Settings(push_services="mozilla.com, http://127.0.0.1:9")
    for good in ("https://updates.push.services.mozilla.com/x", "http://127.0.0.1:9/x"):
        assert allowed_service(settings, good)
    for bad in (
        "https://evilmozilla.com/x",
        "http://mozilla.com/x",
        "https://mozilla.com:8443/x",
        "https://mozilla.com@evil.org/x",
        "https://u@mozilla.com/x",
        "http://127.0.0.1:99/x",
        "http://169.254.169.254/",
    ):
        assert not allowed_service(settings, bad), bad


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("06 12 34 56 78", "+33612345678"),
        ("+33 6.12.34.56.78", "+33612345678"),
        ("0049 (30) 123456", "+4930123456"),
        ("", ""),
        ("112", ""),
        ("ask at the gate", ""),
        ("+0612345678", ""),
    ],
)
def test_a_number_as_people_write_it_is_an_international_one(written, number):
    assert rules.international(written) == number
