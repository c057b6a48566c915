"""Passkeys: a key in a person's device or browser that opens their account, unlocked there by a
finger or a code (user verification), found there without a user name (discoverable).

A passkey is made for one host name and opens no other; browsers make none for a bare IP address.
Asking for a challenge writes nothing (see core.access.signed); an answer waits its turn and is
counted as passwords are.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import text
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from vigie.core import clock, journal
from vigie.core.access import attempts, devices, signed
from vigie.core.access.demands import demand_fresh
from vigie.core.access.model import Login
from vigie.core.access.sessions import Visitor, mark_fresh, open_session
from vigie.core.access.turns import Turns
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Invalid, NotFound, Unauthenticated
from vigie.core.ids import uuid7
from vigie.core.journal import Personal
from vigie.core.runtime import Runtime
from vigie.core.scope import SYSTEM
from vigie.core.text import checked_name

MOST = 20
# A signature takes a millisecond, not an argon2: passwords that wait are not in its way.
TURNS = Turns(at_once=2, waiting=40, of_one_stranger=16, of_one_recognised=4)
_REGISTER, _LOG_IN = "passkey-register", "passkey-login"

Encoded = Annotated[str, Meta(max_length=20_000)]
CredentialId = Annotated[str, Meta(min_length=1, max_length=1400)]


class Place(msgspec.Struct, frozen=True):
    """Where the browser thinks it is: the host's name, and the origin of our pages."""

    host: str
    origin: str


