"""USD files read back and posed by OpenUSD itself: its composition, its skeletons' evaluation, its validators."""

import zipfile

import numpy as np
import pytest
import torch

from lively_motion import lively_motion
from skeleton2stage.body.body_model import load_body
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion

pytest.importorskip("pxr", reason="USD files need usd-core, the extra `usd`")
from pxr import Tf, Usd, UsdGeom, UsdSkel, UsdUtils, UsdValidation  # noqa: E402

from skeleton2stage.export.export_targets import USD_KINDS  # noqa: E402
from skeleton2stage.export.skinned_usd import write_usd  # noqa: E402

N_FRAMES = 40


@pytest.fixture(scope="module")
def body():
    return load_body("open")


@pytest.fixture(scope="module", params=USD_KINDS)
def written(body, request, tmp_path_factory):
    path = tmp_path_factory.mktemp("usd") / f"dance.{request.param}"
    write_usd(path, lively_motion(N_FRAMES), body, "dance", song="9 lives")
    return path


def opened(path):
    """The stage, its skeleton's and its skin's query."""
    stage = Usd.Stage.Open(str(path))
    root = UsdSkel.Root(stage.GetDefaultPrim())
    cache = UsdSkel.Cache()
    assert cache.Populate(root, Usd.PrimDefaultPredicate)
    (binding,) = cache.ComputeSkelBindings(root, Usd.PrimDefaultPredicate)
    (skin,) = binding.GetSkinningTargets()
    return stage, cache.GetSkelQuery(binding.GetSkeleton()), skin


def y_up(points):
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def posed(body, motion, frame):
    one = slice(frame, frame + 1)
    return body.vertices(torch.from_numpy(motion.poses[one]), torch.from_numpy(motion.translation[one]))[0].numpy()


@pytest.mark.parametrize("frame", [0, 17, N_FRAMES - 1])
def test_joints_and_skin_are_where_the_body_has_them(written, body, frame):
    stage, skeleton_query, skin = opened(written)
    motion = lively_motion(N_FRAMES)
    joints = np.array([matrix.ExtractTranslation() for matrix in skeleton_query.ComputeJointSkelTransforms(frame)])
    np.testing.assert_allclose(joints, y_up(motion.joints()[frame]), atol=1e-5)
    points = UsdGeom.Mesh(skin.GetPrim()).GetPointsAttr().Get()
    assert skin.ComputeSkinnedPoints(skeleton_query.ComputeSkinningTransforms(frame), points, frame)
    np.testing.assert_allclose(np.array(points), y_up(posed(body, motion, frame)), atol=1e-5)
    low, high = np.array(UsdSkel.Root(stage.GetDefaultPrim()).GetExtentAttr().Get())
    assert (np.array(points).min(axis=0) >= low).all() and (np.array(points).max(axis=0) <= high).all()


def test_the_stage_says_y_up_metres_and_the_motions_rate(written):
    stage, _, _ = opened(written)
    assert (UsdGeom.GetStageUpAxis(stage), UsdGeom.GetStageMetersPerUnit(stage)) == ("Y", 1.0)
    assert (stage.GetTimeCodesPerSecond(), stage.GetFramesPerSecond()) == (30.0, 30.0)
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (0.0, N_FRAMES - 1.0)
    data = stage.GetRootLayer().customLayerData
    assert dict(data) == {"motion": "dance", "song": "9 lives"}


def test_joints_are_smpls_in_its_order_and_the_animation_has_the_songs_name(written):
    stage, query, _ = opened(written)
    assert [path.rsplit("/", 1)[-1] for path in query.GetJointOrder()] == skeleton.joint_names()
    assert list(query.GetTopology().GetParentIndices()) == skeleton.parents()
    assert stage.GetPrimAtPath("/Dance/Skeleton/__lives").IsA(UsdSkel.Animation)  # names begin with no digit
    assert query.GetAnimQuery().GetJointTransformTimeSamples() == list(range(N_FRAMES))


