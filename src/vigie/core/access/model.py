"""Who is logged in, and what a request carries of it."""

from datetime import datetime
from uuid import UUID

import msgspec

from vigie.core.scope import ANONYMOUS, Principal


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


class Caller(msgspec.Struct, frozen=True):
    """Who makes a request: `login` for a person's session, None for a token or nobody."""

    principal: Principal
    login: Login | None = None


NOBODY = Caller(ANONYMOUS)
