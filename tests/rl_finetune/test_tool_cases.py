"""The shared cases of what other tools write: each read like AMASS's control, or refused with the way in."""

import os
import subprocess
import sys

import pytest

from skeleton2stage import paths
from skeleton2stage.errors import UserError
from skeleton2stage.evaluation.evaluate_motions import evaluate_motions
from skeleton2stage.motion.formats.read_motion import read_motion

PFC, MOT_MAG = 0.0944, 0.1803  # of the control, as the cases say
READ_LIKE_THE_CONTROL = (
    "amass_control/clip_poses.npz", "wham/wham_output.pkl", "gvhmr_pt/hmr4d_results.pt", "smpl72_npz/clip.npz",
    "motionx/clip.npy", "amass_object/clip_poses.npz", "amass_rate_text/clip_poses.npz", "amass_yup/clip_poses.npz",
    *(f"pickles/{name}.pkl" for name in (
        *(f"protocol{number}" for number in range(6)), "ordered", "torch_tensors", "joblib", "with_path", "fortran",
        "bigendian", "lists", "numpy1",
    )),
)
# Bare joints and a file without a rate, and how each is read; half precision trembles, and other rates are resampled.
GIVEN = {"humanml3d/000001.npy": "joints@30", "amass_no_rate/clip_poses.npz": "amass@30"}
RESAMPLED = ("59_94", "24", "29_97", "25", "100", "119_88", "250", "15")


@pytest.fixture(scope="module")
def cases(shared_data, tmp_path_factory):
    script = shared_data.parent / "cases" / "smpl_tools" / "make.py"
    if not script.is_file():
        pytest.skip(f"no cases at {script}")
    folder = tmp_path_factory.mktemp("cases")
    environment = os.environ | {"REPO": str(paths.REPOSITORY)}
    subprocess.run([sys.executable, script, folder], check=True, env=environment, capture_output=True)
    return folder


def figures(motion):
    metrics = evaluate_motions({"a": motion}).metrics
    return metrics["pfc"], metrics["mot_mag"]


@pytest.mark.parametrize("name", READ_LIKE_THE_CONTROL)
def test_read_like_the_control(cases, name):
    assert figures(read_motion(cases / name)) == pytest.approx((PFC, MOT_MAG), abs=6e-5)


def test_half_precision_is_read_as_far_as_it_goes(cases):
    for name in ("amass_f16/clip_poses.npz", "pickles/float16.pkl"):
        assert figures(read_motion(cases / name)) == pytest.approx((PFC, MOT_MAG), rel=0.2)


@pytest.mark.parametrize("rate", RESAMPLED)
def test_every_rate_is_the_same_dance(cases, rate):
    motion = read_motion(cases / "amass_rates" / f"r{rate}_poses.npz")
    control = read_motion(cases / "amass_control" / "clip_poses.npz")
    n_frames = min(len(motion), len(control))
    assert abs(len(motion) - len(control)) <= 1
    apart_m = abs(motion.joints()[:n_frames] - control.joints()[:n_frames]).max()
    assert apart_m < (0.01 if float(rate.replace("_", ".")) < 60 else 0.002)
    assert figures(motion)[1] == pytest.approx(MOT_MAG, rel=0.01)


@pytest.mark.parametrize("name", GIVEN)
def test_what_is_not_in_the_file_is_asked_for(cases, name):
    with pytest.raises(UserError, match="frame rate.*@RATE"):
        read_motion(cases / name)
    pfc, mot_mag = figures(read_motion(cases / name, GIVEN[name]))
    assert pfc == pytest.approx(PFC, abs=1e-3)
    assert mot_mag == pytest.approx(MOT_MAG, rel=0.25)  # heads and hands do not turn in joint positions


def test_a_wrong_rate_can_be_told(cases):
    clip = cases / "amass_wrong_rate" / "62_11_stageii.npz"
    assert len(read_motion(clip)) == 120  # 4 s, as it says, of a dance of 8
    assert figures(read_motion(clip, "amass@60")) == pytest.approx((PFC, MOT_MAG), rel=2e-3)
