"""What names have in common that say the same: NFKC_Casefold, of the Unicode Standard 3.13.

Letter case, width, composed or not, ligatures do not count, nor what is not displayed.
"""

from unicodedata import normalize

from chatapp.names.unseen import visible
from chatapp.remembering import remembered

__all__ = ["folded"]


def folded(name: str) -> str:
    """Two names are one if, and only if, these are equal."""
    if name.isascii():
        return name.lower()
    # What is remembered is bounded in length: a stranger may send anything.
    return _remembered(name) if len(name) <= 64 else _folded(name)


def _folded(name: str) -> str:
    # Casefolding undoes what normalizing did, and the other way round: D146 has each twice.
    once = normalize("NFKC", normalize("NFD", visible(name)).casefold())
    return visible(normalize("NFKC", once.casefold()))


_remembered = remembered(1024)(_folded)
