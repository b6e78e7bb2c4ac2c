"""Passkeys (WebAuthn Level 3): a member signs in on another device without a link.

    used:DIGEST   a challenge that was answered, for as long as it would be taken

A challenge is signed by the chat and not kept: strangers may ask for as many as they like. The
device has to make sure of its user (UV), so who finds one that is not unlocked has nothing.
"""

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from chatapp.identity.claims import Outdated
from chatapp.identity.members import Member, add_device
from chatapp.identity.passkeyrecords import (
    Passkey,
    claim_use,
    digest_of,
    find_passkey,
    keep_passkey,
)
from chatapp.model import Records

__all__ = ["PasskeyRefused", "Passkeys", "passkeys_host"]

log = logging.getLogger(__name__)

_SECONDS = 300
_MOST_ID = 1400  # characters: 1,023 bytes in base64url (WebAuthn 4, Credential ID)
_MISSING = "chat.passkeys needs webauthn: pip install 'webauthn>=3.0.1,<4'"
_STALE = "That took too long, or was used already; try again."
_NOT_TAKEN = "This passkey is not taken here: {}."
_NOBODYS = _NOT_TAKEN.format("it belongs to no member, or was removed")


def passkeys_host(url: str) -> str:
    """The host whose passkeys those of the chat at `url` are. Raises ValueError where there can
    be none."""
    try:
        import webauthn  # noqa: F401 (whether it is there)
    except ModuleNotFoundError as error:
        raise ValueError(_MISSING) from error
    parts = urlsplit(url)
    # Browsers have them there alone (WebAuthn 13.4.9), and for no address (5.1.2).
    host = parts.hostname or ""
    is_named = any(letter.isalpha() for letter in host) and ":" not in host
    if not is_named or (parts.scheme != "https" and host != "localhost"):
        raise ValueError(f"chat.passkeys needs a chat.url of https and a name, {url} is none")
    return host


class PasskeyRefused(Exception):
    """What a browser sent is not taken; the message is for its user, in a line."""


class _Signs(Protocol):
    """_Signs texts, and knows its signature again."""

    def sign(self, identity: str) -> str: ...

    def verified(self, token: str) -> str | None: ...


class Passkeys:
    """Of the chat at `url`, called `title`. Raises ValueError where there can be none."""

    def __init__(self, url: str, title: str, signer: _Signs) -> None:
        host = passkeys_host(url)
        import webauthn

        parts = urlsplit(url)
        self._webauthn = webauthn
        self._bytes = webauthn.base64url_to_bytes
        self._host = host
        self._origin = f"{parts.scheme}://{parts.netloc.lower()}"
        self._title = title
        self._signer = signer

    def offer(self, member: Member, own: Sequence[Passkey]) -> str:
        """What a browser of the member needs to make one beside their `own`, as JSON."""
        from webauthn.helpers.structs import (
            AuthenticatorSelectionCriteria,
            PublicKeyCredentialDescriptor,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        options = self._webauthn.generate_registration_options(
            rp_id=self._host,
            rp_name=self._title,
            user_id=member.id.encode(),
            user_name=member.name,
            user_display_name=member.name,
            challenge=self._challenge(f"add {member.id}"),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=self._bytes(each.credential)) for each in own
            ],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
        return str(self._webauthn.options_to_json(options))

    def question(self) -> str:
        """What a browser needs to sign somebody in, as JSON."""
        from webauthn.helpers.structs import UserVerificationRequirement

        options = self._webauthn.generate_authentication_options(
            rp_id=self._host,
            challenge=self._challenge("in"),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return str(self._webauthn.options_to_json(options))

    async def add(
        self,
        records: Records,
        member: str,
        device: str,
        credential: object,
        label: str,
        now: float,
    ) -> None:
        """The member has that one from now on, who is in on that device.

        Raises PasskeyRefused, LogUnavailable.
        """
        from webauthn.helpers import bytes_to_base64url

        given = _checked(credential)
        challenge = self._answered(given, f"add {member}")
        verified = await self._verified(
            self._webauthn.verify_registration_response,
            credential=given,
            expected_challenge=challenge,
            require_user_verification=True,
        )
        identity, key = given["id"], bytes_to_base64url(verified.credential_public_key)
        made = Passkey(digest_of(identity), member, identity, key, verified.sign_count, label, now)
        if not await keep_passkey(records, made, device, _used(challenge), _SECONDS):
            raise PasskeyRefused(_STALE)

    async def sign_in(
        self, records: Records, credential: object, label: str, now: float
    ) -> tuple[Member, str]:
        """The member whose passkey answered, and one device more of theirs, which is called
        `label`.

        `now`: Unix seconds. Raises PasskeyRefused, LogUnavailable.
        """
        given = _checked(credential)
        challenge = self._answered(given, "in")
        passkey = await find_passkey(records, digest_of(given["id"]))
        if passkey is None:
            raise PasskeyRefused(_NOBODYS)
        verified = await self._verified(
            self._webauthn.verify_authentication_response,
            credential=given,
            expected_challenge=challenge,
            credential_public_key=self._bytes(passkey.key),
            credential_current_sign_count=passkey.uses,
            require_user_verification=True,
        )
        again = passkey._replace(uses=verified.new_sign_count)
        # One alone of all who bring the same answer is let in, and nobody once it is removed.
        claim = claim_use(passkey, again, _used(challenge), _SECONDS)
        try:
            added = await add_device(records, passkey.member, label, now, claim)
        except Outdated:
            raise PasskeyRefused(_STALE) from None
        if added is None:
            raise PasskeyRefused(_NOBODYS)
        return added

    def _challenge(self, purpose: str) -> bytes:
        until, nonce = int(time.time()) + _SECONDS, secrets.token_urlsafe(16)
        return self._signer.sign(f"{until} {nonce} {purpose}").encode()

    def _answered(self, credential: Mapping[str, Any], purpose: str) -> bytes:
        """The challenge that the browser says it answers, if it is one of ours for that."""
        from webauthn.helpers import parse_client_data_json

        try:
            data = self._bytes(credential["response"]["clientDataJSON"])
            challenge = parse_client_data_json(data).challenge
            said = self._signer.verified(challenge.decode())
            until, _, meant = (said or "0 - -").split(" ", 2)
        except Exception:  # noqa: BLE001  the library raises whatever the bytes lead to
            raise PasskeyRefused(_NOT_TAKEN.format("what came cannot be read")) from None
        if meant != purpose or int(until) <= time.time():
            raise PasskeyRefused(_STALE)
        return challenge

    async def _verified(self, verify: Callable[..., Any], **given: Any) -> Any:
        """What `verify` makes of it, in a thread. Raises PasskeyRefused."""
        where = {"expected_rp_id": self._host, "expected_origin": self._origin}
        try:
            return await asyncio.to_thread(verify, **where, **given)
        except Exception as error:  # noqa: BLE001  the library raises whatever the bytes lead to
            log.warning("a passkey was refused: %s: %.200r", type(error).__name__, str(error))
            raise PasskeyRefused(_NOT_TAKEN.format("the device's answer does not hold")) from None


def _checked(credential: object) -> Mapping[str, Any]:
    """What a browser says of a credential, as far as it has that form. Raises PasskeyRefused."""
    if isinstance(credential, dict) and isinstance(credential.get("response"), dict):
        identity = credential.get("id")
        if isinstance(identity, str) and 1 <= len(identity) <= _MOST_ID:
            return credential
    raise PasskeyRefused(_NOT_TAKEN.format("what came cannot be read"))


def _used(challenge: bytes) -> str:
    return f"used:{hashlib.sha256(challenge).hexdigest()}"
