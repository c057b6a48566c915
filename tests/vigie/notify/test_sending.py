"""Messages go to real servers, once; failures are told, and addresses told to nobody."""

import base64
import json
from datetime import datetime, time, timedelta
from urllib.parse import parse_qs

import http_ece
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from sqlalchemy import text

from tests.support.jobs import drain
from tests.support.providers import http_server, mail_server
from vigie.app import every_room
from vigie.core import clock, verbs
from vigie.core.errors import Conflict, Forbidden, Invalid, NotFound
from vigie.core.lists import ListQuery
from vigie.core.runtime import Runtime
from vigie.core.scope import Grant, Principal, scope_of
from vigie.notify import Send, To, contacts, personal, send, service
from vigie.notify.channels import smtp
from vigie.notify.check import check
from vigie.notify.listing import MESSAGES
from vigie.notify.model import ContactInput, NewSubscription, Outcome, Preferences

NOTE = {"subject": "Relève", "text": "Bonne nuit."}
PART = Principal(None, "p", "user", (Grant("operator", "21231", "lighting"),))


@pytest.fixture(scope="module")
def box():
    with mail_server() as made:
        yield made


@pytest.fixture
async def gateway():
    async with http_server() as made:
        yield made


@pytest.fixture
async def house(settings, database, bus, box, gateway, owner):
    """A runtime with all providers."""
    box.mails.clear()
    box.answer = box.recipient_answer = "250 OK"
    box.silent_s = 0
    await owner.execute("truncate core.job, notify.contact, notify.message cascade")
    made = msgspec.structs.replace(
        settings,
        smtp_url=box.url,
        mail_from="Vigie <vigie@dijon.example>",
        sms_url=gateway.origin + "/send?to={to}",
        sms_secret="s3cret",
        sms_success=r'"id":"(?P<id>[^"]+)"',
        push_contact="mailto:admin@dijon.example",
        push_services=gateway.origin,
    )
    return Runtime(made, "test", database, bus, every_room())


async def note(house, *to: To, principal=None, **more):
    """Send a note; the ids of its messages."""
    new = Send(to=list(to), template="notify.note", params=NOTE, **more)
    acts = (principal, scope_of(principal.grants)) if principal else ()
    async with house.database.unit(*acts) as unit:
        return (await send(unit, new)).messages


async def row(house, message):
    async with house.database.unit() as unit:
        found = await unit.execute(
            text("select * from notify.message where id = :id"), {"id": message}
        )
        return found.one()


async def test_a_mail_arrives_and_the_row_says_so(house, box):
    (message,) = await note(house, To(mail="a.b@dijon.example", name="Anne Été"))
    await drain(house)
    (mail,) = box.mails
    assert (mail["To"], mail["Subject"]) == ("Anne Été <a.b@dijon.example>", "Relève")
    assert mail.get_content().strip() == "Bonne nuit."
    found = await row(house, message)
    assert (found.state, found.maybe_twice) == ("sent", False)
    assert found.provider_id == mail["Message-ID"] == f"<{message}@dijon.example>"


async def test_a_message_rolled_back_with_its_verb_is_never_sent(house, box):
    with pytest.raises(RuntimeError):
        async with house.database.unit() as unit:
            new = Send(to=[To(mail="a@b.example")], template="notify.note", params=NOTE)
            await verbs.call(unit, "notify.send", new)
            raise RuntimeError
    await drain(house)
    assert box.mails == []


async def test_the_same_key_is_the_same_message(house, box):
    to = To(mail="a@b.example")
    first = await note(house, to, key="k1")
    assert await note(house, to, key="k1") == first
    await drain(house)
    assert await note(house, to, key="k1") == first
    await drain(house)
    assert len(box.mails) == 1


async def test_what_a_server_refuses_for_good_fails_at_once_and_without_the_address(house, box):
    box.recipient_answer = "550 no such user gone@b.example"
    (message,) = await note(house, To(mail="gone@b.example"))
    await drain(house)
    found = await row(house, message)
    assert (found.state, found.error_code) == ("failed", "mail_refused")
    assert "no such user" in found.error
    assert "gone@" not in found.error


