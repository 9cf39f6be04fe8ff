"""Shares of fault as the table of docs/verdict.md gives them, on a motion that has every fault at once."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from skeleton2stage.physics.axes.person_limits import jerks_mps3, speeds_radps, strengths_nm
from skeleton2stage.physics.axes.read_axes import AXES, AxisReader
from skeleton2stage.physics.axes.reading import Reading

DOCUMENT = Path(__file__).parents[4] / "docs" / "verdict.md"
PERSONS = {"joint_speed": speeds_radps, "jerk": jerks_mps3, "torque": strengths_nm}
T = 120


def rows() -> dict[str, tuple[str, str]]:
    """The table's "from" and "to" of every axis, as written."""
    lines = [line.strip(" |\n").split(" | ") for line in DOCUMENT.read_text(encoding="utf-8").splitlines()]
    of_axes = [cells for cells in lines if len(cells) == 5 and cells[0].strip("`") in AXES]
    return {cells[0].strip("`"): (cells[3], cells[4]) for cells in of_axes}


@pytest.fixture(scope="module")
def wild(reader: AxisReader, stand) -> dict[str, Reading]:
    """Two motions. In one all joints swing more and more and the pelvis hops, slides and sinks; the other leans forward
    over flat feet, further and further, and is carried along ever faster. Of every axis there are values below, between
    and above its limits.
    """
    generator = np.random.default_rng(5)
    time = np.arange(T)[:, None, None] / 30.0
    reach = np.linspace(0.0, 1.6, T)[:, None, None]
    poses = reach * np.sin(generator.uniform(4.0, 22.0, (24, 3)) * time + generator.uniform(0, 6, (24, 3)))
    poses[:, 0] = 0.1 * poses[:, 0] + (np.pi / 2, 0.0, 0.0)
    pelvis = np.zeros((T, 3))
    pelvis[:, 0] = 0.9 * np.linspace(0, 2, T) ** 2
    pelvis[:, 2] = 0.95 + 0.12 * np.sin(2.0 * np.pi * np.linspace(0, 2, T))
    leans = [stand(np.zeros(1), lean_rad=lean) for lean in np.radians(np.linspace(0.0, 50.0, T))]
    leaning, over = (torch.cat(parts) for parts in zip(*leans, strict=True))
    over[:, 0] += 0.25 * (torch.arange(T) / 30.0) ** 2
    return reader.read(
        torch.stack((torch.from_numpy(poses).float(), leaning)), torch.stack((torch.from_numpy(pelvis).float(), over))
    )


def test_the_table_has_every_axis():
    assert tuple(rows()) == AXES


@pytest.mark.parametrize("axis", AXES)
def test_shares_run_from_what_a_person_does_to_what_nobody_can(axis, wild):
    value, share = wild[axis].value, wild[axis].share
    begin, end = rows()[axis]
    if axis in PERSONS:
        person = torch.as_tensor(PERSONS[axis](), dtype=value.dtype)
        begin, end = person, person * float(re.fullmatch(r"([\d.]+) ×", end)[1])
    else:
        begin, end = float(begin), float(end)
    expected = ((value - begin) / (end - begin)).clamp(0.0, 1.0)
    if axis == "power":  # graded of the whole body alone
        expected[..., 1:] = 0.0
    torch.testing.assert_close(share, expected, atol=1e-4, rtol=1e-4)
    between = (share > 0.02) & (share < 0.98)
    assert between.sum() > 3 and (share == 0).any() and share.max() == 1


@pytest.mark.parametrize(("axis", "unit"), [
    ("joint_speed", "to 28"), ("jerk", "to 3,500"), ("torque", "to 350"),
])
def test_the_table_tells_the_ends_of_what_persons_do(axis, unit):
    person = PERSONS[axis]()[1:] if axis == "torque" else PERSONS[axis]()
    line = next(line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{axis}`"))
    assert f"{person.min():,.0f} to {person.max():,.0f}" in line and unit in line


def test_a_frame_is_as_faulty_as_its_worst_part_and_a_motion_as_its_frames(wild):
    reading = wild["joint_speed"]
    worst = reading.share.numpy().max(axis=2)
    np.testing.assert_array_equal(reading.frames, worst)
    np.testing.assert_allclose(reading.soundness, 1.0 - worst.mean(axis=1), atol=1e-6)
