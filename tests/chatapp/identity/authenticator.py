"""An authenticator (WebAuthn Level 3) in software, and the browser around it."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

__all__ = ["Authenticator", "decoded", "encoded"]

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """Has one passkey. What it says can be set otherwise: `origin`, `host`, `verifies`, `uses`,
    and the `step` by which it counts them; 0: it does not, as those that are on several devices."""

    def __init__(self, origin: str, host: str) -> None:
        self.origin = origin
        self.host = host
        self.verifies = True
        self.uses = 0
        self.step = 1
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.user = b""

    def make(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The credential that is made for the creation options."""
        self.user = decoded(options["user"]["id"])
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + self._cose()
        data = self._data(_ATTESTED) + attested
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"])
        return self._credential(clientDataJSON=client, attestationObject=statement)

    def answer(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The credential that answers the request options."""
        self.uses += self.step
        data = self._data(0)
        client = self._client("webauthn.get", options["challenge"])
        signed = data + hashlib.sha256(client).digest()
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return self._credential(
            clientDataJSON=client,
            authenticatorData=data,
            signature=signature,
            userHandle=self.user,
        )

    def _credential(self, **response: bytes) -> dict[str, Any]:
        named = {name: encoded(value) for name, value in response.items()}
        own = encoded(self.id)
        return {"id": own, "rawId": own, "type": "public-key", "response": named}

    def _client(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def _data(self, flags: int) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.verifies else 0)
        head = hashlib.sha256(self.host.encode()).digest() + bytes([flags])
        return head + self.uses.to_bytes(4, "big")

    def _cose(self) -> bytes:
        point = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (point.x, point.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})


def decoded(text: str) -> bytes:
    """From base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(data: bytes) -> str:
    """In base64url."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