async def test_what_a_server_refuses_for_now_is_tried_again(house, box, owner):
    box.answer = "451 try later"
    (message,) = await note(house, To(mail="a@b.example"))
    await drain(house)
    found = await row(house, message)
    assert (found.state, found.error_code, found.maybe_twice) == ("queued", "mail_deferred", False)
    box.answer = "250 OK"
    await owner.execute("update core.job set due = now(), held = null")
    await drain(house)
    found = await row(house, message)
    assert (found.state, found.error_code, found.maybe_twice) == ("sent", "", False)
    assert len(box.mails) == 1


async def test_what_nobody_knows_the_end_of_is_sent_again_and_says_so(house, box, owner):
    (message,) = await note(house, To(mail="a@b.example"))
    # As a worker that was killed after the provider took it leaves it.
    await owner.execute("update notify.message set state = 'sending'")
    await drain(house)
    found = await row(house, message)
    assert (found.state, found.maybe_twice) == ("sent", True)


async def test_a_server_that_falls_silent_after_the_mail_leaves_it_uncertain(
    house, box, owner, monkeypatch
):
    monkeypatch.setattr(smtp, "TIMEOUT_S", 0.5)
    box.silent_s = 2
    (message,) = await note(house, To(mail="a@b.example"))
    await drain(house)
    found = await row(house, message)
    assert (found.state, found.error_code, found.maybe_twice) == ("sending", "uncertain", False)
    box.silent_s = 0
    await owner.execute("update core.job set due = now(), held = null")
    await drain(house)
    found = await row(house, message)
    assert (found.state, found.error_code, found.maybe_twice) == ("sent", "", True)
    assert len({mail["Message-ID"] for mail in box.mails}) == 1


async def test_a_message_whose_job_is_given_up_on_fails(house, owner):
    (message,) = await note(house, To(mail="a@b.example"))
    await owner.execute("update core.job set attempt = 10, state = 'running', held = now()")
    await drain(house)
    found = await row(house, message)
    assert (found.state, found.error_code) == ("failed", "gave_up")


async def test_an_sms_goes_as_the_settings_say_and_no_text_breaks_out(house, gateway):
    new = {"subject": 'a"b\\c', "text": "x\ny & {secret} {to}"}
    async with house.database.unit() as unit:
        sent = await verbs.call(
            unit,
            "notify.send",
            {"to": [{"phone": "+33612345678"}], "template": "notify.note", "params": new},
        )
    await drain(house)
    ((line, headers, body),) = gateway.requests
    assert line.startswith("POST /send?to=%2B33612345678 ")
    assert headers["authorization"] == "Bearer s3cret"
    assert headers["idempotency-key"] == str(sent.messages[0])
    assert json.loads(body) == {
        "to": "+33612345678",
        "text": 'a"b\\c : x y & {secret} {to}',
    }
    assert (await row(house, sent.messages[0])).provider_id == "sms-77"


async def test_a_gateway_of_forms_and_one_that_says_no(house, gateway):
    form = msgspec.structs.replace(
        house.settings,
        sms_headers="Content-Type: application/x-www-form-urlencoded",
        sms_body="n={to}&m={text}",
    )
    house = Runtime(form, "test", house.database, house.bus, every_room())
    gateway.body = "error 12: number unknown"
    (message,) = await note(house, To(phone="+33612345678"))
    await drain(house)
    assert parse_qs(gateway.requests[0][2].decode())["n"] == ["+33612345678"]
    found = await row(house, message)
    assert (found.state, found.error_code) == ("failed", "sms_refused")


