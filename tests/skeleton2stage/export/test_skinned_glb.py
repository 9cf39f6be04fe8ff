import numpy as np
import pytest
import torch
import trimesh
from glb_reading import array_of, read_glb, skinned_vertices, world_matrices

from lively_motion import lively_motion
from skeleton2stage.body.body_model import load_body
from skeleton2stage.export.skinned_glb import write_glb
from skeleton2stage.motion import skeleton


@pytest.fixture(scope="module")
def body():
    return load_body("open")


@pytest.fixture(scope="module")
def written(body, tmp_path_factory):
    path = tmp_path_factory.mktemp("glb") / "dance.glb"
    write_glb(path, lively_motion(40), body, "dance", song="vibe_ace")
    return path


def y_up(points):
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


@pytest.mark.parametrize("frame", [0, 17, 39])
def test_joints_and_skin_are_where_the_body_has_them(written, body, frame):
    content, binary = read_glb(written)
    motion = lively_motion(40)
    world = world_matrices(content, binary, frame)
    names = {node["name"]: number for number, node in enumerate(content["nodes"])}
    joints = np.stack([world[names[name]][:3, 3] for name in skeleton.joint_names()])
    np.testing.assert_allclose(joints, y_up(motion.joints()[frame]), atol=1e-5)
    one = slice(frame, frame + 1)
    skin = body.vertices(torch.from_numpy(motion.poses[one]), torch.from_numpy(motion.translation[one]))[0].numpy()
    np.testing.assert_allclose(skinned_vertices(content, binary, frame), y_up(skin), atol=1e-5)


def test_nodes_are_smpls_joints_in_its_order_and_the_song_is_named(written):
    content, _ = read_glb(written)
    joints = content["skins"][0]["joints"]
    assert [content["nodes"][joint]["name"] for joint in joints] == skeleton.joint_names()
    for joint, parent in enumerate(skeleton.parents()):
        if parent >= 0:
            assert joints[joint] in content["nodes"][joints[parent]]["children"]
    assert content["animations"][0]["name"] == "vibe_ace"
    assert content["extras"] == {"motion": "dance", "fps": 30.0, "song": "vibe_ace"}


def test_the_animation_lasts_as_long_as_the_motion(written):
    content, binary = read_glb(written)
    times = array_of(content, binary, content["animations"][0]["samplers"][0]["input"])[:, 0]
    np.testing.assert_allclose(times, np.arange(40) / 30, atol=1e-6)


def test_at_rest_the_body_stands_on_the_floor(written):
    content, binary = read_glb(written)
    position = array_of(content, binary, content["meshes"][0]["primitives"][0]["attributes"]["POSITION"])
    assert position[:, 1].min() == pytest.approx(0.0, abs=1e-6)
    assert content["nodes"][1]["translation"][1] == pytest.approx(0.93, abs=0.1)


def test_trimesh_reads_the_mesh_and_the_hierarchy(written, body):
    scene = trimesh.load(written)
    (mesh,) = scene.geometry.values()
    assert mesh.vertices.shape == (6890, 3) and mesh.faces.shape == (13776, 3) and mesh.is_watertight
    np.testing.assert_array_equal(mesh.faces, body.faces)
    assert set(skeleton.joint_names()) <= set(scene.graph.nodes)


def test_pygltflib_reads_it(written):
    pygltflib = pytest.importorskip("pygltflib")
    found = pygltflib.GLTF2().load(str(written))
    assert (len(found.nodes), len(found.skins[0].joints), len(found.animations[0].channels)) == (25, 24, 25)
    assert found.accessors[found.meshes[0].primitives[0].attributes.WEIGHTS_0].count == 6890


def test_a_motion_of_one_frame(body, tmp_path):
    write_glb(tmp_path / "one.glb", lively_motion(1), body, "one")
    content, binary = read_glb(tmp_path / "one.glb")
    assert content["animations"][0]["name"] == "one" and "song" not in content["extras"]
    assert len(skinned_vertices(content, binary, 0)) == 6890
