"""What is in a run's curves."""

from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def points(run: Path) -> dict[str, list[tuple[int, float]]]:
    """Return the curves in a run's folder by name, as steps and values."""
    read = EventAccumulator(str(run / "curves"))
    read.Reload()
    return {name: [(point.step, point.value) for point in read.Scalars(name)] for name in read.Tags()["scalars"]}
