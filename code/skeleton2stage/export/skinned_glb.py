"""A dance as a .glb file: the body's mesh with its skinning weights, SMPL's 24 joints as nodes, and their animation.

y up and metres, as glTF has it: world (x, y, z) of ours is the file's (x, z, -y). At rest the body stands in T-pose,
its soles at y = 0, facing +z. Corrections of the shape by pose (SMPL's posedirs) are left out: the mesh is skinned
linearly, as all that read such files do.
"""

from pathlib import Path
from typing import Any

import numpy as np

from skeleton2stage.body.body_model import BodyModel
from skeleton2stage.body.mesh import face_incidence, vertex_normals
from skeleton2stage.export.glb_file import INDICES, VERTICES, GlbBuffer
from skeleton2stage.export.skinning import SKIN_RGB, SKIN_ROUGHNESS, positions_y_up, rotations_xyzw, strongest_bones
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.motion import Motion

_MESH_NODE, _FIRST_JOINT = 0, 1


def write_glb(path: Path, motion: Motion, body: BodyModel, title: str, song: str | None = None) -> None:
    """Write a motion on a body, atomically. title: what the dance is called; song: the name of its music, if known."""
    buffer = GlbBuffer()
    floor_y = float(body.rest_vertices[:, 1].min())
    content = {
        "asset": {"version": "2.0", "generator": "skeleton2stage"},
        "extras": {"motion": title, "fps": motion.fps} | ({"song": song} if song else {}),
        "scene": 0,
        "scenes": [{"name": title, "nodes": [_MESH_NODE, _FIRST_JOINT]}],
        "nodes": [{"name": "body", "mesh": 0, "skin": 0}, *_joint_nodes(body, -floor_y)],
        "meshes": [{"name": body.name, "primitives": [_primitive(buffer, body, floor_y)]}],
        "materials": [{
            "name": "skin", "pbrMetallicRoughness":
            {"baseColorFactor": [*SKIN_RGB, 1.0], "metallicFactor": 0.0, "roughnessFactor": SKIN_ROUGHNESS},
        }],
        "skins": [_skin(buffer, body, floor_y)],
        "animations": [_animation(buffer, motion, song or title)],
    }
    buffer.write(path, content)


def _primitive(buffer: GlbBuffer, body: BodyModel, floor_y: float) -> dict[str, Any]:
    vertices = (body.rest_vertices - [0.0, floor_y, 0.0]).astype(np.float32)
    normals = vertex_normals(vertices, body.faces, face_incidence(body.faces, len(vertices)))
    joints, weights = strongest_bones(body.weights)
    faces = body.faces.astype(np.uint16 if len(vertices) < 2**16 else np.uint32)
    return {
        "attributes": {
            "POSITION": buffer.add(vertices, VERTICES, bounds=True),
            "NORMAL": buffer.add(normals.astype(np.float32), VERTICES),
            "JOINTS_0": buffer.add(joints, VERTICES),
            "WEIGHTS_0": buffer.add(weights, VERTICES),
        },
        "indices": buffer.add(faces.ravel(), INDICES),
        "material": 0,
    }


def _joint_nodes(body: BodyModel, pelvis_y: float) -> list[dict[str, Any]]:
    """Return a node for each joint, in SMPL's order, at rest: offsets from the parents, the pelvis at a height."""
    nodes = []
    for joint, (name, parent) in enumerate(zip(skeleton.joint_names(), skeleton.parents(), strict=True)):
        offset = [0.0, pelvis_y, 0.0] if parent < 0 else (body.rest_joints[joint] - body.rest_joints[parent]).tolist()
        children = [_FIRST_JOINT + child for child, above in enumerate(skeleton.parents()) if above == joint]
        nodes.append({"name": name, "translation": offset} | ({"children": children} if children else {}))
    return nodes


def _skin(buffer: GlbBuffer, body: BodyModel, floor_y: float) -> dict[str, Any]:
    matrices = np.tile(np.eye(4, dtype=np.float32), (skeleton.N_JOINTS, 1, 1))
    matrices[:, :3, 3] = -(body.rest_joints - [0.0, floor_y, 0.0])
    joints = [_FIRST_JOINT + joint for joint in range(skeleton.N_JOINTS)]
    return {"inverseBindMatrices": buffer.add(matrices), "joints": joints, "skeleton": _FIRST_JOINT}


def _animation(buffer: GlbBuffer, motion: Motion, name: str) -> dict[str, Any]:
    """Return channels of every joint's rotation and of the pelvis' translation, a key a frame."""
    times = buffer.add((np.arange(len(motion)) / motion.fps).astype(np.float32), bounds=True)
    quats = rotations_xyzw(motion)
    samplers = [buffer.add(quats[:, joint]) for joint in range(skeleton.N_JOINTS)]
    samplers.append(buffer.add(positions_y_up(motion)))
    targets = [{"node": _FIRST_JOINT + joint, "path": "rotation"} for joint in range(skeleton.N_JOINTS)]
    targets.append({"node": _FIRST_JOINT, "path": "translation"})
    return {
        "name": name,
        "samplers": [{"input": times, "output": output, "interpolation": "LINEAR"} for output in samplers],
        "channels": [{"sampler": number, "target": target} for number, target in enumerate(targets)],
    }
