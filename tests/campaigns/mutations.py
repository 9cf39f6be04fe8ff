"""Sound files made unsound, each in a way that follows from a seed."""

import numpy as np

_NUMBERS = (b"0", b"-1", b"1e308", b"nan", b"-inf", b"99999999999", b"1e-300", b"null", b"[]", b"{}", b'"x"', b"true")
_LENGTHS = (1, 2, 4, 8)


def mutated(content: bytes, seed: int) -> bytes:
    """Return a file's content with one to four changes."""
    random = np.random.default_rng(seed)
    for _ in range(int(random.integers(1, 5))):
        change = _CHANGES[int(random.integers(len(_CHANGES)))]
        content = change(content, random) or content
    return content


def _place(content: bytes, random: np.random.Generator) -> int:
    """Return a place, more often one of the first bytes, where formats say what follows."""
    limit = len(content) if random.random() < 0.5 else min(len(content), 400)
    return int(random.integers(max(limit, 1)))


def _flip(content: bytes, random: np.random.Generator) -> bytes:
    at = _place(content, random)
    return content[:at] + bytes([content[at] ^ (1 << int(random.integers(8)))]) + content[at + 1:]


def _set(content: bytes, random: np.random.Generator) -> bytes:
    at, length = _place(content, random), _LENGTHS[int(random.integers(len(_LENGTHS)))]
    filling = (b"\x00", b"\xff", b"\x7f", b"\x80")[int(random.integers(4))] * length
    return content[:at] + filling + content[at + length:]


def _cut(content: bytes, random: np.random.Generator) -> bytes:
    return content[: int(random.integers(len(content) + 1))]


def _repeat(content: bytes, random: np.random.Generator) -> bytes:
    at = _place(content, random)
    part = content[at: at + int(random.integers(1, 200))]
    return content[:at] + part * int(random.integers(2, 20)) + content[at:]


def _remove(content: bytes, random: np.random.Generator) -> bytes:
    at = _place(content, random)
    return content[:at] + content[at + int(random.integers(1, 200)):]


def _insert(content: bytes, random: np.random.Generator) -> bytes:
    at = _place(content, random)
    return content[:at] + random.bytes(int(random.integers(1, 40))) + content[at:]


def _other_number(content: bytes, random: np.random.Generator) -> bytes:
    """Put something else in the place of a number in a text."""
    text = content[:100_000]
    starts = [at for at in range(1, len(text)) if text[at:at + 1].isdigit() and text[at - 1:at] in b" \n\t[:,-"]
    if not starts:
        return content
    at = starts[int(random.integers(len(starts)))]
    end = at
    while end < len(content) and content[end:end + 1] in b"0123456789.eE+-":
        end += 1
    return content[:at] + _NUMBERS[int(random.integers(len(_NUMBERS)))] + content[end:]


_CHANGES = (_flip, _flip, _set, _set, _cut, _repeat, _remove, _insert, _other_number, _other_number)
