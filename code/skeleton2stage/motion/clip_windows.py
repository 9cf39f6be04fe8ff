"""Windows of a clip: where whole ones begin, and clips cut into them end to end."""

import numpy as np

from skeleton2stage.motion.motion import Motion


def window_starts(n_frames: int, window_frames: int, stride_frames: int) -> np.ndarray:
    """Return the first frames [N] int64 of all whole windows of a clip, one each `stride_frames`."""
    return np.arange(0, n_frames - window_frames + 1, stride_frames, dtype=np.int64)


def end_to_end(motions: dict[str, Motion], window_frames: int) -> dict[str, Motion]:
    """Return motions cut into windows end to end, named "name@first frame", what is left at their ends dropped."""
    return {
        f"{name}@{start}": motion.slice(start, start + window_frames)
        for name, motion in motions.items()
        for start in window_starts(len(motion), window_frames, window_frames).tolist()
    }