async def test_a_push_message_is_read_by_the_browser_alone(house, gateway):
    browser = ec.generate_private_key(ec.SECP256R1())
    point = browser.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    auth = b"0123456789abcdef"
    new = NewSubscription(
        gateway.origin + "/p1",
        base64.urlsafe_b64encode(point).decode().rstrip("="),
        base64.urlsafe_b64encode(auth).decode().rstrip("="),
    )
    async with house.database.unit() as unit:
        contact = (await contacts.create(unit, ContactInput("Anne"))).id
        await contacts.subscribe(unit, house.settings, contact, new)
        with pytest.raises(Invalid, match="push service"):
            wrong = msgspec.structs.replace(new, endpoint="http://127.0.0.1:1/x")
            await contacts.subscribe(unit, house.settings, contact, wrong)
    (message,) = await note(house, To(contact=contact))
    await drain(house)
    ((_, headers, body),) = gateway.requests
    assert b"Bonne" not in body
    clear = json.loads(http_ece.decrypt(body, private_key=browser, auth_secret=auth))
    assert (clear["title"], clear["body"]) == ("Relève", "Bonne nuit.")
    assert Vapid02.verify(headers["authorization"])
    assert (await row(house, message)).state == "sent"
    # The browser is gone: it is forgotten, and the message says so.
    gateway.status = 410
    (message,) = await note(house, To(contact=contact))
    await drain(house)
    found = await row(house, message)
    assert (found.state, found.error_code) == ("failed", "push_gone")
    async with house.database.unit() as unit:
        assert not (await contacts.reach(unit, [contact]))[contact].push


async def test_quiet_hours_hold_a_message_back_and_urgent_ones_pass(house, box):
    now = clock.now().astimezone(house.house.zone)
    around = [(now + timedelta(hours=h)).time().replace(microsecond=0) for h in (-1, 1)]
    async with house.database.unit() as unit:
        contact = (await contacts.create(unit, ContactInput("A", mail="a@b.example"))).id
        quiet = Preferences("fr", "a@b.example", None, *around)
        await contacts.set_preferences(unit, contact, quiet)
    (held,) = await note(house, To(contact=contact))
    (urgent,) = await note(house, To(contact=contact), urgent=True)
    await drain(house)
    assert [(await row(house, m)).state for m in (held, urgent)] == ["queued", "sent"]
    assert len(box.mails) == 1
    due: datetime = (await row(house, held)).due
    assert timedelta(minutes=58) < due - clock.now() < timedelta(minutes=61)


async def test_a_message_that_waits_can_be_taken_back(house, box):
    (message,) = await note(house, To(mail="a@b.example"))
    async with house.database.unit() as unit:
        await service.cancel(unit, message)
    await drain(house)
    assert box.mails == []
    async with house.database.unit() as unit:
        with pytest.raises(Conflict):
            await service.outcome(unit, message, Outcome(True))


async def test_a_call_by_hand_waits_for_who_rings(house):
    (message,) = await note(house, To(phone="+33612345678"), channel="hand")
    await drain(house)
    async with house.database.unit() as unit:
        assert (await service.read_message(unit, message)).possible == ["cancel", "outcome"]
        await service.outcome(unit, message, Outcome(True))
    assert (await row(house, message)).state == "delivered"
    (other,) = await note(house, To(mail="a@b.example"))
    with pytest.raises(Conflict, match="by hand"):
        async with house.database.unit() as unit:
            await service.outcome(unit, other, Outcome(True))
    assert (await row(house, other)).state == "queued"


async def test_wrong_messages_change_nothing(house):
    bad = [
        ({"to": [{}]}, Invalid, "exactly|one of"),
        ({"to": [{"mail": "a@b.fr", "phone": "+33612345678"}]}, Invalid, "one of"),
        ({"template": "no.such"}, Invalid, "no message"),
        ({"params": {"subject": "x"}}, Invalid, "text"),
        ({"to": [{"contact": "00000000-0000-7000-8000-000000000000"}]}, NotFound, "nobody"),
        ({"to": [{"mail": "a b@c"}]}, Invalid, "mail"),
    ]
    for change, kind, words in bad:
        whole = {"to": [{"mail": "a@b.fr"}], "template": "notify.note", "params": NOTE, **change}
        with pytest.raises(kind, match=words):
            async with house.database.unit() as unit:
                await verbs.call(unit, "notify.send", whole)
    async with house.database.unit() as unit:
        left = await unit.execute(text("select count(*) from notify.message"))
        assert left.scalar_one() == 0


