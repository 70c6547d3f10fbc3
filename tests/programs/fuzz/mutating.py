"""Bytes and JSON that nobody would send, from a `random.Random`, so that a seed and a number give them again."""

import json
import random
from typing import Any, Final

INTEGERS: Final = (0, -1, 1, 255, 2**31, 2**32 - 1, 2**53 + 1, 2**63, -(2**63), 10**30, 10**400)
_TEXTS: Final = (
    "", "\0", "a\0b", "\ud800", "x\udfffy", "\n\r", "\x1b[2J", "é✓𐍈", "' OR 1=1 --", "../../etc/passwd", "x" * 2000,
    "null", "{}", "\ufeff", "\u2028", "%s%n",
)  # fmt: skip


def some_bytes(rng: random.Random, longest: int = 200) -> bytes:
    """Return any bytes, mostly few."""
    return rng.randbytes(int(longest * rng.random() ** 3))


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Return `data` with a few bytes changed, doubled, cut out or put in."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randint(0, len(changed))
        length = rng.choice((1, 1, 2, 8, 64))
        match rng.randrange(5):
            case 0:
                changed[at : at + length] = b""
            case 1:
                changed[at:at] = rng.randbytes(length)
            case 2:
                changed[at:at] = changed[at : at + length] * rng.choice((1, 2, 10))
            case 3:
                changed[at : at + 1] = rng.choice((b"\0", b"\xff", b'"', b"\\", b"{", b"]", b"\xed\xa0\x80"))
            case _:
                del changed[at:]
    return bytes(changed)


def any_value(rng: random.Random, depth: int = 3) -> Any:
    """Return any value that `json.dumps` writes, NaN and halves of surrogate pairs included."""
    kind = rng.randrange(10 if depth else 7)
    match kind:
        case 0:
            return rng.choice((None, True, False))
        case 1 | 2:
            return rng.choice(INTEGERS) * rng.choice((1, 1, -1))
        case 3:
            return rng.choice(
                (0.0, -0.0, 1e308, 5e-324, float("nan"), float("inf"), float("-inf"), rng.random())
            )
        case 4 | 5 | 6:
            return any_text(rng)
        case 7 | 8:
            return {any_text(rng): any_value(rng, depth - 1) for _ in range(rng.randrange(4))}
        case _:
            return [any_value(rng, depth - 1) for _ in range(rng.randrange(4))]


def any_text(rng: random.Random) -> str:
    """Return a text with something unpleasant in it, or a plain one."""
    return rng.choice(_TEXTS) if rng.random() < 0.6 else "".join(map(chr, rng.choices(range(32, 127), k=6)))


def nested(rng: random.Random, value: Any) -> Any:
    """Return `value` with one of its parts, at any depth, replaced or taken away."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        copy = dict(value)
        match rng.randrange(4):
            case 0:
                del copy[key]
            case 1:
                copy[any_text(rng)] = any_value(rng)
            case _:
                copy[key] = nested(rng, value[key])
        return copy
    return any_value(rng)


def as_json(rng: random.Random, value: Any) -> bytes:
    """Write `value` in one of the many ways that there are, sometimes broken."""
    raw = rng.random() < 0.3
    text = json.dumps(
        value, ensure_ascii=not raw, separators=rng.choice(((",", ":"), (", ", ": "), (" ,\n", ":\t")))
    )
    data = text.encode("utf-8", "surrogatepass")
    match rng.randrange(12):
        case 0:
            return mutate(rng, data)
        case 1:
            # A number of more digits than Python reads, and a nesting deeper than it goes.
            return data.replace(b"0", rng.choice((b"9" * 5000, b"1e999999", b"[" * 3000 + b"]" * 3000)), 1)
        case 2:
            return data[:-1] + b',"jobId":"twice"}' if data.endswith(b"}") else data + b"]"
        case 3 if raw:
            return text.encode(rng.choice(("utf-16", "utf-32", "utf-8-sig", "utf-16-le")), "surrogatepass")
        case _:
            return data