def test_weights_add_up_and_the_mesh_is_the_bodys(written, body):
    _, query, skin = opened(written)
    mesh = UsdGeom.Mesh(skin.GetPrim())
    assert skin.GetNumInfluencesPerComponent() == 4 and not skin.IsRigidlyDeformed()
    indices = np.array(skin.GetJointIndicesPrimvar().Get()).reshape(-1, 4)
    weights = np.array(skin.GetJointWeightsPrimvar().Get()).reshape(-1, 4)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-6)
    dense = np.zeros_like(body.weights)
    np.add.at(dense, (np.arange(len(dense))[:, None], indices), weights)
    np.testing.assert_allclose(dense, body.weights, atol=1e-6)
    np.testing.assert_array_equal(np.array(mesh.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3), body.faces)
    assert len(query.GetJointOrder()) == skeleton.N_JOINTS


def test_at_rest_the_body_stands_on_the_floor_and_its_bind_pose_is_its_rest(written, body):
    _, query, skin = opened(written)
    points = UsdGeom.Mesh(skin.GetPrim()).GetPointsAttr().Get()
    assert np.array(points)[:, 1].min() == pytest.approx(0.0, abs=1e-6)
    rest = np.array(query.ComputeJointSkelTransforms(Usd.TimeCode.EarliestTime(), True))
    np.testing.assert_allclose(rest, np.array(query.GetJointWorldBindTransforms()), atol=1e-6)


def test_openusds_validators_find_nothing(written):
    stage, _, _ = opened(written)
    try:
        validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    except Tf.ErrorException:
        pytest.skip("this usd-core came without its validators")
    found = UsdValidation.ValidationContext(validators).Validate(stage)
    serious = [error for error in found if error.GetType() != UsdValidation.ValidationErrorType.Info]
    assert [error.GetErrorAsString() for error in serious] == []


def test_a_package_holds_one_file_that_is_not_compressed(body, tmp_path):
    write_usd(tmp_path / "a dance.usdz", lively_motion(2), body, "a dance")
    with zipfile.ZipFile(tmp_path / "a dance.usdz") as package:
        (member,) = package.infolist()
    assert (member.filename, member.compress_type) == ("a_dance.usdc", zipfile.ZIP_STORED)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a dance.usdz"]


@pytest.mark.parametrize("fps", [24.0, 120.0])
def test_other_rates_are_kept(body, tmp_path, fps):
    motion = lively_motion(3)
    write_usd(tmp_path / "a.usda", Motion(motion.poses, motion.translation, fps), body, "a")
    stage, query, _ = opened(tmp_path / "a.usda")
    assert stage.GetTimeCodesPerSecond() == fps and stage.GetEndTimeCode() == 2.0
    assert query.GetAnimQuery().GetJointTransformTimeSamples() == [0.0, 1.0, 2.0]


def test_a_motion_of_one_frame_on_a_person_of_another_shape(body, tmp_path):
    tall, motion = body.shaped((2.0,)), lively_motion(1)
    write_usd(tmp_path / "one.usdc", motion, tall, "one")
    stage, query, skin = opened(tmp_path / "one.usdc")
    points = UsdGeom.Mesh(skin.GetPrim()).GetPointsAttr().Get()
    skin.ComputeSkinnedPoints(query.ComputeSkinningTransforms(0), points, 0)
    np.testing.assert_allclose(np.array(points), y_up(posed(tall, motion, 0)), atol=1e-5)
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (0.0, 0.0)


def test_a_write_that_fails_leaves_the_file_that_was_there(body, tmp_path, monkeypatch):
    (tmp_path / "a.usdz").write_text("mine")
    monkeypatch.setattr(UsdUtils, "CreateNewUsdzPackage", lambda *_: False)
    with pytest.raises(Exception, match=r"OpenUSD could not write .*a\.usdz: is there room"):
        write_usd(tmp_path / "a.usdz", lively_motion(1), body, "a")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.usdz", "mine")]
