"""The body: the open one's promises, posing, and SMPL's file forms."""

import pickle
import sys
import types

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.spatial.transform import Rotation

from skeleton2stage import files, paths
from skeleton2stage.body import mesh
from skeleton2stage.body.body_files import find_body, read_arrays
from skeleton2stage.body.body_model import BodyModel, load_body
from skeleton2stage.errors import UserError
from skeleton2stage.motion import skeleton


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return load_body("open")


@pytest.fixture(scope="module")
def open_arrays() -> dict[str, np.ndarray]:
    return read_arrays(paths.open_body())


def rest(n_frames: int) -> torch.Tensor:
    return torch.zeros(n_frames, 24, 3)


class TestOpenBody:
    def test_has_smpls_counts_and_is_one_closed_piece(self, body):
        assert body.rest_vertices.shape == (6890, 3)
        assert body.faces.shape == (13776, 3)
        assert mesh.is_closed(body.faces)
        assert mesh.euler_characteristic(body.faces) == 2

    def test_joints_are_smpls_mean_joints(self, body):
        np.testing.assert_allclose(body.rest_joints, skeleton.rest_joints(), atol=1e-5)
        np.testing.assert_allclose(body.rest_joints[10], [0.1283, -0.9559, 0.0750], atol=1e-4)  # by hand
        assert body.parents == skeleton.parents()

    def test_weighs_like_a_person_at_985_kg_m3(self, body):
        assert 60.0 < 985.0 * mesh.volume(body.rest_vertices, body.faces) < 85.0

    def test_hardly_intersects_itself_at_rest(self, body):
        assert len(mesh.self_intersections(body.rest_vertices, body.faces)) <= 30

    def test_stands_on_two_level_feet_facing_front(self, body):
        low = [body.rest_vertices[body.weights[:, joint] > 0.5] for joint in (10, 11)]
        assert abs(low[0][:, 1].min() - low[1][:, 1].min()) < 0.005
        assert 1.6 < np.ptp(body.rest_vertices[:, 1]) < 1.85
        nose = body.rest_vertices[np.argmax(body.rest_vertices[:, 2] * (body.rest_vertices[:, 1] > 0.6))]
        assert nose[2] > body.rest_joints[15, 2] + 0.08

    def test_weights_are_shares_of_at_most_four_joints(self, body):
        np.testing.assert_allclose(body.weights.sum(1), 1.0, atol=1e-6)
        assert (body.weights >= 0).all()
        assert ((body.weights > 0).sum(1) <= 4).all()
        assert set(body.weights.argmax(1)) == set(range(24))

    def test_left_is_left(self, body):
        for left in (1, 4, 7, 10, 13, 16, 18, 20, 22):
            owned = body.rest_vertices[body.weights.argmax(1) == left]
            assert owned[:, 0].mean() > 0.02

    def test_regressor_is_local_and_rows_sum_to_one(self, open_arrays):
        regressor, vertices = open_arrays["J_regressor"], open_arrays["v_template"]
        np.testing.assert_allclose(regressor.sum(1), 1.0, atol=1e-5)
        for row in regressor:
            near = vertices[row != 0]
            assert np.linalg.norm(near - row @ vertices, axis=1).max() < 0.2

    def test_shapes_differ_and_keep_the_pelvis(self, open_arrays):
        shapes = open_arrays["shapedirs"]
        assert shapes.shape == (6890, 3, 10)
        sizes = np.linalg.norm(shapes, axis=(0, 1))
        assert (np.diff(sizes) <= 1e-6).all() and sizes[-1] > 0
        first_two = open_arrays["v_template"] + 2 * shapes[:, :, 0], open_arrays["v_template"] - 2 * shapes[:, :, 0]
        assert all(1.3 < np.ptp(person[:, 1]) < 2.2 for person in first_two)


