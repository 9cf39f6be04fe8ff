"""Commands as documents print them, found and taken apart: what each runs, and which keys it gives."""

import dataclasses
import importlib
import importlib.util
import re
import typing
from dataclasses import dataclass
from pathlib import Path

from dance_model.train_dance_model import TRAININGS
from skeleton2stage import paths
from skeleton2stage.commands import settings_of
from skeleton2stage.errors import UserError
from skeleton2stage.presets import PRESET, PROTOCOL, presets
from skeleton2stage.typed import field_type, without_none

CODE = paths.REPOSITORY / "code"
OURS = tuple(path.name for path in CODE.iterdir() if path.is_dir())
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)*)`(?!`)")
KEY = re.compile(r"^[\"']?([a-z]\w*(?:\.[\w.]+)*)=")
SHORT = re.compile(r"^(\w+\.sh)(?= |$)")


@dataclass(frozen=True)
class Printed:
    """A command of a document: a module (a.b), or a script's path as printed; and its words."""

    document: Path
    text: str
    target: str
    words: tuple[str, ...]

    @property
    def keys(self) -> list[str]:
        """Return the keys that it gives, in order, those in brackets (which are optional) too."""
        return [found[1] for word in self.words if (found := KEY.match(word.lstrip("[")))]


def printed_commands(document: Path) -> list[Printed]:
    """Return the commands of a Markdown document, in its code blocks and in its running text."""
    text = document.read_text(encoding="utf-8")
    lines = [line for _, block in FENCE.findall(text) for line in _joined(block).splitlines()]
    lines += [re.sub(r"\s+", " ", span) for span in INLINE.findall(FENCE.sub("", text))]
    return [found for line in lines for part in _parts(line) if (found := _command(document, part))]


def _joined(block: str) -> str:
    return re.sub(r"\\\n\s*", " ", block)


def _parts(line: str) -> list[str]:
    """Return the commands of a line: what comes after a comment's sign goes, && and ; part them."""
    return re.split(r"\s&&\s|;\s", re.split(r"\s+#\s", line)[0])


def _command(document: Path, text: str) -> Printed | None:
    words = text.strip().lstrip("$ ").split()
    while words and re.match(r"^[A-Z_0-9]+=", words[0]):
        words.pop(0)
    if len(words) > 2 and words[0].startswith("python") and words[1] == "-m" and words[2].split(".")[0] in OURS:
        return Printed(document, text, words[2], tuple(words[3:]))
    if len(words) > 1 and (words[0] in ("bash", "source") or words[0].startswith("python")) and _is_ours(words[1]):
        return Printed(document, text, words[1], tuple(words[2:]))
    if words and (short := SHORT.match(words[0])):
        return Printed(document, text, short[1], tuple(words[1:]))
    if words and re.match(r"^(benchmarks|scripts)/\w+\.(py|sh)$", words[0]):
        return Printed(document, text, words[0], tuple(words[1:]))
    return None


def _is_ours(path: str) -> bool:
    """Return whether a path that is run would be in this repository: its folder is, whether or not the file is."""
    return "/" in path and (paths.REPOSITORY / path.split("/")[0]).is_dir()


def file_of(target: str) -> Path | None:
    """Return the file that a command runs; None where there is none."""
    if target.endswith((".sh", ".py")):
        folders = (paths.REPOSITORY.glob, (paths.REPOSITORY / "scripts").glob, CODE.rglob)
        found = [paths.REPOSITORY / target] if "/" in target else [file for glob in folders for file in glob(target)]
        return found[0] if len(found) == 1 and found[0].is_file() else None
    place = CODE.joinpath(*target.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__main__.py") if file.is_file()), None)


def settings_classes(target: str, words: tuple[str, ...] = ()) -> tuple[str | None, tuple[type, ...]]:
    """Return the configuration that a command reads and its dataclasses; no classes where it takes no keys by them."""
    file = file_of(target)
    source = file.read_text(encoding="utf-8")
    if file.suffix == ".sh":
        started = re.findall(r"(?:^|; |then )(?:exec python -m|launch \S+) ([\w.]+)(?! --help)", source, re.MULTILINE)
        modules = {name for name in started if file_of(name)}
        return settings_classes(modules.pop(), words) if len(modules) == 1 else (None, ())
    if "TRAININGS = {" in source:
        family = next((word.removeprefix("family=") for word in words if word.startswith("family=")), "edge")
        return settings_classes(TRAININGS[family], words)
    if found := re.search(r'load_config\("(\w+)"', source):
        return found[1], (settings_of(found[1]),)
    if (found := re.search(r"read_options\(.+, (\w+)\)", source)) and file.is_relative_to(CODE):
        module = importlib.import_module(".".join(file.relative_to(CODE).with_suffix("").parts))
        return None, (getattr(module, found[1]),)
    return None, ()


def unknown_key(key: str, configuration: str | None, classes: tuple[type, ...]) -> str | None:
    """Return why a key is none of these settings'; None where it is one."""
    if key in (PRESET, PROTOCOL) and configuration and presets(configuration):
        return None
    first, *parts = key.split(".")
    hints = {field.name: typing.get_type_hints(cls)[field.name] for cls in classes for field in dataclasses.fields(cls)}
    if first not in hints:
        return f"unknown key '{first}'"
    hint = hints[first]
    for part in parts:
        hint = without_none(hint)
        if typing.get_origin(hint) is dict:
            return None
        try:
            hint = field_type(hint, part, key)
        except UserError as error:
            return str(error)
    return None
