"""Write a dance model as its authors do: `python -m dance_model.export_checkpoint checkpoint=C out=FILE.pt`."""

from dataclasses import dataclass
from pathlib import Path

from dance_model import released
from dance_model.diffusion_loading import load as load_dance_model
from dance_model.edge import edge_checkpoint
from dance_model.edge.edge_denoiser import DanceDecoder, DenoiserConfig
from dance_model.popdg import popdg_checkpoint
from dance_model.popdg.popdg_denoiser import PopdgDenoiser
from skeleton2stage.command_help import help_text, help_wanted
from skeleton2stage.config import load_config, to_dataclass
from skeleton2stage.errors import UserError, run_main
from skeleton2stage.settings import output_setting, setting

USAGE = "python -m dance_model.export_checkpoint checkpoint=C out=FILE.pt"
# By family: what writes it as its authors do, and where they have written its sizes.
WRITERS = {
    DanceDecoder.family: (edge_checkpoint.write, "EDGE.py"),
    PopdgDenoiser.family: (popdg_checkpoint.write, "POPDG's code"),
}


@dataclass(frozen=True, kw_only=True)
class ExportCheckpointConfig:
    """A dance model as a checkpoint that EDGE's or POPDG's own code loads."""

    checkpoint: Path = setting(
        "dance model: ours (.safetensors) or theirs (.pt); one with parts that their code lacks is refused"
    )
    out: Path = output_setting("the .pt to write")

    def __post_init__(self) -> None:
        if self.out.suffix not in released.SUFFIXES:
            raise UserError(f"out={self.out} must end in {' or '.join(released.SUFFIXES)}")


def main(arguments: list[str]) -> None:
    """Read, write, and say what the authors' code has to be told."""
    if help_wanted(arguments):
        print(help_text(USAGE, "export_checkpoint", arguments))
        return
    config = to_dataclass(load_config("export_checkpoint", arguments), ExportCheckpointConfig)
    model = load_dance_model(config.checkpoint)
    write, where = WRITERS[model.denoiser.family]
    write(config.out, model.denoiser, model.scaler)
    print(f"{config.out}: for feature_type={model.music}{advice(model.denoiser.config, where)}")


def advice(config: DenoiserConfig, where: str = "EDGE.py") -> str:
    """Return which of the sizes that the authors' code has written into it must be changed for a denoiser, if any."""
    changed = config.differences(type(config)(music_width=config.music_width))
    changed.pop("convolutions", None)  # POPDG's are written, idle, whether or not the denoiser has them
    listed = ", ".join(f"{name} {ours} (not {theirs})" for name, (ours, theirs) in changed.items())
    return f"; its sizes are not those in {where}, which must have {listed}" if listed else ""


if __name__ == "__main__":
    run_main(main)
