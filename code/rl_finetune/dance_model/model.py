"""A dance model as it is stored and used: denoiser, motion layout, scaler, and kind of music features."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from rl_finetune.dance_model import edge_checkpoint
from rl_finetune.dance_model.ddim import DEFAULT_GUIDANCE
from rl_finetune.dance_model.denoiser import DanceDecoder, DenoiserConfig
from skeleton2stage.checkpoint import load_checkpoint, save_checkpoint
from skeleton2stage.errors import UserError, unknown_name
from skeleton2stage.motion.layout import LAYOUTS, MotionLayout, decode, layout_named
from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.motion.scaler import MinMaxScaler
from skeleton2stage.music.kinds import BASELINE, JUKEBOX, WIDTHS

KIND = "dance_model"
EDGE_MUSIC_KINDS = (BASELINE, JUKEBOX)


@dataclass(frozen=True)
class DanceModel:
    """A denoiser and what one must know to feed it music and read its motions.

    music: name of the features it was trained on, one of kinds.KINDS. guidance: classifier-free guidance weight
    that its dances come out best with, EDGE's 2 if nothing else is known.
    """

    denoiser: DanceDecoder
    layout: MotionLayout
    scaler: MinMaxScaler
    music: str = BASELINE
    guidance: float = DEFAULT_GUIDANCE

    def __post_init__(self) -> None:
        config = self.denoiser.config
        if self.music not in WIDTHS:
            raise unknown_name("kind of music features", self.music, list(WIDTHS))
        if config.music_width != WIDTHS[self.music]:
            raise UserError(
                f"{self.music} music features are {WIDTHS[self.music]} wide, "
                f"but the denoiser takes {config.music_width}"
            )
        if config.motion_width != self.layout.width or len(self.scaler.scale) != self.layout.width:
            raise UserError(
                f"layout {self.layout.name} is {self.layout.width} wide, the denoiser {config.motion_width} "
                f"and the scaler {len(self.scaler.scale)}"
            )
        if config.place_range != self.scaler.bound:
            raise UserError(
                f"the denoiser's place_range is {config.place_range}, the scaler's bound {self.scaler.bound}"
            )

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return self.denoiser.device

    def to(self, device: torch.device | str) -> "DanceModel":
        """Return the model on another device; the denoiser itself moves."""
        return replace(self, denoiser=self.denoiser.to(device), scaler=self.scaler.to(device))

    def guidance_or(self, given: float | None) -> float:
        """Return the guidance weight that is given, or where none is (None) the model's own."""
        return self.guidance if given is None else given

    def motions(self, scaled: torch.Tensor) -> list[Motion]:
        """Return the motions of samples [B, T, D], scaled."""
        parts = decode(self.scaler.to(scaled.device).unnormalise(scaled.detach().float()), self.layout)
        poses, translation, contacts = (part.cpu().numpy() for part in parts)
        return [Motion(*clip, FPS, c) for *clip, c in zip(poses, translation, contacts, strict=True)]

    def save(self, path: Path, half: bool = True) -> None:
        """Write a checkpoint; `half` stores the denoiser's weights in 16 bits, the scaler never."""
        dtype = torch.float16 if half else torch.float32
        weights = {f"denoiser.{k}": v.to(dtype) for k, v in unshared_state(self.denoiser).items()}
        scaler = {"scaler.scale": self.scaler.scale, "scaler.minimum": self.scaler.minimum}
        config = {
            "kind": KIND, "layout": self.layout.name, "music": self.music, "guidance": self.guidance,
            "denoiser": asdict(self.denoiser.config),
        }
        save_checkpoint(path, weights | scaler, config)


def unshared_state(denoiser: DanceDecoder) -> dict[str, torch.Tensor]:
    """Return the learned weights alone: the rotary frequencies, repeated in every layer, follow from the width."""
    return {name: value for name, value in denoiser.state_dict().items() if not name.endswith("rotary.freqs")}


def load(path: Path, device: torch.device | str = "cpu") -> DanceModel:
    """Read a checkpoint, in evaluation mode: ours, or by its suffix one of EDGE's (.pt).

    Raises UserError where it is missing, damaged, of another kind, or does not fit its own description.
    """
    if Path(path).suffix in edge_checkpoint.SUFFIXES:
        return load_edge(path).to(device)
    tensors, config = load_checkpoint(path)
    if not isinstance(config, dict) or config.get("kind") != KIND:
        found = config.get("kind") if isinstance(config, dict) else None
        raise UserError(f"{path} is not a dance model but '{found}': give one that train_edge.sh or run.sh wrote")
    try:
        denoiser = DanceDecoder(DenoiserConfig(**config["denoiser"])).eval()
        bound = denoiser.config.place_range
        scaler = MinMaxScaler(tensors.pop("scaler.scale"), tensors.pop("scaler.minimum"), bound)
        load_weights(denoiser, {name.removeprefix("denoiser."): value for name, value in tensors.items()})
        guidance = float(config.get("guidance", DEFAULT_GUIDANCE))
        model = DanceModel(denoiser, layout_named(config["layout"]), scaler, config["music"], guidance)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"{path} does not fit its description ({_first_line(error)}): copy both files again") from None
    return model.to(device)


def load_edge(path: Path) -> DanceModel:
    """Read one of EDGE's checkpoints, in evaluation mode; its widths tell layout and music features.

    Raises UserError where it is missing, damaged, of another kind, or of an unknown width.
    """
    stored = edge_checkpoint.read(path)
    layouts = {layout.width: layout for layout in LAYOUTS.values()}
    music = {WIDTHS[name]: name for name in EDGE_MUSIC_KINDS}
    for what, width, known in (
        ("motions", stored.config.motion_width, layouts), ("music features", stored.config.music_width, music)
    ):
        if width not in known:
            raise UserError(f"{path} has {what} {width} wide: known are {', '.join(map(str, known))}")
    denoiser = DanceDecoder(stored.config).eval()
    try:
        load_weights(denoiser, stored.weights)
    except RuntimeError as error:
        raise UserError(f"{path} holds another network than EDGE's denoiser ({_first_line(error)})") from None
    return DanceModel(
        denoiser, layouts[stored.config.motion_width], stored.scaler, music[stored.config.music_width]
    )


def load_weights(denoiser: DanceDecoder, weights: dict[str, torch.Tensor]) -> None:
    """Set all learned weights by name; raise RuntimeError for a missing, unknown or ill-shaped one."""
    result = denoiser.load_state_dict(weights, strict=False)
    missing = [name for name in result.missing_keys if not name.endswith("rotary.freqs")]
    if missing or result.unexpected_keys:
        raise RuntimeError(f"missing {missing[:3]}, unknown {result.unexpected_keys[:3]}")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
