"""How things are damaged: bytes, JSON values, arrays. All draws come from the generator that is given."""

from __future__ import annotations

import copy
import random
from collections.abc import Mapping
from typing import Any

import numpy as np

ODD = (0, 1, -1, 2, 7, 255, 2**15, 2**31 - 1, 2**31, -(2**31), 2**62, 2**63 - 1, -(2**63), 2**64, 10**30)
FLOATS = (0.0, -0.0, 0.5, -1.5, 1e-300, 1e300, -1e300, 1.7e308, float("inf"), -float("inf"), float("nan"))
TEXTS = (
    "", "x", "a" * 5000, "<script>alert(1)</script>", "../../../../etc/passwd", "\x00", "\ud800", "os:system",
    "__class__", "__proto__", "1e999", "nan", "0x10", "{}", "None", "\N{GRINNING FACE}",
)  # fmt: skip


def damaged_bytes(content: bytes, rng: random.Random) -> bytes:
    """One to four changes: bytes flipped, set, cut out, doubled or put in, or the end cut off."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        size = rng.choice((1, 1, 2, 4, 8, 32))
        kind = rng.randrange(6)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at : at + size] = bytes([rng.choice((0, 1, 127, 128, 255))]) * size
        elif kind == 2:
            del data[at : at + size]
        elif kind == 3:
            data[at:at] = data[at : at + size * 8]
        elif kind == 4:
            data[at:at] = rng.randbytes(size)
        elif rng.random() < 0.3:
            del data[at:]
    return bytes(data)


def odd_value(rng: random.Random) -> Any:
    """A JSON value that hardly anybody expects."""
    kind = rng.randrange(8)
    if kind < 3:
        return rng.choice(ODD)
    if kind == 3:
        return rng.choice(FLOATS)
    if kind == 4:
        return rng.choice(TEXTS)
    if kind == 5:
        return rng.choice((None, True, False, [], {}, [[]], [None], {"": None}))
    if kind == 6:
        return [rng.choice(ODD)] * rng.choice((1, 2, 100))
    deep: Any = rng.choice((1, "x"))
    for _ in range(rng.choice((5, 60))):
        deep = [deep] if rng.random() < 0.5 else {"a": deep}
    return deep


def damaged_json(value: Any, rng: random.Random) -> Any:
    """A copy with one to three changes: values replaced, moved, gone or doubled; names changed."""
    twin = {"": copy.deepcopy(value)}
    for _ in range(rng.randint(1, 3)):
        places = list(_places(twin))
        holder, key = rng.choice(places)
        kind = rng.randrange(6)
        if kind < 2:
            holder[key] = odd_value(rng)
        elif kind == 2:
            other, where = rng.choice(places)
            holder[key] = copy.deepcopy(other[where])
        elif kind == 3 and holder is not twin:
            del holder[key]
        elif kind == 4 and isinstance(holder, dict) and holder is not twin:
            holder[rng.choice(TEXTS)] = holder.pop(key)
        elif isinstance(holder, list):
            holder.insert(rng.randrange(len(holder) + 1), copy.deepcopy(holder[key]))
        elif isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
            holder[key] = rng.choice((-holder[key], holder[key] + 1, float(holder[key]), str(holder[key])))
        if "" not in twin:
            break
    return twin.get("")


def _places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _places(inner)


def damaged_arrays(arrays: Mapping[str, np.ndarray], rng: random.Random) -> dict[str, np.ndarray]:
    """A copy with one to three arrays changed: numbers, length, type, shape, all of it, or gone."""
    changed = dict(arrays)
    with np.errstate(all="ignore"):
        for _ in range(rng.randint(1, 3)):
            name = rng.choice(sorted(arrays))  # safetensors gives them in any order
            array = np.array(changed.get(name, arrays[name]))
            kind = rng.randrange(7)
            if kind <= 1 and array.size:
                if kind or array.dtype.kind != "f":
                    array = array.astype(np.int64) if array.dtype.kind != "f" else array
                    odd = rng.choice(ODD[:13]) if array.dtype.kind != "f" else rng.choice(FLOATS)
                else:
                    odd = array.flat[rng.randrange(array.size)] * rng.choice((-1.0, 2.0, 1e10))
                array.flat[rng.randrange(array.size)] = odd
            elif kind == 2:
                array = array[: rng.randrange(len(array) + 1)] if array.ndim else array
            elif kind == 3:
                array = array.astype(rng.choice((np.float64, np.float32, np.float16, np.int8, np.bool_, np.uint64)))
            elif kind == 4:
                array = array.reshape(rng.choice(((-1,), (1, -1), (-1, 1), (*array.shape, 1)))) if array.size else array
            elif kind == 5 and array.size:
                odd = rng.choice((np.nan, np.inf, -1.5, 3.0, 0.0))
                array = np.full(
                    array.shape, odd if array.dtype.kind == "f" else rng.choice((0, 1, 3, 127)), array.dtype
                )
            else:
                changed.pop(name, None)
                continue
            changed[name] = array
    return changed
