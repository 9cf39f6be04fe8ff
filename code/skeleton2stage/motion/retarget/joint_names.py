"""What joints' names say: the side and the words in them, whatever prefix, case, separators and numbers they have."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from skeleton2stage.motion.retarget.joint_words import HELPERS, NOISE, PAIRED_SIDES, SIDE_WORDS

# A word that most joints have says which program or character it is, not which joint.
_COMMON_SHARE = 0.6
_END = "_end"


@dataclass(frozen=True)
class JointName:
    """A joint's name, read: each reading is a side ("left", "right" or "") and what is left without side and number.

    side: the one that a word of its own says, "" where none does or both are said.
    helper: whether it is a twist bone, a target or an end.
    """

    readings: tuple[tuple[str, str], ...]
    side: str
    helper: bool

    def words(self, side: str) -> tuple[str, ...]:
        """Return what the name may say for a side."""
        return tuple(word for found, word in self.readings if found == side)


def read_names(names: tuple[str, ...]) -> list[JointName]:
    """Return what the names of a skeleton's joints say."""
    tokens = _without_common([_tokens(name) for name in _without_prefix(names)])
    sides = _sides({word for found in tokens for word in found})
    return [_read(found, name.endswith(_END), sides) for found, name in zip(tokens, names, strict=True)]


def _sides(words: set[str]) -> dict[str, set[str]]:
    """Return the words for each side, of a skeleton whose names have these words."""
    sides = {side: {plain(word) for word in known} for side, known in SIDE_WORDS.items()}
    for left, right in PAIRED_SIDES:
        if {left, right} <= words:
            sides["left"].add(left)
            sides["right"].add(right)
    return sides


def plain(text: str) -> str:
    """Return text in small letters without accents, as the tables of words have it."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _without_prefix(names: tuple[str, ...]) -> list[str]:
    """Return names without namespaces and without the letters that all of them begin with."""
    bare = [re.split(r"[:|]", name.removesuffix(_END))[-1] for name in names]
    shortest = min(bare, key=len, default="")
    n_shared = next((n for n in range(len(shortest), 0, -1) if len({name[:n].lower() for name in bare}) == 1), 0)
    return [name[n_shared:] for name in bare] if len(bare) > 2 and n_shared < len(shortest) else bare


def _tokens(name: str) -> list[str]:
    """Return the words and numbers in a name, in its order: parted by signs, capitals, digits, and 左 and 右."""
    text = unicodedata.normalize("NFKC", name)
    text = re.sub(r"(?<=[^\W\d_])(?=[左右])|(?<=[左右])(?=[^\W\d_])", " ", text)
    text = re.sub(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])", " ", text)
    text = re.sub(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-ZÀ-Þ])(?=[A-ZÀ-Þ][a-zß-ÿ])", " ", text)
    return [plain(word) for word in re.findall(r"[^\W\d_]+|\d+", text)]


def _without_common(tokens: list[list[str]]) -> list[list[str]]:
    counts = Counter(word for found in tokens for word in set(found))
    common = {word for word, count in counts.items() if count > _COMMON_SHARE * len(tokens) and len(tokens) > 2}
    return [[word for word in found if word not in common] or found for found in tokens]


def _read(tokens: list[str], is_end: bool, sides: dict[str, set[str]]) -> JointName:
    said = [word for word in tokens if not word.isdecimal()]
    words = [word for word in said if word not in NOISE | HELPERS]
    found = {side for side, known in sides.items() if known & set(words)}
    side = found.pop() if len(found) == 1 else ""
    return JointName(tuple(_readings(words, sides)), side, is_end or bool(HELPERS & set(said)))


def _readings(words: list[str], sides: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Return the ways to read a name's words as (side, part), the likeliest first."""
    found = [(side, "".join(words[:i] + words[i + 1:]))
             for i, word in enumerate(words) for side, known in sides.items() if word in known]
    joined = "".join(words)
    for side, known in sides.items():
        for mark in (side[0], *(mark for mark in sorted(known) if len(mark) > 3)):
            if joined.startswith(mark):
                found.append((side, joined[len(mark):]))
            if joined.endswith(mark):
                found.append((side, joined[: -len(mark)]))
    return [*dict.fromkeys(found), ("", joined)]
