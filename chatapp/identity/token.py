"""`token`: a site signs who somebody is, as a JSON Web Token (RFC 7519), and the chat believes it.

It comes as `Authorization: Bearer TOKEN` (RFC 6750) or in a cookie that the site gives to its
pages. A key says by itself which algorithm it is for; what the token says of that is compared with
it, and never chosen by (RFC 8725 3.1).
"""

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from wsgiref.types import WSGIEnvironment

from chatapp.identity.person import Identity, Person, Unidentified, checked_person

__all__ = ["LEAST_KEY", "Key", "Token", "keys_of"]

LEAST_KEY = 32
"""Bytes of a key for HS256 (RFC 7518 3.2)."""

_LONGEST = 4096
# In environ: whom its token names. A request may be asked twice.
_KNOWN = "chatapp.identity.token"
_MISSING = "chat.identity = token needs PyJWT: pip install 'PyJWT[crypto]>=2.10,<3'"


class Key(NamedTuple):
    """A key, and the one algorithm that it is for."""

    key: Any
    algorithm: str


def keys_of(secrets: str, files: str) -> list[Key]:
    """The keys of `secrets` for HS256, and the public ones in `files` of PEM; spaces between.

    Raises ValueError, OSError.
    """
    try:
        import jwt  # noqa: F401
    except ModuleNotFoundError as error:
        raise ValueError(_MISSING) from error
    keys = [_secret(each) for each in secrets.split()]
    keys += [_public(Path(each)) for each in files.split()]
    if not keys:
        raise ValueError("chat.identity = token needs chat.token_key or chat.token_public_key")
    return keys


def _secret(text: str) -> Key:
    if len(text.encode()) < LEAST_KEY:
        raise ValueError(f"chat.token_key: a key has to have {LEAST_KEY} bytes or more")
    if text.startswith("-----BEGIN"):
        raise ValueError("chat.token_key: a public key belongs in chat.token_public_key")
    return Key(text, "HS256")


def _public(path: Path) -> Key:
    data = path.read_bytes()
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ModuleNotFoundError as error:
        raise ValueError(_MISSING) from error
    try:
        key = load_pem_public_key(data)
    except ValueError:
        raise ValueError(f"chat.token_public_key: {path} has no public key in PEM") from None
    if isinstance(key, Ed25519PublicKey):
        return Key(key, "EdDSA")
    if isinstance(key, RSAPublicKey):
        return Key(key, "RS256")
    raise ValueError(f"chat.token_public_key: the key in {path} is neither Ed25519 nor RSA")


class Token(Identity):
    """Signed with one of `keys`. `cookie`: its name; `audience`: what `aud` has to have, or ''."""

    challenge = 'Bearer realm="chat"'

    def __init__(self, keys: Sequence[Key], cookie: str, audience: str = "") -> None:
        import jwt

        self._jwt = jwt
        self._keys = keys
        self._cookie = cookie
        self._audience = audience or None

    def who(self, environ: WSGIEnvironment) -> Person | None:
        token = self._token(environ)
        if not token:
            return None
        known: Person | None = environ.get(_KNOWN)
        if known is not None:
            return known
        try:
            person = environ[_KNOWN] = checked_person(_person(self._claims(token)))
        except ValueError as error:
            raise Unidentified(f"The token cannot be taken: {error}.") from None
        return person

    def proof(self, environ: WSGIEnvironment) -> str:
        token = self._token(environ)
        return hashlib.blake2b(token.encode(), digest_size=12).hexdigest() if token else ""

    def _token(self, environ: WSGIEnvironment) -> str:
        kind, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() == "bearer":
            return str(token.strip())
        for pair in environ.get("HTTP_COOKIE", "").split(";"):
            name, _, value = pair.partition("=")
            if name.strip() == self._cookie:
                return str(value.strip())
        return ""

    def _claims(self, token: str) -> Mapping[str, Any]:
        """What it says. Raises Unidentified."""
        jwt = self._jwt
        errors = jwt.exceptions
        try:
            if len(token) > _LONGEST:
                raise errors.DecodeError
            algorithm = jwt.get_unverified_header(token).get("alg")
            keys = [each for each in self._keys if each.algorithm == algorithm]
            if not keys:
                raise Unidentified("The token is signed with an algorithm that is not taken here.")
            return self._decoded(token, keys)
        except errors.ExpiredSignatureError:
            raise Unidentified("The token has expired.") from None
        except errors.ImmatureSignatureError:
            raise Unidentified("The token is not valid yet.") from None
        except errors.InvalidSignatureError:
            raise Unidentified("The token is signed with another key.") from None
        except errors.InvalidAudienceError:
            raise Unidentified("The token is for another audience.") from None
        except errors.MissingRequiredClaimError as error:
            raise Unidentified(f"The token has no {error.claim}.") from None
        except (errors.InvalidTokenError, ValueError, TypeError, RecursionError):
            raise Unidentified("The token cannot be read.") from None

    def _decoded(self, token: str, keys: Iterable[Key]) -> Mapping[str, Any]:
        """By the first of `keys` that it is signed with. Raises what PyJWT raises."""
        wrong = self._jwt.exceptions.InvalidSignatureError
        for key in keys:
            try:
                claims: Mapping[str, Any] = self._jwt.decode(
                    token, key.key, algorithms=[key.algorithm], audience=self._audience,
                    options={"require": ["sub", "exp"]},
                )  # fmt: skip
            except wrong:
                continue
            return claims
        raise wrong("no key is that of the token")


def _person(claims: Mapping[str, Any]) -> Person:
    """Raises Unidentified."""
    groups, rooms = claims.get("groups", []), claims.get("rooms")
    if not isinstance(groups, list):
        raise Unidentified("The token's groups are no list.")
    if not isinstance(rooms, list | None):
        raise Unidentified("The token's rooms are no list.")
    texts = dict(_texts(claims))
    expires = float(claims["exp"])
    if expires <= time.time():  # a token of this very second
        raise Unidentified("The token has expired.")
    allowed = None if rooms is None else tuple(rooms)
    return Person(texts["sub"], texts["name"], tuple(groups), texts["role"], expires, allowed)


def _texts(claims: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("sub", "name", "role"):
        text = claims.get(name) or ""
        if not isinstance(text, str):
            raise Unidentified(f"The token's {name} is no text.")
        yield name, text
    if not claims["sub"]:
        raise Unidentified("The token has no sub.")
