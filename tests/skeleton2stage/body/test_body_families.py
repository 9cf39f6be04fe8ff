"""Bodies of SMPL, SMPL-H and SMPL-X, wherever they lie, of each gender and of people's own shapes."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from body_samples import family_arrays, smpl_arrays, write_body

from skeleton2stage import paths
from skeleton2stage.body.body_choice import BodyChoice
from skeleton2stage.body.body_families import as_smpl
from skeleton2stage.body.body_files import find_body
from skeleton2stage.body.body_model import BodyModel, load_body
from skeleton2stage.errors import UserError
from skeleton2stage.motion.motion import BodyShape, Motion
from skeleton2stage.physics.humanoid.load_humanoid import load_humanoid


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("SMPL_MODELS", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def smpl():
    return BodyModel(smpl_arrays(), "smpl")


@pytest.fixture(scope="module")
def poses():
    generator = torch.Generator().manual_seed(1)
    poses = 0.4 * torch.randn(3, 24, 3, generator=generator)
    poses[:, 22:] = 0.0
    return poses


@pytest.mark.parametrize("family", ["smplh", "smplx"])
def test_fingers_and_face_at_rest_leave_smpls_mesh(smpl, poses, family):
    arrays, name = as_smpl(family_arrays(family), "file")
    body = BodyModel(arrays, "file", name)
    assert name == family and body.parents == smpl.parents
    np.testing.assert_allclose(body.weights.sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(body.rest_joints, smpl.rest_joints, atol=1e-6)
    root = torch.zeros(len(poses), 3)
    torch.testing.assert_close(body.vertices(poses, root), smpl.vertices(poses, root), atol=2e-5, rtol=0)


@pytest.mark.parametrize("family", ["smplh", "smplx"])
def test_a_body_of_some_joints_that_lacks_others_is_refused(family):
    arrays = family_arrays(family)
    with pytest.raises(UserError, match="posedirs should be"):
        as_smpl(arrays | {"posedirs": arrays["posedirs"][:, :, :207]}, "file")
    with pytest.raises(UserError, match="no shapedirs"):
        as_smpl({key: value for key, value in arrays.items() if key != "shapedirs"}, "file")


def test_expressions_of_smplx_are_no_shapes():
    arrays = family_arrays("smplx", n_shapes=20)  # 10 of the body, 10 of the face, as version 1.0 has them
    assert as_smpl(arrays, "file")[0]["shapedirs"].shape[2] == 10
    assert as_smpl(family_arrays("smplh", n_shapes=16), "file")[0]["shapedirs"].shape[2] == 16


PLACES = [
    ("smpl", "neutral", "smpl/SMPL_NEUTRAL.pkl"), ("smpl", "male", "smpl/SMPL_MALE.npz"),
    ("smpl", "neutral", "smpl/basicmodel_neutral_lbs_10_207_0_v1.1.0.pkl"),
    ("smpl", "female", "SMPL_python_v.1.1.0/smpl/models/basicmodel_f_lbs_10_207_0_v1.1.0.pkl"),
    ("smpl", "male", "smpl/basicModel_m_lbs_10_207_0_v1.0.0.pkl"),
    ("smplh", "male", "smplh/male/model.npz"), ("smplh", "neutral", "smplh/SMPLH_NEUTRAL.npz"),
    ("smplh", "female", "smplh/SMPLH_female.pkl"), ("smplx", "neutral", "smplx/SMPLX_NEUTRAL.npz"),
    ("smplx", "female", "models/smplx/SMPLX_FEMALE.npz"), ("smplx", "neutral", "SMPLX_NEUTRAL_2020.npz"),
]


@pytest.mark.parametrize(("family", "gender", "place"), PLACES)
def test_bodies_work_as_they_lie(models, family, gender, place):
    for other in ("smpl/notes.txt", "smplh/female/other.npz", "mano/MANO_RIGHT.pkl"):
        (models / other).parent.mkdir(parents=True, exist_ok=True)
        (models / other).touch()
    (models / place).parent.mkdir(parents=True, exist_ok=True)
    (models / place).touch()
    assert find_body(family, gender) == (models / place).resolve()
    wrong = "male" if gender != "male" else "female"
    with pytest.raises(UserError, match=f"no {family} body of gender {wrong}.*gender={gender} is there"):
        find_body(family, wrong)


def test_newer_and_plainer_files_are_taken_first(models):
    for name in ("basicmodel_neutral_lbs_10_207_0_v1.0.0.pkl", "basicmodel_neutral_lbs_10_207_0_v1.1.0.pkl"):
        (models / name).touch()
    assert find_body("smpl").name.endswith("v1.1.0.pkl")
    (models / "SMPL_NEUTRAL.npz").touch()
    assert find_body("smpl").name == "SMPL_NEUTRAL.npz"


def test_gender_and_shape_make_the_person(models):
    for gender in ("neutral", "male"):
        write_body(models / "smpl" / f"SMPL_{gender.upper()}.npz", smpl_arrays(gender))
    mean = BodyChoice("smpl").mean()
    tall = BodyShape((1.0, *[0.0] * 9), "male", "smpl")
    motion = Motion(np.zeros((2, 24, 3)), np.zeros((2, 3)), shape=tall)
    own = BodyChoice("smpl", betas="from_motion").of(motion)
    assert np.ptp(own.rest_vertices[:, 1]) == pytest.approx(1.05 * 1.1 * np.ptp(mean.rest_vertices[:, 1]), rel=1e-5)
    np.testing.assert_allclose(own.rest_joints, 1.05 * 1.1 * mean.rest_joints, atol=1e-5)
    posed = own.vertices(torch.zeros(1, 24, 3), torch.tensor([[1.0, 2.0, 3.0]]))[0].numpy()
    np.testing.assert_allclose(posed, own.rest_vertices + [1.0, 2.0, 3.0], atol=1e-5)  # the pelvis is where it is said
    humanoid = load_humanoid(own)
    np.testing.assert_allclose(humanoid.rest_joints, own.rest_joints, atol=1e-6)
    assert BodyChoice("smpl").of(motion).rest_vertices.shape == mean.rest_vertices.shape
    np.testing.assert_array_equal(BodyChoice("smpl").of(motion).rest_vertices, mean.rest_vertices)


def test_people_are_told_apart_by_gender_and_shape(models):
    def dance(*betas, gender="male"):
        return Motion(np.zeros((2, 24, 3)), np.zeros((2, 3)), shape=BodyShape(betas, gender, "smpl"))

    dances = [dance(1.0), dance(2.0), dance(1.0), dance(1.0, gender="female"), dance(1.00001)]
    assert BodyChoice("smpl", betas="from_motion").groups(dances) == [[0, 2, 4], [1], [3]]
    assert BodyChoice("smpl").groups(dances) == [[0, 1, 2, 3, 4]]


def test_what_cannot_be_somebodys_body_is_refused():
    with pytest.raises(UserError, match="open body has not"):
        BodyChoice("open", betas="from_motion")
    with pytest.raises(UserError, match="gender=male chooses"):
        BodyChoice("open", gender="male")
    with pytest.raises(UserError, match="unknown betas 'own'"):
        BodyChoice("smpl", betas="own")
    own = BodyChoice("smpl", betas="from_motion")
    with pytest.raises(UserError, match="no body shape"):
        own.check(Motion(np.zeros((2, 24, 3)), np.zeros((2, 3))))
    of_smplx = Motion(np.zeros((2, 24, 3)), np.zeros((2, 3)), shape=BodyShape((1.0,), "female", "smplx"))
    with pytest.raises(UserError, match="give body=smplx"):
        own.check(of_smplx)
    with pytest.raises(UserError, match="give gender=auto"):
        BodyChoice("smplx", "male", "from_motion").check(of_smplx)
    BodyChoice("smplx", betas="from_motion").check(of_smplx)


def test_pickles_as_smpl_publishes_them(tmp_path, shared_data):
    script = shared_data.parent / "cases" / "make_smpl_pickles.py"
    if not script.is_file():
        pytest.skip("the script that writes such pickles is not there")
    environment = {"REPO": str(paths.REPOSITORY), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, script, tmp_path], check=True, env=environment, capture_output=True)
    expected = load_body("open")
    for name in ("v100_like.pkl", "v110_like.pkl"):
        body = load_body(Path(tmp_path) / name)
        np.testing.assert_allclose(body.rest_vertices, expected.rest_vertices, atol=1e-5)
        np.testing.assert_allclose(body.rest_joints, expected.rest_joints, atol=1e-5)
    assert importlib.util.find_spec("chumpy") is None  # read without it