class Response(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What the authenticator answered, base64url."""

    client_data_json: Encoded = msgspec.field(name="clientDataJSON")
    attestation_object: Encoded | None = None
    authenticator_data: Encoded | None = None
    signature: Encoded | None = None
    user_handle: Encoded | None = None


class Credential(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The browser's PublicKeyCredential."""

    id: CredentialId
    raw_id: CredentialId
    response: Response
    type: Literal["public-key"] = "public-key"


class NewPasskey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A passkey that was just made, with the name its owner knows it by."""

    name: Annotated[str, Meta(min_length=1, max_length=120)]
    credential: Credential


class Options(msgspec.Struct, frozen=True):
    """What the browser's `navigator.credentials` is called with, as WebAuthn's JSON."""

    public_key: dict[str, Any]


class Passkey(msgspec.Struct, frozen=True):
    """One of a person's passkeys. `host`: the name under which it opens."""

    id: UUID
    name: str
    host: str
    created: datetime
    used: datetime | None


_LIST = "select id, name, host, created, used from access.passkey where account = :me"


async def listed(unit: Unit) -> list[Passkey]:
    """One's own, oldest first."""
    found = await unit.execute(text(f"{_LIST} order by id"), {"me": unit.principal.id})
    return [msgspec.convert(dict(row), Passkey) for row in found.mappings()]


async def begin_registration(runtime: Runtime, login: Login, place: Place) -> Options:
    """What the browser makes a passkey from."""
    challenge = _challenge(runtime, _REGISTER, str(login.user))
    async with runtime.database.unit() as unit:
        found = await unit.execute(
            text("select credential from access.passkey where account = :me"), {"me": login.user}
        )
        have = [PublicKeyCredentialDescriptor(id=bytes(c)) for c in found.scalars()]
    if len(have) >= MOST:
        raise _full()
    options = generate_registration_options(
        rp_id=place.host,
        rp_name="Vigie",
        user_id=login.user.bytes,
        user_name=login.username,
        user_display_name=login.display_name,
        challenge=challenge.encode(),
        exclude_credentials=have,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    return Options(msgspec.json.decode(options_to_json(options)))


async def register(
    unit: Unit, runtime: Runtime, login: Login, place: Place, new: NewPasskey
) -> Passkey:
    """Keep a passkey. Raises Forbidden without a fresh login, Invalid for an answer that does not
    fit, Conflict for one too many."""
    demand_fresh(unit)
    name, now = checked_name("name", new.name), clock.now()
    sealed = await _answered(unit, runtime, _REGISTER, new.credential)
    if sealed.content != str(login.user):
        raise _does_not_fit()
    try:
        verified = verify_registration_response(  # reads CBOR, ASN.1 and keys of strangers
            credential=_as_json(new.credential),
            expected_challenge=sealed.value.encode(),
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=True,
        )
    except Exception as error:
        raise _does_not_fit() from error
    await unit.execute(
        text("select from access.account where id = :me for no key update"), {"me": login.user}
    )
    counted = await unit.execute(
        text("select count(*) from access.passkey where account = :me"), {"me": login.user}
    )
    if counted.scalar_one() >= MOST:
        raise _full()
    passkey = uuid7()
    stored = await unit.execute(
        text(
            "insert into access.passkey (id, account, credential, public_key, sign_count, host,"
            " name, created) values (:id, :account, :credential, :public_key, :sign_count, :host,"
            " :name, :now) on conflict (credential) do nothing"
        ),
        {
            "id": passkey,
            "account": login.user,
            "credential": verified.credential_id,
            "public_key": verified.credential_public_key,
            "sign_count": verified.sign_count,
            "host": place.host,
            "name": name,
            "now": now,
        },
    )
    if stored.rowcount == 0:
        raise Conflict("passkey_known", "This passkey is registered already.")
    await journal.record(
        unit,
        "access.passkey_added",
        params={"passkey": str(passkey)},
        personal={"name": Personal(name, f"user:{login.user}")},
    )
    return Passkey(passkey, name, place.host, now, None)


async def remove(unit: Unit, passkey: UUID) -> None:
    """Take one's own passkey away: it opens nothing any more."""
    demand_fresh(unit)
    gone = await unit.execute(
        text("delete from access.passkey where id = :id and account = :me returning name"),
        {"id": passkey, "me": unit.principal.id},
    )
    name = gone.scalar_one_or_none()
    if name is None:
        raise NotFound("passkey_not_found", "You have no such passkey.", {"id": str(passkey)})
    await journal.record(
        unit,
        "access.passkey_removed",
        params={"passkey": str(passkey)},
        personal={"name": Personal(name, f"user:{unit.principal.id}")},
    )


def begin_login(runtime: Runtime, place: Place) -> Options:
    """What the browser finds a passkey by; whose it is, it says in its answer."""
    options = generate_authentication_options(
        rp_id=place.host,
        challenge=_challenge(runtime, _LOG_IN).encode(),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return Options(msgspec.json.decode(options_to_json(options)))


async def log_in(runtime: Runtime, credential: Credential, place: Place, visitor: Visitor) -> str:
    """Open a session with a passkey; its secret, for the cookie.

    Raises Unauthenticated for an unknown passkey and a wrong answer alike, TooMany after too many
    failures, Unavailable when too many log in at once."""
    async with TURNS.turn(attempts.network(visitor.address)):
        found = await _verify(runtime, credential, place, visitor)
        return await open_session(runtime, found.account, found.username, None, visitor, "passkey")


async def confirm(
    runtime: Runtime, login: Login, credential: Credential, place: Place, visitor: Visitor
) -> datetime:
    """Show again, within a session, who one is. Raises as `log_in`."""
    async with TURNS.turn(f"session {login.key.hex()}", recognised=True):
        found = await _verify(runtime, credential, place, visitor, login)
        return await mark_fresh(runtime, login, "passkey", found.username, visitor)


class _Found(msgspec.Struct, frozen=True):
    id: UUID
    account: UUID
    username: str
    active: bool
    public_key: bytes
    sign_count: int
    host: str


class _Sealed(msgspec.Struct, frozen=True):
    value: str
    content: Any


async def _verify(
    runtime: Runtime,
    credential: Credential,
    place: Place,
    visitor: Visitor,
    login: Login | None = None,
) -> _Found:
    database = runtime.database
    found = await _find(runtime, credential)
    username = login.username if login else found.username if found else ""
    device = None
    if login is not None:
        device = f"session {login.key.hex()}"
    elif found is not None:
        folder = runtime.settings.root / "secrets"
        device = devices.recognise(folder, visitor.device, username, clock.now())
    attempt = attempts.Attempt(username, visitor.address, device, "passkey")
    attempts.check_memory(database, attempt)
    await attempts.begin(database, attempt)
    async with database.unit(SYSTEM, request_id=visitor.request_id) as unit:
        right = (
            found is not None
            and found.active
            and found.host == place.host
            and (login is None or login.user == found.account)
            and await _is_right(unit, runtime, credential, place, found)
        )
        if not right:
            subject = f"user:{found.account}" if found else ""
            await journal.record(
                unit,
                "access.login_failed",
                params={"known": found is not None, "means": "passkey"},
                personal={
                    "username": Personal(username, subject),
                    "address": Personal(visitor.address, subject),
                },
            )
    if found is None or not right:
        raise Unauthenticated(
            "wrong_passkey", "This passkey opens no account here, or its answer is too old."
        )
    await attempts.succeeded(database, attempt)
    return found


async def _find(runtime: Runtime, credential: Credential) -> _Found | None:
    try:
        key = base64url_to_bytes(credential.raw_id)
    except ValueError:
        return None
    async with runtime.database.unit() as unit:
        rows = await unit.execute(
            text(
                "select p.id, p.account, a.username, a.active, p.public_key, p.sign_count, p.host"
                " from access.passkey p join access.account a on a.id = p.account"
                " where p.credential = :key"
            ),
            {"key": key},
        )
        row = rows.mappings().one_or_none()
    return msgspec.convert(dict(row), _Found) if row else None


async def _is_right(
    unit: Unit, runtime: Runtime, credential: Credential, place: Place, found: _Found
) -> bool:
    """Verify, and note the authenticator's counter: one that goes back is a copy's."""
    try:
        sealed = await _answered(unit, runtime, _LOG_IN, credential)
    except Invalid:
        return False
    try:
        handle = base64url_to_bytes(credential.response.user_handle or "")
        verified = verify_authentication_response(  # reads CBOR and keys of strangers
            credential=_as_json(credential),
            expected_challenge=sealed.value.encode(),
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=found.public_key,
            credential_current_sign_count=found.sign_count,
            require_user_verification=True,
        )
    except Exception:
        return False
    if handle != found.account.bytes:
        return False
    noted = await unit.execute(
        text(
            "update access.passkey set sign_count = :count, used = :now where id = :id"
            " and (sign_count < :count or (sign_count = 0 and :count = 0))"
        ),
        {"count": verified.new_sign_count, "now": clock.now(), "id": found.id},
    )
    return noted.rowcount == 1


def _challenge(runtime: Runtime, purpose: str, content: Any = None) -> str:
    return signed.seal(runtime.settings.root / "secrets", purpose, clock.now(), content)


async def _answered(unit: Unit, runtime: Runtime, purpose: str, credential: Credential) -> _Sealed:
    """The challenge that an answer names, when it is ours and was not answered before."""
    now = clock.now()
    try:
        client = msgspec.json.decode(base64url_to_bytes(credential.response.client_data_json))
        value = base64url_to_bytes(client["challenge"]).decode("ascii")
        content = signed.unseal(runtime.settings.root / "secrets", purpose, now, value)
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError) as error:
        raise _does_not_fit() from error
    if not await signed.spend(unit, value, now):
        raise _does_not_fit()
    return _Sealed(value, content)


def _as_json(credential: Credential) -> dict[str, Any]:
    """As the library reads it, without what is not there."""
    told: dict[str, Any] = msgspec.to_builtins(credential)
    told["response"] = {k: v for k, v in told["response"].items() if v is not None}
    return told


def _does_not_fit() -> Invalid:
    return Invalid(
        "passkey_refused", "The passkey's answer does not fit what was asked: try again."
    )


def _full() -> Conflict:
    return Conflict(
        "too_many_passkeys", f"You have {MOST} passkeys: remove one first.", {"most": MOST}
    )
