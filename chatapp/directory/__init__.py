"""The directories: who is here, one contract for one process and for a cluster."""

from chatapp.directory.bucket import TokenBuckets
from chatapp.directory.directory import (
    PRESENCE_LIMIT,
    Directory,
    DirectoryObserver,
    DirectoryUnavailable,
    MayWait,
    NickTaken,
    OtherSecret,
    Somebody,
)
from chatapp.directory.limits import Cost, Limit, Limits, Refusal

__all__ = [
    "PRESENCE_LIMIT",
    "Cost",
    "Directory",
    "DirectoryObserver",
    "DirectoryUnavailable",
    "Limit",
    "Limits",
    "MayWait",
    "NickTaken",
    "OtherSecret",
    "Refusal",
    "Somebody",
    "TokenBuckets",
]
