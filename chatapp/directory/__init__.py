"""The directories: who is here, one contract for one process and for a cluster."""

from chatapp.directory.directory import (
    CROWD,
    Directory,
    DirectoryObserver,
    DirectoryUnavailable,
    MayWait,
    NickTaken,
    OtherSecret,
    Person,
    folded,
)
from chatapp.directory.opening import open_directory

__all__ = [
    "CROWD",
    "Directory",
    "DirectoryObserver",
    "DirectoryUnavailable",
    "MayWait",
    "NickTaken",
    "OtherSecret",
    "Person",
    "folded",
    "open_directory",
]
