import tarfile

import numpy as np
import pytest
from motion_samples import dancing_motion

from skeleton2stage import paths
from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.checks.check_limits import CheckLimits
from skeleton2stage.motion.checks.checks import complaints, doubts, on_floor
from skeleton2stage.motion.checks.floor_height import floor_height, support_height
from skeleton2stage.motion.checks.motion_figures import (
    SEGMENTS,
    centre_of_mass,
    fastest_fall,
    largest_turn,
    measure,
    tremble,
)
from skeleton2stage.motion.formats.read_motion import read_motion
from skeleton2stage.motion.motion import Motion

LIMITS = CheckLimits()
G = 9.81


def kinds(motion, limits=LIMITS):
    return {sentence.split(":")[0] for sentence in complaints(measure(motion, limits), limits)}


def moved(motion, offset_m):
    """The motion with the pelvis moved by [T, 3] or [T] (upwards) m."""
    offset_m = np.asarray(offset_m)
    offset_m = offset_m if offset_m.ndim == 2 else np.stack([0 * offset_m, 0 * offset_m, offset_m], axis=1)
    return Motion(motion.poses, motion.translation + offset_m)


def plateau(n_frames, start, stop, height, ramp=9):
    """[T]: 0, up to a height over `ramp` frames, there from start to stop, and down again, smoothly."""
    t = np.arange(n_frames)
    s = np.clip(np.minimum((t - start) / ramp + 1, (stop - t) / ramp + 1), 0, 1)
    return height * s**2 * (3 - 2 * s)


def body(heights_m):
    """Joints [T, 24, 3] of the rest pose, standing up, with the pelvis at these heights over where it stands."""
    rest = skeleton.rest_joints()[:, [0, 2, 1]]
    standing = rest + [0, 0, -support_height(rest[None]).min()]
    return standing + np.stack([0 * heights_m, 0 * heights_m, heights_m], axis=1)[:, None]


def jumps(rise_m, every_frames, count, rate=1.0):
    """Pelvis heights of ballistic jumps by a rise, standing in between, played at a rate."""
    flight = 2 * np.sqrt(2 * rise_m / G)
    t = np.arange(int(every_frames * count / rate)) / 30 * rate % (every_frames / 30)
    return np.where(t < flight, G / 2 * t * (flight - t), 0.0)


def test_dance_is_fit():
    assert kinds(dancing_motion()) == set()


@pytest.mark.parametrize("floor_m", [0.0, 0.22, -0.4, 1.0])
def test_floor_is_found_and_put_at_zero(floor_m):
    motion = dancing_motion(floor_m=floor_m)
    found = measure(motion, LIMITS)
    assert found.floor_m == pytest.approx(floor_m, abs=0.011)
    lowest = support_height(on_floor(motion, found, LIMITS).joints()).min(axis=1)
    assert lowest.mean() == pytest.approx(0, abs=0.011)
    assert kinds(motion) == set()


def test_floor_nearly_right_is_left_alone_and_one_far_off_is_refused():
    motion = dancing_motion(floor_m=0.015)
    assert on_floor(motion, measure(motion, LIMITS), LIMITS) is motion
    assert kinds(dancing_motion(floor_m=90)) == {"floor"}


def test_floor_is_where_most_rests_happen():
    heights = np.concatenate([np.zeros(100), np.full(60, 0.5), np.full(30, -0.3)])
    assert floor_height(body(heights)) == pytest.approx(0, abs=1e-9)


def test_without_rest_the_floor_is_under_the_lowest_tenth():
    heights = 0.2 * np.abs(np.sin(np.arange(200) * 1.7))
    sliding = body(heights) + np.arange(200)[:, None, None] * [1 / 30, 0, 0]  # 1 m/s throughout
    assert floor_height(sliding) == pytest.approx(np.percentile(heights, 10), abs=1e-9)


