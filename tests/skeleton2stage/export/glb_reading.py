"""A reader of .glb files that knows the specification and nothing of the writer: parses, poses and skins."""

import json
import struct

import numpy as np
from scipy.spatial.transform import Rotation

DTYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


def read_glb(path):
    """Return the JSON and the binary part."""
    data = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    n_json, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON" and n_json % 4 == 0
    n_binary, kind = struct.unpack_from("<I4s", data, 20 + n_json)
    assert kind == b"BIN\0" and 28 + n_json + n_binary == length
    return json.loads(data[20 : 20 + n_json]), data[28 + n_json :]


def array_of(content, binary, number):
    accessor = content["accessors"][number]
    view = content["bufferViews"][accessor["bufferView"]]
    width, dtype = WIDTHS[accessor["type"]], DTYPES[accessor["componentType"]]
    assert view["byteOffset"] % 4 == 0 and view["byteLength"] == accessor["count"] * width * np.dtype(dtype).itemsize
    array = np.frombuffer(binary, dtype, accessor["count"] * width, view["byteOffset"]).reshape(-1, width)
    if "min" in accessor:
        np.testing.assert_array_equal(accessor["min"], array.min(axis=0))
        np.testing.assert_array_equal(accessor["max"], array.max(axis=0))
    return array


def world_matrices(content, binary, frame):
    """Return each node's matrix at a key of the first animation, which all channels share."""
    locals_ = [np.eye(4) for _ in content["nodes"]]
    for matrix, node in zip(locals_, content["nodes"], strict=True):
        matrix[:3, 3] = node.get("translation", [0, 0, 0])
    animation = content["animations"][0]
    for channel in animation["channels"]:
        value = array_of(content, binary, animation["samplers"][channel["sampler"]]["output"])[frame]
        matrix = locals_[channel["target"]["node"]]
        if channel["target"]["path"] == "rotation":
            matrix[:3, :3] = Rotation.from_quat(value).as_matrix()
        else:
            matrix[:3, 3] = value
    world = dict.fromkeys(range(len(locals_)))

    def descend(number, above):
        world[number] = above @ locals_[number]
        for child in content["nodes"][number].get("children", []):
            descend(child, world[number])

    for root in content["scenes"][content["scene"]]["nodes"]:
        descend(root, np.eye(4))
    return world


def skinned_vertices(content, binary, frame):
    """Return the mesh's vertices [V, 3] at a key."""
    world, skin = world_matrices(content, binary, frame), content["skins"][0]
    inverse = array_of(content, binary, skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
    matrices = np.stack([world[node] for node in skin["joints"]]) @ inverse
    attributes = content["meshes"][0]["primitives"][0]["attributes"]
    names = ("POSITION", "JOINTS_0", "WEIGHTS_0")
    position, joints, weights = (array_of(content, binary, attributes[name]) for name in names)
    points = np.concatenate([position, np.ones((len(position), 1))], axis=1)
    moved = np.einsum("vbij,vj->vbi", matrices[joints], points)[..., :3]
    return (weights[..., None] * moved).sum(axis=1)
