"""What nicks have in common that look the same: skeletons, of UTS 39 section 4.

`confusables.txt` is Unicode's, as it is, under the licence beside it; its version is in its head.
"""

from importlib.resources import files
from unicodedata import normalize

from chatapp.names.folding import folded
from chatapp.names.unseen import spaced, visible

__all__ = ["looks"]


def looks(nick: str) -> tuple[str, ...]:
    """Two nicks can be taken for each other if they have one of these in common.

    The first is of the nick whatever its case, the second of the nick as it is: `I` is an `i`, and
    looks like an `l`.
    """
    plain = normalize("NFKC", nick)
    return tuple(dict.fromkeys(map(_skeleton, (folded(nick), plain))))


def _skeleton(text: str) -> str:
    mapped = normalize("NFD", visible(text)).translate(_PROTOTYPES)
    return " ".join(spaced(normalize("NFD", mapped)).split())


def _parsed(text: str) -> dict[int, str]:
    """By character: what it is taken for."""
    prototypes = {}
    for line in text.splitlines():
        entry = line.partition("#")[0]
        if entry.strip():
            source, target, _ = entry.split(";")
            prototypes[int(source, 16)] = "".join(chr(int(code, 16)) for code in target.split())
    return prototypes


_PROTOTYPES = _parsed(files("chatapp.names").joinpath("confusables.txt").read_text("utf-8"))
