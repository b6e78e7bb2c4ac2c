"""The end of all that a member holds."""

from chatapp.identity.claims import Outdated
from chatapp.identity.members import sign_out_devices
from chatapp.identity.passkeyrecords import claim_end
from chatapp.model import Records

__all__ = ["sign_out"]


async def sign_out(records: Records, identity: str) -> bool:
    """The member is signed out on every device, and has no passkey any more; False: there is none.

    Raises LogUnavailable.
    """
    while True:
        ends = await claim_end(records, identity)
        try:
            # One change: who comes in by a passkey meanwhile is out by it, or refused.
            out = await sign_out_devices(records, identity, lambda device: True, ends)
        except Outdated:
            continue
        return out is not None
