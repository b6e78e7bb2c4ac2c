"""Codes that can be used once, within some minutes: what somebody is given to be let in with.

code:DIGEST   what it is for, in JSON; of the code itself a digest alone is kept
"""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from chatapp.identity.claims import Claim
from chatapp.jsons import decode
from chatapp.model import Record, Records

__all__ = ["CODE_SECONDS", "claim_code", "make_code", "use_code"]

CODE_SECONDS = 600.0
"""How long a code can be used."""


async def make_code(
    records: Records, purpose: Mapping[str, Any], seconds: float = CODE_SECONDS
) -> str:
    """A code of 128 bits for that, for so long. Raises LogUnavailable."""
    code = secrets.token_urlsafe(16)
    text = orjson.dumps(dict(purpose)).decode()
    await records.change({}, {_key(code): Record(text, seconds)})
    return code


async def claim_code(records: Records, code: str) -> tuple[Mapping[str, Any], Claim] | None:
    """What the code is for, and with what it is used up; None: it is none, or was used.

    Raises LogUnavailable.
    """
    key = _key(code)
    text = (await records.get([key])).get(key)
    return None if text is None else (_purpose(text), Claim({key: text}, {key: None}))


async def use_code(records: Records, code: str) -> Mapping[str, Any] | None:
    """What the code was for: one alone of all who use it is told. Raises LogUnavailable."""
    claimed = await claim_code(records, code)
    return claimed[0] if claimed is not None and await records.change(*claimed[1]) else None


def _key(code: str) -> str:
    return f"code:{hashlib.sha256(code.encode()).hexdigest()}"


def _purpose(text: str) -> Mapping[str, Any]:
    purpose: Mapping[str, Any] = decode(text)
    return purpose
