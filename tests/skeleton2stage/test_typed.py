"""What is typed arrives as typed, whatever other grammars make of it, or is refused in one sentence."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from skeleton2stage.errors import UserError
from skeleton2stage.typed import read_value, split_argument

AWKWARD = (
    "/m/Don't Stop.mp3", "/m/canción.mp3", "[MV] song.mp3", "/m/song#1.mp3", "/m/what?!.mp3", "/m/${x}.mp3",
    "2024_11_26", "1e5", "null", "/m/a\\b.mp3", "/m/my song.mp3", "/m/a=b.mp3", "it's #1 (live).ogg", "a=b", "'quoted'",
    '"quoted"', "'", '"', " leading and trailing ", "true", "no", "~x", "0x10", "1_000", "12:30", "[a", "a]", "[a,b]",
    "{a: 1}", "- a", "a: b", "# a", "a #b", "&a", "*a", "!a", "%a", "@a", "`a`", "|", ">", "???", "$HOME",
    "${oc.env:HOME}", "踊り.wav", "ñ", "e\u0301", "🕺.ogg", "a,b", "a\tb", "+1",
    "~", "-", "--help", "\\n", "1.0", ".inf", "NaN",
)
LISTED = (*(text for text in AWKWARD if "," not in text and text == text.strip()), "A, live.json")


@pytest.mark.parametrize("text", AWKWARD)
def test_text_and_paths_arrive_as_typed(text):
    assert split_argument(f"music={text}") == ("music", text)
    assert read_value(text, str, "music") == text
    assert read_value(text, Path, "music") == text
    optional = read_value(text, Path | None, "music")
    assert optional == (None if text == "null" else text)


@pytest.mark.parametrize("text", LISTED)
def test_items_of_lists_arrive_as_typed(text):
    quoted = '"' + text.replace('"', '""') + '"'
    assert read_value(f"[{quoted},b]", tuple[str, ...], "labels") == [text, "b"]
    assert read_value(f"[b, {quoted}]", tuple[Path, ...], "compare") == ["b", text]


@pytest.mark.parametrize("text", [text for text in LISTED if "," not in text and text not in ("'quoted'", '"quoted"')])
def test_items_need_quotes_for_commas_alone(text):
    assert read_value(f"[b,{text},c]", tuple[str, ...], "labels") == ["b", text, "c"]


@pytest.mark.parametrize(("text", "items"), [
    ("[60_12,61_05]", ["60_12", "61_05"]),
    ("[/a/josé/m.json,/c/m.json]", ["/a/josé/m.json", "/c/m.json"]),
    ("[before,after (25 epochs)]", ["before", "after (25 epochs)"]),
    ("[]", []),
    ("[ ]", []),
    ("a.pkl", ["a.pkl"]),
    ("[MV] song.pkl", ["[MV] song.pkl"]),
    ("[[MV] a.pkl,b.pkl]", ["[MV] a.pkl", "b.pkl"]),
    ("['A, it''s live',b]", ["A, it's live", "b"]),
    ("['tis.wav,rock 'n' roll.wav]", ["'tis.wav", "rock 'n' roll.wav"]),
    ('["",b]', ["", "b"]),
])
def test_lists(text, items):
    assert read_value(text, tuple[str, ...], "labels") == items


@dataclass(frozen=True)
class Stage:
    """One of the nested settings."""

    name: str
    steps: int
    rate: float | None = None


@pytest.mark.parametrize(("text", "hint", "value"), [
    ("40000", int, 40000),
    ("40_000", int, 40000),
    ("1e5", int, 100000),
    ("9007199254740993", int, 9007199254740993),
    ("-1", int, -1),
    ("1e-4", float, 1e-4),
    (".5", float, 0.5),
    ("3", float, 3.0),
    ("null", float | None, None),
    ("True", bool, True),
    ("no", bool, False),
    ("[1,2.5]", tuple[float, ...], [1.0, 2.5]),
    ("[[0,1],[4,5]]", tuple[tuple[float, ...], ...], [[0.0, 1.0], [4.0, 5.0]]),
    ("{imitation: 1.0}", dict[str, float], {"imitation": 1.0}),
    ("{imitation:1.0,beat:2}", dict[str, float], {"imitation": 1.0, "beat": 2.0}),
    ("{}", dict[str, float] | None, {}),
    ("null", dict[str, float] | None, None),
    ("{name: 2024_11_26, steps: 3}", Stage, {"name": "2024_11_26", "steps": 3}),
    ("[{name: 1e5, steps: 1, rate: null}]", tuple[Stage, ...], [{"name": "1e5", "steps": 1, "rate": None}]),
])
def test_other_types_are_read_as_what_they_are(text, hint, value):
    read = read_value(text, hint, "key")
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(("text", "hint", "said"), [
    ("1.5", int, "'key' must be a whole number, not '1.5'"),
    ("many", int, "'key' must be a whole number, not 'many'"),
    ("", float, "'key' must be a number, not ''"),
    ("inf", int, "'key' must be a whole number, not 'inf'"),
    ("9" * 5000, int, "'key' must be a whole number, not '9"),
    ("maybe", bool, "'key' must be true or false, not 'maybe'"),
    ("", Path, "'key' must be a path, not ''"),
    ("", Path | None, "'key' must be a path, not ''"),
    ("a\0b", Path, "'key' must be a path"),
    ("", tuple[str, ...], "'key' must be a list such as"),
    ("[a,]", tuple[str, ...], "ends in a comma"),
    ("[a,,b]", tuple[str, ...], "an item of '\\[a,,b\\]' is empty"),
    ("[a,b]", tuple[float, ...], "'key' must be a number, not 'a'"),
    ("1,2", tuple[float, ...], "'key' must be a number, not '1,2'"),
    ("{a", dict[str, float], "'key' must be a list or mapping"),
    ("[" * 3000, dict[str, float], "'key' must be a list or mapping"),
    ("a", dict[str, float], "'key' must be a mapping"),
    ("{a: {b: 1}}", dict[str, float], "'key.a' must be one value"),
    ("{a: 1}", tuple[tuple[float, ...], ...], "'key' must be a list"),
    ("{nme: x}", Stage, "unknown key 'key.nme': choose one of name, rate, steps"),
])
def test_what_cannot_be_read_is_one_sentence(text, hint, said):
    with pytest.raises(UserError, match=said) as caught:
        read_value(text, hint, "key")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("argument", ["music", "", "=a", "--music"])
def test_an_argument_is_a_key_and_a_value(argument):
    with pytest.raises(UserError, match="key=value"):
        split_argument(argument)
