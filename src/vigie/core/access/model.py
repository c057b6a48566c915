"""Accounts, grants, sessions and tokens, as requests carry them and as the API tells them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vigie.core.scope import ANONYMOUS, Grant, Principal

Language = Literal["fr", "en"]
# Rooms and installations name roles of their own: users.py says whether there is one.
RoleName = Annotated[str, Meta(pattern=r"^[a-z][a-z_]{1,40}$(?!\n)")]
# What a name may hold is text.checked_name's to say.
Name = Annotated[str, Meta(min_length=1, max_length=120)]
Username = Annotated[
    str,
    Meta(
        # Python's $ also matches before a last line break.
        pattern=r"^[a-z0-9][a-z0-9._@-]{1,62}[a-z0-9]$(?!\n)",
        description="3 to 64 of a–z, 0–9, . _ @ -",
    ),
]
Secret = Annotated[str, Meta(max_length=256, description="A password.")]


class Login(msgspec.Struct, frozen=True):
    """A live session, as every request finds it."""

    key: bytes
    user: UUID
    username: str
    display_name: str
    language: str
    must_change_password: bool
    csrf: str
    expires: datetime
    session: UUID | None = None
    means: str = "password"
    fresh: datetime | None = None


class Caller(msgspec.Struct, frozen=True):
    """Who makes a request: `login` for a person's session, None for a token or nobody."""

    principal: Principal
    login: Login | None = None


NOBODY = Caller(ANONYMOUS)


class GrantInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role over a municipality and a trade; "*" is all of them."""

    role: RoleName
    municipality: Annotated[str, Meta(pattern=r"^(\*|[0-9A-Za-z_-]{1,20})$(?!\n)")] = "*"
    trade: Annotated[str, Meta(pattern=r"^(\*|[a-z_]{1,40})$(?!\n)")] = "*"

    def grant(self) -> Grant:
        """As the core knows it."""
        return Grant(self.role, self.municipality, self.trade)


class Person(msgspec.Struct, frozen=True):
    """Who is logged in."""

    id: UUID
    username: str
    display_name: str
    language: str
    must_change_password: bool


class Session(msgspec.Struct, frozen=True):
    """A login: who, what they were granted, what that lets them do, and their CSRF token.

    `rooms` are those that this installation has switched on.
    """

    user: Person
    grants: list[Grant]
    permissions: list[str]
    rooms: list[str]
    csrf: str
    expires: datetime
    # When the person last showed who they are; null when a provider only passed them on.
    fresh: datetime | None
    # password, passkey, or the provider's name.
    means: str


class User(msgspec.Struct, frozen=True):
    """An account."""

    id: UUID
    username: str
    display_name: str
    language: str
    must_change_password: bool
    active: bool
    grants: list[Grant]
    created: datetime
    last_login: datetime | None
    version: int


class NewUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account to create; its first password is made here and shown once."""

    username: Username
    display_name: Name
    language: Language = "fr"
    grants: Annotated[list[GrantInput], Meta(max_length=200)] = []


class UserPatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of an account; `grants` replaces all of them."""

    display_name: Name | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    grants: Annotated[list[GrantInput], Meta(max_length=200)] | UnsetType = UNSET


class CreatedUser(msgspec.Struct, frozen=True):
    """The account, and its first password: shown now and never again."""

    id: UUID
    username: str
    display_name: str
    language: str
    must_change_password: bool
    active: bool
    grants: list[Grant]
    created: datetime
    last_login: datetime | None
    version: int
    password: str


class Token(msgspec.Struct, frozen=True):
    """An API token, without its secret. `grants` null: all that its owner holds."""

    id: UUID
    name: str
    owner: str
    permissions: list[str]
    grants: list[Grant] | None
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    revoked: datetime | None


class NewToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token to make: a subset of one's own permissions and grants."""

    name: Name
    permissions: Annotated[list[Annotated[str, Meta(max_length=80)]], Meta(min_length=1)]
    grants: list[GrantInput] | None = None
    expires: Annotated[datetime, Meta(tz=True)] | None = None


class CreatedToken(msgspec.Struct, frozen=True):
    """The token and its secret: shown now and never again."""

    id: UUID
    name: str
    owner: str
    permissions: list[str]
    grants: list[Grant] | None
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    revoked: datetime | None
    token: str