class TestPosing:
    def test_rest_pose_is_the_rest_mesh_at_the_pelvis(self, body):
        root = torch.tensor([[1.0, 2.0, 3.0]])
        vertices = body.vertices(rest(1), root)[0].numpy()
        np.testing.assert_allclose(vertices, body.rest_vertices + root.numpy(), atol=1e-6)

    def test_root_turn_is_about_the_pelvis(self, body):
        pose, turn = rest(1), np.array([0.3, -1.1, 0.7])
        pose[0, 0] = torch.as_tensor(turn)
        vertices = body.vertices(pose, torch.zeros(1, 3))[0].numpy()
        expected = body.rest_vertices @ Rotation.from_rotvec(turn).as_matrix().T
        np.testing.assert_allclose(vertices, expected, atol=2e-6)

    def test_elbow_turns_the_forearm_alone_and_rigidly(self, body):
        pose, turn = rest(1), np.array([0.0, -1.2, 0.0])
        pose[0, 18] = torch.as_tensor(turn)
        moved = body.vertices(pose, torch.zeros(1, 3))[0].numpy()
        forearm = body.weights[:, [18, 20, 22]].sum(1)
        np.testing.assert_allclose(moved[forearm == 0], body.rest_vertices[forearm == 0], atol=1e-6)
        rigid, elbow = forearm > 1 - 1e-6, body.rest_joints[18]
        expected = (body.rest_vertices[rigid] - elbow) @ Rotation.from_rotvec(turn).as_matrix().T + elbow
        assert rigid.sum() > 300
        np.testing.assert_allclose(moved[rigid], expected, atol=1e-5)

    def test_joints_follow_the_published_kinematics(self, body, reference):
        motions, joints = np.load(reference / "motions_public.npz"), np.load(reference / "fk.npz")
        poses = torch.as_tensor(motions["synth01/smpl_poses"][:8].reshape(-1, 24, 3))
        root = torch.as_tensor(motions["synth01/smpl_trans"][:8])
        vertices = body.vertices(poses, root).numpy()
        # The head's own skin, brought back by the head's rotation, must find the head joint.
        skin = body.weights[:, 15] > 1 - 1e-6
        local = body.rest_vertices[skin] - body.rest_joints[15]
        for frame, posed in enumerate(vertices):
            offset = posed[skin] - joints["synth01/joints"][frame, 15]
            turned, _ = Rotation.align_vectors(offset, local)
            np.testing.assert_allclose(offset, turned.apply(local), atol=1e-5)

    def test_chunks_do_not_show(self, body, monkeypatch):
        generator = torch.Generator().manual_seed(0)
        poses, root = torch.randn(5, 24, 3, generator=generator), torch.randn(5, 3, generator=generator)
        whole = body.vertices(poses, root)
        monkeypatch.setattr("skeleton2stage.body.body_model.CHUNK_FRAMES", 2)
        torch.testing.assert_close(body.vertices(poses, root), whole, atol=1e-6, rtol=0)

    def test_no_frames_give_no_frames(self, body):
        assert body.vertices(rest(0), torch.zeros(0, 3)).shape == (0, 6890, 3)

    def test_wrong_shapes_are_refused(self, body):
        with pytest.raises(ValueError, match="axis_angle must be"):
            body.vertices(torch.zeros(2, 72), torch.zeros(2, 3))
        with pytest.raises(ValueError, match="root_pos must be"):
            body.vertices(rest(2), torch.zeros(3, 3))


def small_smpl(pelvis: tuple[float, float, float]) -> dict[str, np.ndarray]:
    """Return a body of 24 vertices, each its own joint, in a row from `pelvis`, as SMPL's files hold it."""
    vertices = np.array(pelvis) + np.arange(24)[:, None] * np.array([0.1, 0.0, 0.0])
    return {
        "v_template": vertices, "f": np.array([[0, 1, 2]], dtype=np.uint32), "weights": np.eye(24),
        "J_regressor": np.eye(24), "kintree_table": np.array([[2**32 - 1, *range(23)], range(24)], dtype=np.int64),
        "shapedirs": np.full((24, 3, 10), 0.5), "posedirs": np.zeros((24, 3, 207)),
    }


def official_pickle(path, arrays, monkeypatch):
    """Write `arrays` as SMPL's official pickle does: chumpy arrays, a selection, a csc_matrix, protocol 2."""
    ch, select = fake_class("chumpy.ch", "Ch", monkeypatch), fake_class("chumpy.reordering", "Select", monkeypatch)
    csc = fake_class("scipy.sparse.csc", "csc_matrix", monkeypatch)
    regressor = sparse.csc_matrix(arrays["J_regressor"])
    many = np.concatenate([arrays["shapedirs"], np.full((24, 3, 290), 9.0)], axis=2)
    chosen = np.arange(many.size).reshape(many.shape)[:, :, :10]
    content = dict(arrays)
    content["v_template"] = ch({"x": arrays["v_template"]})
    content["shapedirs"] = select({"a": ch({"x": many}), "idxs": chosen.ravel(), "preferred_shape": (24, 3, 10)})
    content["J_regressor"] = csc({
        "_shape": (24, 24), "data": regressor.data, "indices": regressor.indices, "indptr": regressor.indptr})
    content["bs_style"] = "lbs"
    path.write_bytes(pickle.dumps(content, protocol=2))


