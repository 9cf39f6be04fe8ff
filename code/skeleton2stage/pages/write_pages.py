"""Pages of motions, written to a folder."""

from pathlib import Path

from tqdm import tqdm

from skeleton2stage.body.body_model import BodyModel
from skeleton2stage.errors import UserError
from skeleton2stage.files import write_text
from skeleton2stage.pages.explained_motion import ExplainedMotion
from skeleton2stage.pages.folder_page import folder_page
from skeleton2stage.pages.motion_page import motion_page
from skeleton2stage.pages.painted_body import BodyPainter

INDEX = "index.html"


def page_addresses(names: list[str]) -> list[str]:
    """Return each motion's page, relative to the folder: its name's path and stem, as `more/b.html` of `more/b.pkl`.

    Raises UserError where two motions would share a page.
    """
    addresses = [_address(name) for name in names]
    for address in addresses:
        if addresses.count(address) > 1:
            raise UserError(f"several motions would be explained in {address}: score them one folder at a time")
    return addresses


def write_pages(folder: Path, motions: list[ExplainedMotion], body: BodyModel) -> Path:
    """Write a page for each motion and, for the folder, index.html, which is returned."""
    addresses = page_addresses([motion.name for motion in motions])
    painter = BodyPainter(body)
    pairs = zip(motions, addresses, strict=True)
    for motion, address in tqdm(pairs, total=len(motions), desc="explaining", unit="page", leave=False, disable=None):
        back = "../" * address.count("/") + INDEX
        write_text(folder / address, motion_page(motion, painter, back))
    write_text(folder / INDEX, folder_page(motions, addresses))
    return folder / INDEX


def _address(name: str) -> str:
    """Return a page's address of a motion "path/file.pkl" or of its window "path/file.pkl@frame"."""
    file, at, start = name.rpartition("@")
    if not (file and start.isdigit()):
        file, at, start = name, "", ""
    address = f"{Path(file).with_suffix('').as_posix()}{at}{start}.html"
    return "index_.html" if address == INDEX else address
