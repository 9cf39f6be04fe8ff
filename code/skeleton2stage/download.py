"""Fetch data or models from the addresses of a manifest: what scripts/download_data.sh and download_model.sh run."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skeleton2stage import paths
from skeleton2stage.command_help import help_wanted, options_help
from skeleton2stage.config import read_options
from skeleton2stage.errors import UserError, run_main, unknown_name
from skeleton2stage.fetch import fetch, sha256_of
from skeleton2stage.files import read_json, write_json
from skeleton2stage.settings import output_setting, setting

MANIFEST = paths.REPOSITORY / "scripts" / "downloads.json"
SUMS = "checksums.json"
USAGE = """bash scripts/download_data.sh  [SET ...] [key=value ...]
       bash scripts/download_model.sh [SET ...] [key=value ...]"""


@dataclass(frozen=True, kw_only=True)
class DownloadConfig:
    """Data or models from where they are published; without a SET, a list of what there is.

    A download that was stopped goes on where it was; what is there and whole is not fetched again.
    """

    kind: str = setting("what the sets are of: data or model; the scripts give it")
    sets: tuple[str, ...] = setting("the SETs", default=())
    out: Path | None = output_setting(
        "folder to write to; null: the set's own, under data/ (S2S_DATA)", default=None
    )
    manifest: Path = setting(
        "addresses and checksums; give your own for a mirror, or for data of your own", default=MANIFEST
    )


@dataclass(frozen=True)
class RemoteFile:
    """A file of a set: its name there, its address, and its SHA-256 in hexadecimal, None where nobody has told it."""

    name: str
    url: str
    sha256: str | None


@dataclass(frozen=True)
class RemoteSet:
    """Files that belong together. into: folder under data/; terms: whose they are; then: what to do with them."""

    about: str
    terms: str
    into: str
    then: str
    files: tuple[RemoteFile, ...]


def main(arguments: list[str]) -> None:
    """Fetch the named sets, or list them; words without a '=' after the kind are sets."""
    if help_wanted(arguments):
        print(options_help(USAGE, DownloadConfig))
        return
    kind, names = arguments[0], [word for word in arguments[1:] if "=" not in word]
    keys = [word for word in arguments[1:] if "=" in word]
    config = read_options([f"kind={kind}", *keys, *([f"sets=[{','.join(names)}]"] if names else [])], DownloadConfig)
    known = read_manifest(config.manifest, config.kind)
    for name in config.sets:
        if name not in known:
            raise unknown_name(f"set of {config.manifest.name}'s {config.kind}", name, list(known))
    if not config.sets:
        print("\n".join(f"{name}: {one.about}. {one.terms}" for name, one in known.items()))
    for name in config.sets:
        fetch_set(known[name], config.out or paths.prepared_data() / known[name].into)


def fetch_set(remote: RemoteSet, folder: Path) -> None:
    """Bring a folder to hold all files of a set; raise UserError for the first that cannot be had, keeping the others.

    A file that nobody has told the checksum of is held to the one it came with the first time, kept in checksums.json.
    """
    print(remote.terms)
    seen = _seen(folder)
    for file in remote.files:
        path, expected = folder / file.name, file.sha256 or seen.get(file.name)
        if path.exists():
            _check_present(path, expected)
            continue
        found = fetch(file.url, path, expected)
        if file.sha256 is None:
            if file.name not in seen:
                print(f"{file.name}: no checksum is known for it; it came as sha256 {found}", file=sys.stderr)
            seen[file.name] = found
            write_json(folder / SUMS, seen)
    print(f"{len(remote.files)} file(s) in {folder}\n{remote.then.replace('FOLDER', str(folder))}".rstrip())


def _seen(folder: Path) -> dict[str, str]:
    return read_json(folder / SUMS) if (folder / SUMS).exists() else {}


def _check_present(path: Path, expected: str | None) -> None:
    if expected is not None and (found := sha256_of(path)) != expected:
        raise UserError(f"{path} is there, with the sha256 {found} in place of {expected}: move it away and run again")


def read_manifest(path: Path, kind: str) -> dict[str, RemoteSet]:
    """Return the sets of a kind (data, model) in a manifest; raise UserError that says what is wrong in it."""
    content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get(kind), dict):
        raise UserError(f"{path} has no '{kind}': it should be a table of sets, as in {MANIFEST.name}")
    return {name: _set(entry, f"{path}: {kind}.{name}") for name, entry in content[kind].items()}


def _set(entry: Any, where: str) -> RemoteSet:  # noqa: ANN401 - JSON holds any of its types
    fields = _fields(entry, ("about", "terms", "into", "then", "files"), where)
    files = [_fields(file, ("name", "url", "sha256"), f"{where}.files") for file in fields.pop("files")]
    for file in files:
        if Path(file["name"]).name != file["name"] or file["name"] == SUMS or file["name"].startswith("."):
            raise UserError(f"{where}: {file['name']!r} is no name of a file within the set's folder")
        if not file["url"].startswith(("http://", "https://")):
            raise UserError(f"{where}: {file['url']!r} is no address: write http://… or https://…")
    return RemoteSet(**fields, files=tuple(RemoteFile(**file) for file in files))


def _fields(entry: Any, names: tuple[str, ...], where: str) -> dict[str, Any]:  # noqa: ANN401 - as above
    if not isinstance(entry, Mapping) or set(entry) != set(names):
        raise UserError(f"{where} must have exactly {', '.join(names)}")
    return dict(entry)


if __name__ == "__main__":
    run_main(main)
