"""The joints of a Biovision hierarchy file, read from the part of its text before the word MOTION."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from skeleton2stage.errors import UserError, unknown_name

AXES = "XYZ"
_KINDS = ("position", "rotation", "scale")
CHANNELS = {f"{axis}{kind}" for axis in AXES for kind in _KINDS}
_MAX_CHANNELS = 12
# A joint's line says its name, which may have spaces, up to the brace or the line's end.
_TOKEN = re.compile(r"(?P<joint>\b(?:ROOT|JOINT|END[ \t_]*SITE|END)\b)(?P<name>[^\n{}]*)|[{}]|[^\s{}]+", re.IGNORECASE)


@dataclass
class Hierarchy:
    """The joints of a file, parents before children: `Bvh` says what the fields are."""

    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[list[float]] = field(default_factory=list)
    channels: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, name: str, parent: int) -> int:
        """Add a joint and return its index."""
        self.names.append(name)
        self.parents.append(parent)
        self.offsets.append([0.0, 0.0, 0.0])
        self.channels.append(())
        return len(self.names) - 1


class _Tokens:
    """The words of a file, taken one by one; running out of them is the user's broken file."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.found, self.position = path, list(_TOKEN.finditer(text)), 0

    @property
    def finished(self) -> bool:
        return self.position >= len(self.found)

    def take(self) -> re.Match[str]:
        if self.finished:
            raise UserError(f"{self.path} ends in the middle of its hierarchy: it was cut short, copy it again")
        self.position += 1
        return self.found[self.position - 1]

    def word(self) -> str:
        return self.take()[0].strip()

    def expect(self, word: str) -> None:
        found = self.word()
        if found.upper() != word:
            raise UserError(f"{self.path} is not a BVH file: expected {word}, found '{found[:40]}'")

    def number(self) -> float:
        word = self.word()
        try:
            return float(word.rstrip(",").replace(",", "."))
        except ValueError:
            raise UserError(f"{self.path}: expected a number in the hierarchy, found '{word[:40]}'") from None


def read_hierarchy(path: Path, text: str) -> Hierarchy:
    """Return the joints of the one skeleton that a text from HIERARCHY on describes."""
    tokens = _Tokens(path, text)
    tokens.expect("HIERARCHY")
    root = tokens.take()
    if (root["joint"] or "").upper() != "ROOT":
        raise UserError(f"{path} is not a BVH file: expected ROOT, found '{root[0].strip()[:40]}'")
    hierarchy = Hierarchy()
    _read_joints(tokens, hierarchy, _name_of(root, "root"))
    if not tokens.finished:
        after = tokens.take()
        if (after["joint"] or "").upper() == "ROOT":
            raise UserError(
                f"{path} holds more than one skeleton (ROOT {hierarchy.names[0]} and ROOT {_name_of(after, '')[:40]}): "
                "export each person to a file of their own"
            )
        raise UserError(f"{path}: '{after[0].strip()[:40]}' has no place after a BVH hierarchy's last brace")
    return hierarchy


def _name_of(token: re.Match[str], otherwise: str) -> str:
    return token["name"].strip().strip('"') or otherwise


def _read_joints(tokens: _Tokens, hierarchy: Hierarchy, root: str) -> None:
    """Read joints from after the root's name to the brace that closes it."""
    stack = [hierarchy.add(root, -1)]
    tokens.expect("{")
    while stack:
        token = tokens.take()
        word = token[0].strip().upper()
        if token["joint"]:
            stack.append(hierarchy.add(_joint_name(tokens, token, hierarchy, stack[-1]), stack[-1]))
            tokens.expect("{")
        elif word == "OFFSET":
            hierarchy.offsets[stack[-1]] = [tokens.number() for _ in range(3)]
        elif word == "CHANNELS":
            hierarchy.channels[stack[-1]] = _read_channels(tokens)
        elif word == "}":
            stack.pop()
        else:
            raise UserError(f"{tokens.path}: '{word[:40]}' has no place in a BVH hierarchy")


def _joint_name(tokens: _Tokens, token: re.Match[str], hierarchy: Hierarchy, parent: int) -> str:
    kind = token["joint"].upper()
    if kind.startswith("END"):
        return f"{hierarchy.names[parent]}_end"
    if kind == "ROOT":
        raise UserError(f"{tokens.path} has a ROOT inside of {hierarchy.names[parent]}: its braces do not close")
    return _name_of(token, f"joint{len(hierarchy.names)}")


def _read_channels(tokens: _Tokens) -> tuple[str, ...]:
    count = tokens.word()
    if not count.isdecimal() or int(count[:9]) > _MAX_CHANNELS:
        raise UserError(f"{tokens.path}: CHANNELS is followed by '{count[:40]}' where their number was expected")
    channels = tuple(tokens.word().capitalize() for _ in range(int(count)))
    unknown = set(channels) - CHANNELS
    if unknown:
        raise unknown_name(f"channel in {tokens.path}", min(unknown), list(CHANNELS))
    return channels
