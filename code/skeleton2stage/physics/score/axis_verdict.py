"""What the axes say of scored motions: for the written file, and for the pages that explain it."""

from dataclasses import asdict
from typing import Any

import torch

from skeleton2stage.motion.motion import FPS, Motion
from skeleton2stage.pages.explained_motion import ExplainedAxis, ExplainedFault, ExplainedMotion
from skeleton2stage.physics.axes.dance_frames import dance_frames
from skeleton2stage.physics.axes.faults import Fault, faults, summary
from skeleton2stage.physics.axes.part_names import part_name
from skeleton2stage.physics.axes.read_axes import AXES, GROUPS, MIN_FRAMES, WHOLE_BODY, AxisReader
from skeleton2stage.physics.axes.reading import Reading

Readings = dict[str, Reading]


def read_clips(reader: AxisReader, clips: dict[str, Motion]) -> dict[str, Readings]:
    """Return the readings of clips by name; those shorter than the axes need are left out."""
    long_enough = {name: motion for name, motion in clips.items() if len(motion) >= MIN_FRAMES}
    return dict(zip(long_enough, reader.read_motions(list(long_enough.values())), strict=True))


def axis_content(readings: Readings) -> dict[str, Any]:
    """Return a motion's axes, faults and summary as the written file has them."""
    found = faults(readings)
    return {
        "summary": summary(found),
        "axes": {name: _figures(reading) for name, reading in readings.items()},
        "faults": [_fault_content(fault) for fault in found],
    }


def explained(
    name: str, motion: Motion, figures: dict[str, float], readings: Readings, reader: AxisReader
) -> ExplainedMotion:
    """Return all that a motion's page shows."""
    found = faults(readings)
    whole = torch.stack([readings[axis].frames[0] for axis in WHOLE_BODY]).amax(dim=0)
    parts = torch.stack([readings[axis].share[0] for axis in AXES if axis not in WHOLE_BODY]).amax(dim=0)
    frames = dance_frames(
        torch.from_numpy(motion.poses)[None], torch.from_numpy(motion.translation)[None], reader.humanoid
    )
    return ExplainedMotion(
        name=name, motion=motion, figures=figures,
        axes=tuple(_explained_axis(axis, reading) for axis, reading in readings.items()),
        faults=tuple(ExplainedFault(f.axis, f.sentence, f.peak_s, f.start_s, f.stop_s) for f in found),
        summary=summary(found), parts=parts.numpy(), whole=whole.numpy(), floor_m=float(frames.floor_m),
    )


def _figures(reading: Reading) -> dict[str, Any]:
    """Return an axis' score, its worst value, where and when, and the share of fault of every frame."""
    frame, part = divmod(int(reading.value[0].argmax()), reading.value.shape[2])
    return {
        "score": round(float(reading.soundness), 4),
        "worst": round(float(reading.value[0, frame, part]), 3),
        "unit": reading.unit,
        "part": part_name(part),
        "at_s": round(frame / FPS, 3),
        "frames_at_fault": round(float((reading.frames > 0).float().mean()), 4),
    }


def _fault_content(fault: Fault) -> dict[str, Any]:
    content = asdict(fault) | {"part": part_name(fault.part), "parts": [part_name(part) for part in fault.parts]}
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in content.items()}


def _explained_axis(name: str, reading: Reading) -> ExplainedAxis:
    return ExplainedAxis(
        name, GROUPS[name], float(reading.soundness), float(reading.value.max()), reading.unit,
        reading.frames[0].numpy(),
    )
