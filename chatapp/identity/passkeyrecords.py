"""Passkeys as they are kept: by a digest of the credential's id.

passkey:DIGEST   whose it is, the public key, how often it was used, label and time, in JSON
passkeys:ID      the digests of those that the member has, in JSON
"""

import hashlib
from typing import NamedTuple

import orjson

from chatapp.identity.claims import Claim
from chatapp.identity.members import claim_device
from chatapp.model import Record, Records

__all__ = [
    "MOST_PASSKEYS",
    "Passkey",
    "claim_end",
    "claim_use",
    "digest_of",
    "find_passkey",
    "keep_passkey",
    "passkeys_of",
    "remove_passkey",
]

MOST_PASSKEYS = 20
"""Of one member."""


class Passkey(NamedTuple):
    """`id`: a digest of the credential's; `key`: the public one; `uses`: as the device counts its
    uses; `at`: Unix seconds."""

    id: str
    member: str
    credential: str
    key: str
    uses: int
    label: str
    at: float


def digest_of(credential: str) -> str:
    """What a passkey is kept by."""
    return hashlib.sha256(credential.encode()).hexdigest()


async def find_passkey(records: Records, digest: str) -> Passkey | None:
    """The one that is kept by that. Raises LogUnavailable."""
    key = f"passkey:{digest}"
    text = (await records.get([key])).get(key)
    return None if text is None else _unpacked(digest, text)


async def passkeys_of(records: Records, member: str) -> list[Passkey]:
    """Those that the member has. Raises LogUnavailable."""
    key = f"passkeys:{member}"
    own = _own((await records.get([key])).get(key))
    found = await records.get([f"passkey:{digest}" for digest in own])
    texts = ((digest, found.get(f"passkey:{digest}")) for digest in own)
    return [_unpacked(digest, text) for digest, text in texts if text is not None]


async def keep_passkey(
    records: Records, made: Passkey, device: str, used: str, seconds: float
) -> bool:
    """The member has that one from now on, as they said on that device of theirs.

    False: it is there, or `used` is, or they have enough, or the device is signed out. `used`: a
    key that is taken for so many seconds. Raises LogUnavailable.
    """
    one, all_of_them = f"passkey:{made.id}", f"passkeys:{made.member}"
    while True:
        signed_in = await claim_device(records, made.member, device)
        found = await records.get([one, all_of_them, used])
        own = _own(found.get(all_of_them))
        if signed_in is None or one in found or used in found or len(own) >= MOST_PASSKEYS:
            return False
        changes = {
            one: _packed(made),
            all_of_them: Record(orjson.dumps([*own, made.id]).decode()),
            used: Record("", seconds),
        }
        claim = Claim({key: found.get(key) for key in changes}, changes)
        if await records.change(*(signed_in | claim)):
            return True


def claim_use(before: Passkey, after: Passkey, used: str, seconds: float) -> Claim:
    """With what it is used, and is `after` from then on; once, as `used` is taken so long."""
    key = f"passkey:{before.id}"
    changes = {key: _packed(after), used: Record("", seconds)}
    return Claim({key: _packed(before).text, used: None}, changes)


async def claim_end(records: Records, member: str) -> Claim:
    """With what the member has none any more. Raises LogUnavailable."""
    key = f"passkeys:{member}"
    text = (await records.get([key])).get(key)
    gone = [key, *(f"passkey:{digest}" for digest in _own(text))]
    return Claim({key: text}, dict.fromkeys(gone))


async def remove_passkey(records: Records, member: str, digest: str) -> bool:
    """The member has that one no more; False: they had none such. Raises LogUnavailable."""
    key = f"passkeys:{member}"
    while True:
        text = (await records.get([key])).get(key)
        own = _own(text)
        if digest not in own:
            return False
        staying = [each for each in own if each != digest]
        kept = Record(orjson.dumps(staying).decode()) if staying else None
        if await records.change({key: text}, {key: kept, f"passkey:{digest}": None}):
            return True


def _own(text: str | None) -> list[str]:
    own: list[str] = [] if text is None else orjson.loads(text)
    return own


def _packed(passkey: Passkey) -> Record:
    kept = passkey._asdict()
    del kept["id"]
    return Record(orjson.dumps(kept).decode())


def _unpacked(digest: str, text: str) -> Passkey:
    return Passkey(digest, **orjson.loads(text))