async def test_who_speaks_for_a_part_of_the_city_sees_and_sends_there_only(house):
    with pytest.raises(Forbidden, match="municipality"):
        await note(house, To(mail="a@b.example"), principal=PART)
    mine = {"municipality": "21231", "trade": "lighting"}
    (message,) = await note(house, To(mail="a@b.example"), principal=PART, **mine)
    (other,) = await note(house, To(mail="a@b.example"), municipality="21166", trade="lighting")
    async with house.database.unit(PART, scope_of(PART.grants)) as unit:
        page = await MESSAGES.page(unit, ListQuery(limit=10))
        assert [m.id for m in page.items] == [message]
        with pytest.raises(NotFound):
            await service.read_message(unit, other)


async def test_neither_the_journal_nor_lists_hold_an_address(house):
    await note(house, To(mail="very.private@b.example"))
    async with house.database.unit() as unit:
        await contacts.create(unit, ContactInput("Zoé", mail="very.private2@b.example"))
    await drain(house)
    async with house.database.unit() as unit:
        for table in ("journal.entry", "journal.change", "journal.personal", "core.job"):
            found = await unit.execute(text(f"select t::text from {table} t"))
            assert not [line for line in found.scalars() if "very.private" in line], table
        listed = msgspec.json.encode(await MESSAGES.page(unit, ListQuery(limit=10)))
        assert b"very.private" not in listed


async def test_what_a_provider_says_of_an_address_is_kept_nowhere(house, box):
    box.answer = "451 very.private@b.example is over quota"
    (message,) = await note(house, To(mail="very.private@b.example"))
    await drain(house)
    found = await row(house, message)
    assert "over quota" in found.error
    async with house.database.unit() as unit:
        kept = await unit.execute(text("select error from core.job"))
        assert "NotSent: mail_deferred" in (error := kept.scalar_one())
        assert "very.private" not in error + found.error
        (listed,) = (await MESSAGES.page(unit, ListQuery(limit=10))).items
    assert listed.name == "v…@b.example"


async def test_a_person_has_their_data_and_has_it_erased(house):
    async with house.database.unit() as unit:
        contact = (await contacts.create(unit, ContactInput("Zoé", mail="z@b.example"))).id
    await note(house, To(contact=contact))
    async with house.database.unit() as unit:
        found = await personal.export(unit, f"contact:{contact}")
        assert found["contacts"][0]["mail"] == "z@b.example"
        assert found["messages"][0]["body"] == "Bonne nuit."
        assert await personal.erase(unit, f"contact:{contact}") == 1
        assert (await personal.export(unit, f"contact:{contact}"))["contacts"] == []
        names = await unit.execute(
            text("select count(*) from journal.personal where subject = :s"),
            {"s": f"contact:{contact}"},
        )
        assert names.scalar_one() == 0
    await drain(house)


async def test_the_doctor_says_what_is_set_up(house, settings):
    assert [f.status for f in await check(settings)] == ["warning"] * 4
    found = {f.name: f for f in await check(house.settings)}
    assert found["mail"].status == found["sms"].status == found["push"].status == "ok"
    wrong = msgspec.structs.replace(house.settings, smtp_url="smtp://127.0.0.1:1", sms_success="(")
    found = {f.name: f for f in await check(wrong)}
    assert found["mail"].status == found["sms"].status == "failed"


async def test_without_a_provider_a_message_fails_and_says_what_to_set(house, settings):
    bare = Runtime(settings, "test", house.database, house.bus, every_room())
    (message,) = await note(bare, To(mail="a@b.example"))
    await drain(bare)
    found = await row(bare, message)
    assert (found.state, found.error_code) == ("failed", "mail_not_configured")
    assert "VIGIE_SMTP_URL" in found.error


async def test_preferences_that_make_no_sense_are_refused(house):
    async with house.database.unit() as unit:
        contact = (await contacts.create(unit, ContactInput("A"))).id
        with pytest.raises(Invalid, match="both"):
            await contacts.set_preferences(unit, contact, Preferences(quiet_from=time(22)))
        with pytest.raises(Invalid, match="no message"):
            await contacts.set_preferences(unit, contact, Preferences(channels={"no.such": "sms"}))
