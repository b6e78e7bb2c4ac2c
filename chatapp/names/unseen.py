"""Characters that nobody sees."""

import re

__all__ = ["is_seen", "spaced", "visible"]

# Default_Ignorable_Code_Point (UAX 44). The ranges include what may be assigned later.
_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# They take room and leave it blank, and are no spaces: Braille, a notehead, Egyptian, Khitan.
_BLANK = "\u2800\U0001d159\U00013441\U00013442\U00016fe4"

_IGNORED = re.compile(f"[{_IGNORABLE}]+")
_BLANKS = re.compile(f"[{_BLANK}]")
_UNSEEN = re.compile(rf"[\s\x00-\x1f\x7f-\x9f{_IGNORABLE}{_BLANK}]*")


def visible(text: str) -> str:
    """`text` without what is not displayed."""
    return text if text.isascii() else _IGNORED.sub("", text)


def spaced(text: str) -> str:
    """`text` with spaces for what is blank."""
    return text if text.isascii() else _BLANKS.sub(" ", text)


def is_seen(text: str) -> bool:
    """Whether there is anything to see in `text`."""
    return _UNSEEN.fullmatch(text) is None
