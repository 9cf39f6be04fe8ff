"""Diffusion models from their files: this project's checkpoints, and those that EDGE and POPDG release."""

from pathlib import Path
from typing import Any

import torch

from dance_model import released
from dance_model.dance_policy import read_saved
from dance_model.diffusion.ddim import DEFAULT_GUIDANCE
from dance_model.diffusion.denoiser import Denoiser
from dance_model.diffusion.diffusion_model import DanceModel, load_weights
from dance_model.edge import edge_checkpoint
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig
from dance_model.popdg import popdg_checkpoint
from dance_model.popdg.popdg_denoiser import PopdgConfig, PopdgDenoiser
from skeleton2stage.checkpoint import check_size
from skeleton2stage.config import to_dataclass
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion_layout import LAYOUTS, layout_named
from skeleton2stage.motion.scaler import MinMaxScaler
from skeleton2stage.music.kinds import BASELINE, JUKEBOX, WIDTHS
from skeleton2stage.read_boundary import first_words

# By family: the network, its sizes, and what reads its authors' files.
DENOISERS: dict[str, tuple[type[Denoiser], type[DenoiserConfig]]] = {
    DanceDecoder.family: (DanceDecoder, DenoiserConfig),
    PopdgDenoiser.family: (PopdgDenoiser, PopdgConfig),
}
RELEASED_MUSIC = (BASELINE, JUKEBOX)


def load(path: Path, device: torch.device | str = "cpu") -> DanceModel:
    """Read a diffusion model, in evaluation mode: ours, or by its suffix (.pt) one of EDGE's or POPDG's.

    Raises UserError where it is missing, damaged, of another kind, or does not fit its own description.
    """
    if Path(path).suffix in released.SUFFIXES:
        return load_released(path).to(device)
    weights, config = read_saved(path)
    family = config.get("family", DanceDecoder.family)
    if not isinstance(family, str) or family not in DENOISERS:
        raise UserError(f"{path} is of family '{family}', which is no diffusion model ({', '.join(DENOISERS)})")
    try:
        return restored(config, weights).to(device)
    except (UserError, KeyError, TypeError, ValueError, RuntimeError, ArithmeticError, AttributeError) as error:
        raise UserError(f"{path} does not fit its description ({first_words(error)}): copy both files again") from None


def restored(config: dict[str, Any], weights: dict[str, torch.Tensor]) -> DanceModel:
    """Return a model of the description and the weights that `DanceModel.save` wrote.

    Raises KeyError, TypeError, ValueError or RuntimeError where they do not go together.
    """
    check_size(lambda: untrained(config), weights)
    denoiser = untrained(config)
    rest = dict(weights)
    scaler = MinMaxScaler(rest.pop("scaler.scale"), rest.pop("scaler.minimum"), denoiser.config.place_range)
    load_weights(denoiser, {name.removeprefix("denoiser."): value for name, value in rest.items()})
    guidance = float(config.get("guidance", DEFAULT_GUIDANCE))
    return DanceModel(denoiser, layout_named(config["layout"]), scaler, config["music"], guidance)


def untrained(config: dict[str, Any]) -> Denoiser:
    """Return the denoiser of a description, in evaluation mode; one without a family is EDGE's."""
    network, sizes = DENOISERS[config.get("family", DanceDecoder.family)]
    return network(to_dataclass(config["denoiser"], sizes, "denoiser.")).eval()


def load_released(path: Path) -> DanceModel:
    """Read one of EDGE's or POPDG's own checkpoints, in evaluation mode; its widths tell layout and music features.

    POPDG's dances are z up, but what PopDanceSet's cameras made of the floor is not z = 0: POPDG turns the data by -90
    degrees about x and adds (0, -5, 1) m, so dances are to be put on the floor before anything else is asked of them.
    Raises UserError where the file is missing, damaged, of another kind, or of an unknown width.
    """
    weights, content = released.read_weights(path, edge_checkpoint.FAMILY)
    module = popdg_checkpoint if popdg_checkpoint.recognises(weights) else edge_checkpoint
    stored = module.parsed(path, weights, content)
    layouts = {layout.width: layout for layout in LAYOUTS.values()}
    music = {WIDTHS[name]: name for name in RELEASED_MUSIC}
    sizes = stored.config
    for what, width, known in (
        ("motions", sizes.motion_width, layouts), ("music features", sizes.music_width, music)
    ):
        if width not in known:
            raise UserError(f"{path} has {what} {width} wide: known are {', '.join(map(str, known))}")
    network, _ = DENOISERS[PopdgDenoiser.family if module is popdg_checkpoint else DanceDecoder.family]
    denoiser = network(sizes).eval()
    try:
        load_weights(denoiser, stored.weights)
    except RuntimeError as error:
        raise module.another_network(path, _first_line(error)) from None
    return DanceModel(denoiser, layouts[sizes.motion_width], stored.scaler, music[sizes.music_width])


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
