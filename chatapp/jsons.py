"""JSON of strangers' words, which may be large: where no memory is left, MemoryError is raised.

orjson is fast, and does not look whether it was given the memory that it asked for: without, it
writes all the same, and the process is gone (3.13.0: SIGSEGV in `loads` and in `dumps`). So it gets
what is small, for which a process that goes on at all has room. The rest is left to `json`, which
takes here what orjson takes.
"""

import json
import math
from typing import Any, Final, NoReturn

import orjson

__all__ = ["decode", "encode"]

# Bytes or characters that are small. Of a string orjson asks for eight times as much at once.
_SMALL: Final = 1024
_OUT_OF_MEMORY: Final = "Not enough memory"


def decode(text: bytes | str) -> Any:
    """What `text`, JSON, holds. Raises ValueError for what is none, in UTF-8; MemoryError."""
    if len(text) > _SMALL:
        return _decoded(text if isinstance(text, str) else text.decode())
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if error.msg.startswith(_OUT_OF_MEMORY):
            raise MemoryError(error.msg) from None
        raise


def encode(value: Any, size: int) -> bytes:
    """`value` as JSON; `size`: about how many characters are in it. Raises MemoryError."""
    return orjson.dumps(value) if size <= _SMALL else _encoded(value)


def _decoded(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        if "\\u" in text:
            _encoded(value)  # half of a surrogate pair is refused
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    return value


def _encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
