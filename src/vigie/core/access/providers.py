"""OpenID Connect providers of an installation: the file that names them, and how they are asked.

[town]                                  # the provider's name in addresses
label = "Town account"                  # or { fr = "…", en = "…" }
issuer = "https://login.example.org"
client_id = "vigie"
client_secret_file = "/etc/vigie/town.secret"      # or client_secret = "…"; neither: PKCE alone
match = "email"                         # the claim that names an existing account's user name
acr = ["eidas2"]                        # one of these, or nobody is let in
groups_claim = "groups"

[[town.grants]]                         # members of the group get an account at first login
group = "lighting"
role = "operator"
municipality = "21231"
"""

import asyncio
import ipaddress
import time
import tomllib
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote_plus, urlsplit

import httpx
import msgspec
from joserfc import jwk, jwt
from joserfc.errors import JoseError
from msgspec import Meta

from vigie.core.errors import SetupError, Unavailable
from vigie.core.logs import logger
from vigie.core.settings import Settings

log = logger(__name__)
TIMEOUT_S = 8.0
LARGEST_ANSWER = 1_000_000
_METADATA_S = 3600.0
_KEYS_S = 600.0
# A key that is not known asks again, but no more often than this: anybody may send a token.
_KEYS_AGAIN_S = 10.0
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
LEEWAY_S = 60

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Claim = Annotated[str, Meta(min_length=1, max_length=100)]


class GroupGrant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What members of a group are granted."""

    group: Annotated[str, Meta(min_length=1, max_length=200)]
    role: Annotated[str, Meta(pattern=r"^[a-z][a-z_]{1,40}$")]
    municipality: Annotated[str, Meta(pattern=r"^(\*|[0-9A-Za-z_-]{1,20})$")] = "*"
    trade: Annotated[str, Meta(pattern=r"^(\*|[a-z_]{1,40})$")] = "*"


class Provider(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One provider, as its table in the file says."""

    issuer: str
    client_id: Annotated[str, Meta(min_length=1)]
    client_secret: str = ""
    client_secret_file: str = ""
    label: str | dict[Literal["fr", "en"], str] = ""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    match: Literal["", "email", "preferred_username", "upn"] = ""
    acr: tuple[str, ...] = ()
    groups_claim: Claim = "groups"
    grants: tuple[GroupGrant, ...] = ()
    algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256", "EdDSA")


def read(settings: Settings) -> dict[str, Provider]:
    """The providers of the file. Raises SetupError saying which line of thought is wrong."""
    if not settings.oidc_file:
        return {}
    file = Path(settings.oidc_file)
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
        providers = msgspec.convert(tables, dict[Name, Provider])
        return {name: _checked(name, provider) for name, provider in providers.items()}
    except OSError as error:
        raise SetupError(f"VIGIE_OIDC_FILE: {error.filename} cannot be read: {error.strerror}.") \
            from error  # fmt: skip
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"{file} is not valid TOML: {error}.") from error
    except (msgspec.ValidationError, ValueError) as error:
        raise SetupError(f"{file} is wrong: {error}. See docs/operating.md.") from error


def _checked(name: str, provider: Provider) -> Provider:
    if not _safe(provider.issuer) or "?" in provider.issuer or "#" in provider.issuer:
        raise ValueError(f"{name}: the issuer is an https:// address (http:// on this machine)")
    if "openid" not in provider.scopes:
        raise ValueError(f"{name}: the scopes hold openid")
    unknown = sorted(set(provider.algorithms) - set(ALGORITHMS))
    if unknown or not provider.algorithms:
        raise ValueError(f"{name}: algorithms are of {', '.join(ALGORITHMS)}")
    if provider.client_secret_file:
        stored = Path(provider.client_secret_file).read_text(encoding="utf-8").strip()
        provider = msgspec.structs.replace(provider, client_secret=stored)
    return msgspec.structs.replace(provider, issuer=provider.issuer.rstrip())