def test_someone_on_the_back_with_all_limbs_up_does_not_float():
    poses = np.zeros((180, 24, 3))
    poses[:, [1, 2], 0] = -np.pi / 2
    poses[:, [16, 17], 1] = [[-np.pi / 2, np.pi / 2]] + 0.3 * np.sin(np.arange(180) / 9)[:, None]
    motion = Motion(poses, np.tile([0, 0, 0.1], (180, 1)))
    assert motion.joints()[:, [7, 8, 20, 21], 2].min() > 0.4
    assert kinds(motion) == set()


def test_high_jump_is_no_floating_but_stairs_are():
    dance = dancing_motion(300)
    in_air = plateau(300, 100, 114, 0.3, ramp=8)  # over 0.15 m for 22 frames
    assert kinds(moved(dance, in_air)) == set()
    steps = 0.18 * np.clip((np.arange(300) - 200) // 20, 0, 5)
    assert "floats" in kinds(moved(dance, steps))


def test_centre_of_mass_is_where_the_tables_masses_put_it():
    total = sum(mass * (1 if start in ("pelvis", "neck") else 2) for start, _, mass, _ in SEGMENTS)
    assert total == pytest.approx(1.0, abs=1e-3)
    joints_w = body(np.zeros(1))
    centre, height = centre_of_mass(joints_w)[0, 2], joints_w[0, :, 2].max() + 0.1
    assert 0.53 < centre / height < 0.62  # Winter: 0.56 of stature for a standing body, arms here held out


def test_free_fall_is_g_and_a_doubled_rate_four_times_that():
    heights = 5 - G / 2 * (np.arange(12) / 30) ** 2
    assert fastest_fall(body(heights)) == pytest.approx(G, rel=1e-6)
    assert fastest_fall(body(5 - G / 2 * (2 * np.arange(12) / 30) ** 2)) == pytest.approx(4 * G, rel=1e-6)
    assert fastest_fall(body(np.zeros(6))) == 0.0


def test_jumps_at_twice_their_rate_are_rejected_as_falling():
    dance = dancing_motion(240)
    assert "falls" not in kinds(moved(dance, jumps(0.3, 40, 6)))
    assert "falls" in kinds(moved(dancing_motion(120), jumps(0.3, 40, 6, rate=2.0)))


def test_tremble_keeps_what_is_fast_and_passes_what_is_slow():
    t = np.arange(300) / 30
    # At frequency f the residual's gain is 1 - (4 cos w - cos 2w) / 3, w = 2 pi f / 30: 8/3 at 15 Hz, 0.0003 at 1.
    assert tremble(body(0.01 * np.cos(2 * np.pi * 15 * t))) == pytest.approx(0.01 * 8 / 3, rel=1e-6)
    assert tremble(body(0.1 * np.cos(2 * np.pi * t))) < 1e-4
    assert tremble(body(t**3)) == pytest.approx(0, abs=1e-9)


def test_turn_is_measured_the_short_way():
    poses = np.zeros((3, 24, 3))
    poses[0, 4, 0], poses[1, 4, 0] = 3.0, 3.0 - 2 * np.pi  # the same rotation
    poses[2, 4, 0] = 2.5
    assert largest_turn(poses.astype(np.float32)) == pytest.approx(0.5, abs=1e-5)
    assert largest_turn(poses[:1]) == 0.0


def test_low_frame_rate_repeats_frames():
    dance = dancing_motion()
    every_other = np.arange(180) // 2 * 2
    assert kinds(Motion(dance.poses[every_other], dance.translation[every_other])) >= {"repeats"}


def test_only_misread_files_are_in_doubt():
    dance, every_other = dancing_motion(), np.arange(180) // 2 * 2
    shaken = moved(dance, 0.02 * (np.arange(180) % 2))
    assert kinds(shaken) and doubts(dance.joints(), LIMITS) == doubts(shaken.joints()[:1], LIMITS) == ()
    for joints, words in (
        (dance.joints() + 5.0, "floor is at 5"),
        (dance.joints()[every_other], "50 % of its frames"),
        (moved(dancing_motion(120), jumps(0.3, 40, 6, rate=2.0)).joints(), "is it at 30 frames"),
    ):
        (doubt,) = doubts(joints, LIMITS)
        assert words in doubt


def test_five_seconds_are_enough_and_one_frame_less_is_not():
    assert kinds(dancing_motion(150)) == set()
    assert kinds(dancing_motion(149)) == {"short"}
    assert kinds(dancing_motion(149), CheckLimits(min_s=4)) == set()


@pytest.mark.parametrize("n_frames", [1, 2, 3, 4, 6])
def test_the_shortest_clips_have_figures(n_frames):
    assert measure(dancing_motion(n_frames), LIMITS).seconds == n_frames / 30


def test_wrong_limits_and_rates_are_refused():
    with pytest.raises(UserError, match="float_m"):
        CheckLimits(float_m=-1)
    with pytest.raises(UserError, match="30 frames a second"):
        measure(Motion(np.zeros((9, 24, 3)), np.zeros((9, 3)), fps=60), LIMITS)


# Captured clips, and copies of one that were damaged: each is rejected for its damage and nothing else.


@pytest.fixture(scope="module")
def captured(shared_data, tmp_path_factory):
    archive = shared_data / "cmu_dance.tar.xz"
    if not archive.is_file():
        pytest.skip(f"no {archive.name} in the shared data")
    folder = tmp_path_factory.mktemp("cmu")
    with tarfile.open(archive) as tar:
        member = next(m for m in tar.getmembers() if m.name.endswith("131_02.bvh"))
        (folder / "131_02.bvh").write_bytes(tar.extractfile(member).read())
    return read_motion(folder / "131_02.bvh")


def with_noise(motion, sigma_m):
    noise = np.random.default_rng(0).normal(0, sigma_m, motion.translation.shape)
    return moved(motion, noise)


def with_hold(motion, frames):
    """The motion standing still for some frames, then going on."""
    order = np.concatenate([np.arange(120), np.full(frames, 120), np.arange(121, len(motion))])
    return Motion(motion.poses[order], motion.translation[order])


def with_dropout(motion, frames):
    """The motion with some frames replaced by the one before them, as captures fill their gaps."""
    order = np.where((np.arange(len(motion)) - 120) // frames == 0, 120, np.arange(len(motion)))
    return Motion(motion.poses[order], motion.translation[order])


def with_flip(motion):
    poses = motion.poses.copy()
    poses[200:203, skeleton.joint_index("left_hand")] += [2.5, 0, 0]
    return Motion(poses, motion.translation)


def teleported(motion, direction):
    return moved(motion, np.outer(np.arange(len(motion)) >= 150, direction))


DAMAGES = {
    "lifted 30 cm for 2 s": (lambda m: moved(m, plateau(len(m), 100, 160, 0.3)), "floats"),
    "sunk 30 cm for 2 s": (lambda m: moved(m, plateau(len(m), 100, 160, -0.3)), "sinks"),
    "noise of 8 mm": (lambda m: with_noise(m, 0.008), "trembles"),
    "frozen for 1 s": (lambda m: with_hold(m, 30), "frozen"),
    "teleported by 1 m": (lambda m: teleported(m, [1.0, 0, 0]), "jumps"),
    "teleported by 20 cm": (lambda m: teleported(m, [0, 0.2, 0]), "jumps"),
    "hand flipped": (with_flip, "flips"),
    "cut to 4 s": (lambda m: m.slice(0, 120), "short"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_copy_is_rejected_for_its_damage(captured, name):
    damage, kind = DAMAGES[name]
    assert kinds(captured) == set()
    assert kinds(damage(captured)) == {kind}


def test_abrupt_damage_is_found_with_all_it_brings(captured):
    lifted = moved(captured, 0.3 * ((np.arange(len(captured)) - 100) // 60 == 0))
    assert {"floats", "jumps"} <= kinds(lifted)
    assert "frozen" in kinds(with_dropout(captured, 30))
    assert "trembles" in kinds(with_noise(captured, 0.02))


def test_all_prepared_captures_are_fit():
    files = sorted((paths.prepared_data() / "cmu_dance").glob("*.pkl"))
    if not files:
        pytest.skip("no prepared CMU clips (S2S_DATA)")
    assert {file.stem: kinds(read_motion(file)) for file in files} == {file.stem: set() for file in files}