def fake_class(module: str, name: str, monkeypatch):
    """Return a class that pickles under another module's name, present only while writing."""
    made = type(name, (), {"__init__": lambda self, state: self.__dict__.update(state), "__module__": module})
    holder = types.ModuleType(module)
    setattr(holder, name, made)
    monkeypatch.setitem(sys.modules, module, holder)
    if "." in module and module.split(".")[0] == "chumpy":
        monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    return made


class TestSmplFiles:
    def test_pelvis_goes_where_the_motion_says_though_the_files_origin_is_elsewhere(self, tmp_path):
        files.write_npz(tmp_path / "SMPL_NEUTRAL.npz", **small_smpl((0.0, -0.24, 0.03)))
        body = load_body(tmp_path / "SMPL_NEUTRAL.npz")
        pose = rest(1)
        pose[0, 0, 2] = np.pi / 2
        vertices = body.vertices(pose, torch.tensor([[1.0, 2.0, 3.0]]))[0].numpy()
        np.testing.assert_allclose(vertices[0], [1.0, 2.0, 3.0], atol=1e-6)
        np.testing.assert_allclose(vertices[23], [1.0, 4.3, 3.0], atol=1e-5)
        np.testing.assert_allclose(body.rest_joints[0], 0.0, atol=1e-7)

    def test_official_pickle_reads_as_its_arrays(self, tmp_path, monkeypatch):
        arrays = small_smpl((0.0, -0.24, 0.03))
        with monkeypatch.context() as writing:
            official_pickle(tmp_path / "smpl.pkl", arrays, writing)
        read = read_arrays(tmp_path / "smpl.pkl")
        for name, expected in arrays.items():
            np.testing.assert_array_equal(read[name], expected, err_msg=name)
        assert load_body(tmp_path / "smpl.pkl").rest_vertices.shape == (24, 3)

    def test_pickle_that_names_a_function_is_refused(self, tmp_path):
        (tmp_path / "evil.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
        with pytest.raises(UserError, match="refused"):
            load_body(tmp_path / "evil.pkl")

    def test_another_family_of_bodies_is_named_as_such(self, tmp_path):
        arrays = small_smpl((0.0, 0.0, 0.0)) | {"weights": np.ones((24, 55))}
        files.write_npz(tmp_path / "smplx.npz", **arrays)
        with pytest.raises(UserError, match="J_regressor should be .* 55 joints"):
            load_body(tmp_path / "smplx.npz")

    def test_missing_arrays_are_listed(self, tmp_path):
        files.write_npz(tmp_path / "motion.npz", poses=np.zeros(3))
        with pytest.raises(UserError, match="not a SMPL body model: it has no v_template"):
            load_body(tmp_path / "motion.npz")

    def test_damaged_npz(self, tmp_path):
        (tmp_path / "body.npz").write_bytes(b"PK\x03\x04 cut short")
        with pytest.raises(UserError, match="damaged or not an .npz file"):
            load_body(tmp_path / "body.npz")

    @pytest.mark.parametrize("place", ["SMPL_NEUTRAL.pkl", "smpl/basicmodel_neutral_lbs_10_207_0_v1.1.0.pkl"])
    def test_smpl_is_found_by_its_usual_names(self, tmp_path, monkeypatch, place):
        monkeypatch.setenv("SMPL_MODELS", str(tmp_path))
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).touch()
        assert find_body("smpl") == tmp_path.resolve() / place

    def test_absent_smpl_says_where_it_was_sought(self, tmp_path, monkeypatch):
        monkeypatch.setenv("SMPL_MODELS", str(tmp_path))
        with pytest.raises(UserError, match=f"{tmp_path}.*SMPL_NEUTRAL.npz.*'open'"):
            load_body("smpl")

    def test_unknown_name_lists_the_choices(self):
        with pytest.raises(UserError, match="choose open, smpl"):
            load_body("smpl_h")
