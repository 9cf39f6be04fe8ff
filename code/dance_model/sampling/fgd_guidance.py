"""FGD guidance: at the last noisy step the root's height is corrected so that the lowest joint keeps to one floor.

The test-time guidance of Skeleton2Stage (arXiv 2602.13778), which changes nothing but the height of the root. A long
dance has one floor, not one a window, since deviation is measured over the whole of it.
"""

from collections.abc import Sequence

import torch

from dance_model.batch import joined
from dance_model.diffusion.ddim import RefineX0
from dance_model.diffusion.diffusion_model import DanceModel
from dance_model.diffusion.schedule import DDIMStep, cosine_schedule
from dance_model.training.dance_losses import vector_joints
from dance_model.training.joint_positions import kinematic_tree
from skeleton2stage.errors import unknown_name

NONE, METRIC, PUBLISHED = "none", "metric", "published"
FORMS = (NONE, METRIC, PUBLISHED)
GRADIENT_STEPS = 10
METRIC_GAIN = 0.45  # share of the error that a gradient step takes back
PUBLISHED_SCALE = 2000.0  # times the posterior variance, the step size on scaled motions
CONTACT_DECAY = 0.85
CONTACT_ON, CONTACT_OFF = 0.8, 0.7
MIN_CONTACT_FRAMES = 2


def fgd_guidance(model: DanceModel, form: str, counts: Sequence[int]) -> RefineX0:
    """Return what corrects predictions [B, T, D] in the last step of a chain and leaves them alone in all others.

    counts: how many of the B windows each dance has, one after the other, as `sample_long` takes them.
    form: "metric" takes back 0.45 of the height error a gradient step, whatever range of heights the model was
    trained on; "published" is the original's step on scaled motions, whose gain is 0.494 (range / 2)^2, the range
    in metres. Raises UserError for another.
    """
    if form not in (METRIC, PUBLISHED):
        raise unknown_name("fgd_guidance", form, list(FORMS))

    def refine(x0: torch.Tensor, step: DDIMStep) -> torch.Tensor:
        return x0 if step.time_next >= 0 else grounded(x0, model, height_gain(model, form, step.time), counts)

    return refine


def height_gain(model: DanceModel, form: str, time: int) -> float:
    """Return the share of the height error, in metres, that one gradient step takes back."""
    if form == METRIC:
        return METRIC_GAIN
    step_size = PUBLISHED_SCALE * float(cosine_schedule().posterior_variance[time])
    scale = float(model.scaler.scale[model.layout.translation][2])  # scaled units a metre
    return 2.0 * step_size / scale**2


def grounded(x0: torch.Tensor, model: DanceModel, gain: float, counts: Sequence[int]) -> torch.Tensor:
    """Return the scaled windows [B, T, D] of dances of `counts` windows after ten gradient steps on the root's height.

    The loss is the squared height of the lowest of all joints over its mean in the dance, in frames where it is
    lower, or higher while a foot is predicted to touch. The root's height moves all joints alike, so the
    gradient is the error itself.
    """
    layout, scaler = model.layout, model.scaler.to(x0.device)
    vectors = scaler.unnormalise(x0)
    lowest = vector_joints(vectors, layout, kinematic_tree(x0.device))[..., 2].amin(dim=-1)
    touching = steady_contact(vectors[..., layout.foot_contacts].amax(dim=-1))
    raised = torch.zeros_like(lowest)
    for _ in range(GRADIENT_STEPS):
        height = lowest + raised
        error = height - floor_heights(height, counts)
        raised = raised - gain * torch.where((error < 0) | touching, error, 0.0)
    root_height = layout.translation.start + 2
    grounded = x0.clone()
    grounded[..., root_height] += raised * scaler.scale[root_height]
    return grounded


def floor_heights(height: torch.Tensor, counts: Sequence[int]) -> torch.Tensor:
    """Return each window's floor [B, 1]: the mean of its dance's heights, which `stitch` would join from [B, T]."""
    floors = [joined(windows, torch.lerp).mean().expand(len(windows)) for windows in height.split(list(counts))]
    return torch.cat(floors)[:, None]


def steady_contact(contact: torch.Tensor) -> torch.Tensor:
    """Return whether a foot touches, [B, T] bool, of its predicted contact [B, T].

    Smoothed by an exponential average of decay 0.85; on from 0.8, off under 0.7, each for at least two frames.
    """
    level, touching = contact[:, 0], torch.zeros_like(contact[:, 0], dtype=torch.bool)
    lasted = torch.zeros_like(contact[:, 0])
    frames = []
    for now in contact.unbind(dim=1):
        level = CONTACT_DECAY * level + (1.0 - CONTACT_DECAY) * now
        wanted = torch.where(touching, level >= CONTACT_OFF, level > CONTACT_ON)
        turn = (wanted != touching) & (lasted >= MIN_CONTACT_FRAMES)
        lasted = torch.where(turn, 1.0, lasted + 1.0)
        touching = touching ^ turn
        frames.append(touching)
    return torch.stack(frames, dim=1)
