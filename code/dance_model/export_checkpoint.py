"""Write a dance model as a checkpoint of EDGE's: `python -m dance_model.export_checkpoint checkpoint=C out=FILE.pt`."""

from dataclasses import dataclass
from pathlib import Path

from dance_model.diffusion_loading import load as load_dance_model
from dance_model.edge import edge_checkpoint
from dance_model.edge.edge_denoiser import DenoiserConfig
from skeleton2stage import paths
from skeleton2stage.config import help_text, help_wanted, load_config, to_dataclass
from skeleton2stage.errors import UserError, run_main

USAGE = "python -m dance_model.export_checkpoint checkpoint=C out=FILE.pt"


@dataclass(frozen=True)
class ExportCheckpointConfig:
    """The keys of configs/export_checkpoint.yaml, which explains them."""

    checkpoint: Path
    out: Path

    def __post_init__(self) -> None:
        if self.out.suffix not in edge_checkpoint.SUFFIXES:
            raise UserError(f"out={self.out} must end in {' or '.join(edge_checkpoint.SUFFIXES)}")


def main(arguments: list[str]) -> None:
    """Read, write, and say what EDGE's code has to be told."""
    if help_wanted(arguments):
        print(help_text(USAGE, "export_checkpoint"))
        return
    config = to_dataclass(load_config("export_checkpoint", arguments), ExportCheckpointConfig)
    model = load_dance_model(paths.locate(config.checkpoint))
    edge_checkpoint.write(config.out, model.denoiser, model.scaler)
    print(f"{config.out}: for feature_type={model.music}{advice(model.denoiser.config)}")


def advice(config: DenoiserConfig) -> str:
    """Return which of the sizes written into EDGE's own EDGE.py must be changed for a denoiser, if any."""
    changed = config.differences(DenoiserConfig(music_width=config.music_width))
    listed = ", ".join(f"{name} {ours} (not {edges})" for name, (ours, edges) in changed.items())
    return f"; its sizes are not those in EDGE.py, which must have {listed}" if listed else ""


if __name__ == "__main__":
    run_main(main)