class Metadata(msgspec.Struct, frozen=True):
    """What a provider says of itself (OpenID Connect Discovery)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Tokens(msgspec.Struct, frozen=True):
    """A token endpoint's answer; what else it holds is not ours."""

    id_token: Annotated[str, Meta(max_length=50_000)]
    access_token: Annotated[str, Meta(max_length=50_000)] = ""


class Refused(Exception):
    """A provider's answer that lets nobody in; the text is for the log and the journal."""


class Client:
    """Asks one provider; remembers what it says of itself and its keys."""

    def __init__(self, name: str, provider: Provider) -> None:
        self.name = name
        self.provider = provider
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, jwk.KeySet] | None = None
        self._lock = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """Its addresses. Raises Unavailable."""
        async with self._lock:
            if self._metadata and time.monotonic() - self._metadata[0] < _METADATA_S:
                return self._metadata[1]
            address = self.provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
            try:
                found = msgspec.json.decode(await self._get(address), type=Metadata)
            except msgspec.MsgspecError as error:
                raise self._unavailable(f"{address}: {error}") from error
            if found.issuer != self.provider.issuer:
                raise self._unavailable(f"it calls itself {found.issuer[:200]!r}")
            for endpoint in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
                if not _safe(endpoint):
                    raise self._unavailable(f"{endpoint[:200]!r} is not an https address")
            self._metadata = (time.monotonic(), found)
            return found

    async def redeem(self, code: str, verifier: str, redirect_uri: str) -> Tokens:
        """The tokens for a code. Raises Refused, Unavailable."""
        metadata = await self.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": self.provider.client_id,
        }
        auth: httpx.BasicAuth | None = None
        if self.provider.client_secret:
            if "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
                auth = _basic(self.provider.client_id, self.provider.client_secret)
            else:
                form["client_secret"] = self.provider.client_secret
        status, body = await self._ask("POST", metadata.token_endpoint, data=form, auth=auth)
        if status != 200:
            raise Refused(f"token endpoint: {status} {body[:200].decode('utf-8', 'replace')}")
        try:
            return msgspec.json.decode(body, type=Tokens)
        except msgspec.MsgspecError as error:
            raise Refused(f"token endpoint: {error}") from error

    async def claims(self, tokens: Tokens, nonce: str, now: int) -> dict[str, Any]:
        """What a valid id token says, and where it is silent the userinfo. Raises Refused."""
        claims = await self.verified(tokens.id_token, nonce, now)
        wanted = {self.provider.match} - {""}
        if self.provider.match == "email":
            wanted |= {"email_verified"}
        if self.provider.grants:
            wanted |= {self.provider.groups_claim, "preferred_username"}
        if wanted <= claims.keys():
            return claims
        return {**await self._userinfo(tokens.access_token, claims["sub"]), **claims}

    async def _userinfo(self, access_token: str, subject: str) -> dict[str, Any]:
        endpoint = (await self.metadata()).userinfo_endpoint
        if not endpoint or not access_token or not _safe(endpoint):
            return {}
        head = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
        status, body = await self._ask("GET", endpoint, headers=head)
        if status != 200:
            raise Refused(f"userinfo: {status}")
        try:
            said = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise Refused(f"userinfo: {error}") from error
        # Another person's answer must not be taken for this one's.
        if said.get("sub") != subject:
            raise Refused("userinfo: of another subject")
        return said

    async def verified(self, id_token: str, nonce: str, now: int) -> dict[str, Any]:
        """What a valid id token says (OpenID Connect Core, 3.1.3.7). Raises Refused."""
        kid = _kid(id_token)
        keys = await self._key_set(again=False)
        if kid is not None and all(key.kid != kid for key in keys.keys):
            keys = await self._key_set(again=True)
        try:
            token = jwt.decode(id_token, keys, algorithms=list(self.provider.algorithms))
            jwt.JWTClaimsRegistry(
                now=now,
                leeway=LEEWAY_S,
                iss={"essential": True, "value": self.provider.issuer},
                sub={"essential": True},
                aud={"essential": True, "value": self.provider.client_id},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(token.claims)
        # A library over strangers' text: whatever it trips on lets nobody in.
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Refused(f"id token: {error!r}"[:300]) from error
        return check_claims(dict(token.claims), self.provider, now)

    async def _key_set(self, *, again: bool) -> jwk.KeySet:
        metadata = await self.metadata()
        async with self._lock:
            age = time.monotonic() - self._keys[0] if self._keys else None
            if self._keys and age is not None and age < (_KEYS_AGAIN_S if again else _KEYS_S):
                return self._keys[1]
            body = await self._get(metadata.jwks_uri)
            try:
                keys = jwk.KeySet.import_key_set(msgspec.json.decode(body))
            except (msgspec.MsgspecError, JoseError, ValueError, TypeError, KeyError) as error:
                raise self._unavailable(f"its keys cannot be read: {error!r}") from error
            self._keys = (time.monotonic(), keys)
            return keys

    async def _get(self, address: str) -> bytes:
        status, body = await self._ask("GET", address)
        if status != 200:
            raise self._unavailable(f"{address} answers {status}")
        return body

    async def _ask(self, method: str, address: str, **options: Any) -> tuple[int, bytes]:
        """One request: no redirect is followed, no answer is longer than we read."""
        try:
            async with asyncio.timeout(2 * TIMEOUT_S):
                async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client:
                    async with client.stream(method, address, **options) as answer:
                        body = bytearray()
                        async for chunk in answer.aiter_bytes():
                            body += chunk
                            if len(body) > LARGEST_ANSWER:
                                raise self._unavailable(f"{address} answers without end")
                        return answer.status_code, bytes(body)
        except (httpx.HTTPError, TimeoutError, OSError, ValueError) as error:
            raise self._unavailable(f"{address}: {error!r}") from error

    def _unavailable(self, detail: str) -> Unavailable:
        log.warning("oidc_unavailable", provider=self.name, detail=detail)
        return Unavailable(
            "oidc_unavailable",
            f"The login service {self.name} does not answer as it should: try again, or log in "
            "another way.",
            {"provider": self.name},
            retry_after_s=10,
        )


def check_claims(claims: dict[str, Any], provider: Provider, now: int) -> dict[str, Any]:
    """What a library does not look at: one audience, the party it was made for, the level."""
    audience = claims.get("aud")
    several = isinstance(audience, list) and audience != [provider.client_id]
    if several and claims.get("azp") != provider.client_id:
        raise Refused("id token: for several audiences, and not made for us")
    if "azp" in claims and claims["azp"] != provider.client_id:
        raise Refused("id token: made for another party")
    subject, issued = claims.get("sub"), claims.get("iat")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or "\0" in subject:
        raise Refused("id token: its subject is no subject")
    if not isinstance(issued, int | float) or issued > now + LEEWAY_S:
        raise Refused("id token: issued in the future")
    # A provider may leave out the level that was asked for: then nobody is let in.
    if provider.acr and claims.get("acr") not in provider.acr:
        raise Refused(f"id token: level {claims.get('acr')!r} is none of {[*provider.acr]}"[:300])
    return claims


def _kid(id_token: str) -> str | None:
    """The key that a token says it was signed with; whether that is true is seen later."""
    head = id_token.partition(".")[0]
    try:
        kid = msgspec.json.decode(urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError):
        return None
    return kid if isinstance(kid, str) else None


def _basic(client_id: str, secret: str) -> httpx.BasicAuth:
    """RFC 6749, 2.3.1: each half is form-encoded first."""
    return httpx.BasicAuth(quote_plus(client_id), quote_plus(secret))


def _safe(address: str) -> bool:
    """https, or http on this very machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    if parts.username or parts.password or not host:
        return False
    if parts.scheme == "https":
        return True
    try:
        here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = False
    return parts.scheme == "http" and here
