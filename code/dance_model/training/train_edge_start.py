"""The dance model that a training run of the base model begins with, where `start_from` names one."""

from dataclasses import asdict, replace

import torch
from torch import nn

from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.diffusion_loading import load as load_dance_model
from dance_model.training.train_edge_config import TrainEdgeConfig
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion_layout import MotionLayout
from skeleton2stage.motion.scaler import MinMaxScaler
from skeleton2stage.music.kinds import WIDTHS


def load_start(config: TrainEdgeConfig, device: torch.device | str) -> DanceModel | None:
    """Return the model that `start_from` names, on a device; None where it names none.

    Its weights mean something only for its own sizes, motion layout and music features, and in motions scaled as it
    had them. Raises UserError, with the values to give, where the configuration has others. `frame_music` alone may
    be added to it, and beats be tracked otherwise (music=song_beats for baseline, or back).
    """
    if config.start_from is None:
        return None
    model = load_dance_model(config.start_from, device)
    if config.denoiser.frame_music:
        model = with_frame_music(model)
    if model.denoiser.family != config.family:
        raise UserError(f"start_from={config.start_from} is another model: give family={model.denoiser.family}")
    sizes, own = model.denoiser.config.differences(config.sizes()), asdict(config.popdg)
    changes = {f"{'popdg' if name in own else 'denoiser'}.{name}": theirs for name, (theirs, _) in sizes.items()}
    if model.layout.name != config.layout:
        changes["layout"] = model.layout.name
    if WIDTHS[model.music] != WIDTHS[config.music]:
        changes["music"] = model.music
    if changes:
        listed = " ".join(f"{key}={value}" for key, value in changes.items())
        raise UserError(f"start_from={config.start_from} is another model than configured: give {listed}")
    return model


def with_frame_music(model: DanceModel) -> DanceModel:
    """Return a model that computes what the given one does and can learn to hear single frames of music.

    What `frame_music` adds to it is zero at first.
    """
    if model.denoiser.config.frame_music:
        return model
    denoiser = type(model.denoiser)(replace(model.denoiser.config, frame_music=True)).to(model.device).eval()
    denoiser.load_state_dict(model.denoiser.state_dict(), strict=False)
    for parameter in denoiser.frame_music.parameters():
        nn.init.zeros_(parameter)
    return replace(model, denoiser=denoiser)


def share_within(scaler: MinMaxScaler, frames: torch.Tensor, layout: MotionLayout) -> float:
    """Return the share of heights and rotations of motion vectors [N, D] that a scaler takes to [-1, 1].

    What lies outside cannot be danced: samples are clipped there.
    """
    scaled = scaler.normalise(frames)
    values = torch.cat((scaled[:, layout.translation][:, 2:], scaled[:, layout.rot6d]), dim=1)
    return (values.abs() <= 1 + 1e-4).float().mean().item()
