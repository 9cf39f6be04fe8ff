"""One file from an address to the disk: resumed where it was cut off, checked, and put in place whole or not at all."""

import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from pathlib import Path

from tqdm import tqdm

from skeleton2stage.errors import UserError

PARTIAL = ".partial"
ATTEMPTS = 3  # in a row without a byte more
PAUSE_S = 1.0  # between attempts; twice as long after each that brought nothing
TIMEOUT_S = 30.0
_BLOCK_BYTES = 1 << 18
_HTTP_PARTIAL, _HTTP_BAD_RANGE = 206, 416


class _CutOff(Exception):  # noqa: N818 - part of the protocol between this module's functions
    """The connection ended, or was never made; what has arrived is kept, and trying again may help."""


def fetch(url: str, path: Path, sha256: str | None = None, pause_s: float = PAUSE_S) -> str:
    """Fetch `url` to `path` and return its SHA-256 in hexadecimal, which must be `sha256` where that is given.

    What has arrived lies in .NAME.partial beside `path` until it is whole, and is gone on with after a break or by the
    next call. Raises UserError in one sentence where there is no network, the server refuses, or the content is wrong.
    """
    partial = path.with_name(f".{path.name}{PARTIAL}")
    path.parent.mkdir(parents=True, exist_ok=True)
    _arrive(url, partial, path, pause_s)
    found = sha256_of(partial)
    if sha256 is not None and found != sha256:
        partial.unlink()
        raise UserError(
            f"{url} came with the sha256 {found} in place of {sha256}: nothing was kept; try again, and if it "
            "stays so, the file has changed there"
        )
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(partial, path)
    return found


def _arrive(url: str, partial: Path, path: Path, pause_s: float) -> None:
    """Fetch until the partial file is whole; give up after ATTEMPTS in a row that brought nothing."""
    failures = 0
    while True:
        have = _size(partial)
        try:
            return _go_on(url, partial)
        except _CutOff as error:
            failures = 0 if _size(partial) > have else failures + 1
            if failures == ATTEMPTS:
                raise UserError(
                    f"could not fetch {url} ({error}): is the network there? Run it again to go on from "
                    f"{_size(partial)} bytes, or save the file as {path} by hand"
                ) from None
            time.sleep(pause_s * 2**failures)


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _go_on(url: str, partial: Path) -> None:
    """Fetch what is missing of a partial file, all of it where the server cannot begin in the middle."""
    have = _size(partial)
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310 - http(s), by the manifest
            _refuse_web_page(response, url, partial)
            have = have if _continues(response, have) else 0
            _write(response, partial, have)
    except urllib.error.HTTPError as error:
        if error.code == _HTTP_BAD_RANGE and have:
            if error.headers.get("Content-Range") == f"bytes */{have}":
                return  # whole already: stopped between the last byte and the renaming
            partial.unlink()
            raise _CutOff("what had arrived did not fit") from None
        if error.code >= http.client.INTERNAL_SERVER_ERROR or error.code == http.client.TOO_MANY_REQUESTS:
            raise _CutOff(f"it answered {error.code} {error.reason}") from None
        raise UserError(f"{url} answered {error.code} {error.reason}: give its new address in the manifest") from None
    except urllib.error.URLError as error:
        raise _CutOff(str(error.reason)) from None
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise _CutOff(str(error) or type(error).__name__) from None


def _refuse_web_page(response: http.client.HTTPResponse, url: str, partial: Path) -> None:
    if response.headers.get_content_type() == "text/html" and not url.endswith((".html", ".htm")):
        target = partial.with_name(partial.name[1:].removesuffix(PARTIAL))
        raise UserError(f"{url} answered with a web page: fetch the file in a browser and save it as {target}")


def _continues(response: http.client.HTTPResponse, have: int) -> bool:
    """Return whether the answer begins after the bytes that are there."""
    span = re.fullmatch(r"bytes (\d+)-\d+/(?:\d+|\*)", response.headers.get("Content-Range", ""))
    return response.status == _HTTP_PARTIAL and span is not None and int(span[1]) == have


def _write(response: http.client.HTTPResponse, partial: Path, have: int) -> None:
    """Append the answer to the `have` first bytes; raise _CutOff where it ends before its announced length."""
    length = response.headers.get("Content-Length")
    total = have + int(length) if length is not None else None
    name = partial.name[1:].removesuffix(PARTIAL)
    with (
        partial.open("ab" if have else "wb") as file,
        tqdm(total=total, initial=have, desc=name, unit="B", unit_scale=True, leave=False, disable=None) as progress,
    ):
        while block := response.read(_BLOCK_BYTES):
            file.write(block)
            progress.update(len(block))
    if total is not None and _size(partial) < total:
        raise _CutOff(f"the connection ended after {_size(partial)} of {total} bytes")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
