"""Build the open body: python scripts/open_body/build.py [OUT.npz]

Writes body_models/open/open_body.npz unless told otherwise, and prints what it measured on it. See
requirements.txt beside this file for what this needs; using the body needs none of it.
"""

import json
from pathlib import Path

import numpy as np
import skinning
import surface
from density import decimate_by_part
from fit import Pose, fit_pose
from regressor import joint_regressor
from shapes import shape_directions
from source import Source, load_source

from skeleton2stage import errors, files, paths
from skeleton2stage.body import mesh
from skeleton2stage.motion import skeleton

VOXEL_M = 0.003
# Gap radii to fill by height in the source's rest pose: toes; crotch and fingertips; nothing; face.
CLOSE_FROM_M = ((-9.0, 0.005), (-0.74, 0.004), (0.1, 0.0), (0.66, 0.008))
FINE_FACES = 60_000
N_FACES = 13_776  # a closed mesh without handles then has SMPL's 6,890 vertices
N_SHAPE_SAMPLES = 60
SEED = 0
WEIGHT_SMOOTHINGS = 40
SURFACE_SMOOTHINGS = 12
BODY_DENSITY_KG_M3 = 985.0


def close_radius(height_m: np.ndarray) -> np.ndarray:
    """Return the radius of gaps to fill at each height, in metres."""
    from_m, radius_m = np.array(CLOSE_FROM_M).T
    return radius_m[np.searchsorted(from_m, height_m, side="right") - 1]


def build(source: Source, joints: np.ndarray, parents: list[int]) -> dict[str, np.ndarray]:
    """Return the arrays of a SMPL file for the source body fitted to `joints` [24, 3]."""
    fine, faces = surface.outer_surface(source.vertices, source.faces, VOXEL_M, close_radius)
    fine, faces = surface.decimate(fine, faces, FINE_FACES)
    pose = fit_pose(source, joints)
    weights = _source_weights(source, fine, faces)
    posed = surface.smooth(pose.apply(fine, weights), faces, SURFACE_SMOOTHINGS)
    vertices, coarse = decimate_by_part(posed, faces, weights, joints, parents, N_FACES)
    vertices = surface.untangle(vertices, coarse)
    return assemble(source, pose, (fine, posed, weights, faces), (vertices, coarse), joints, parents)


def _source_weights(source: Source, fine: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return smoothed weights [V, 24] of the fine mesh, the torso's still undivided."""
    own = skinning.collapse(source.weights, source.bones)
    return skinning.smooth(skinning.transfer(fine, source.vertices, source.faces) @ own, faces, WEIGHT_SMOOTHINGS)


def assemble(
    source: Source, pose: Pose, fine_mesh: tuple[np.ndarray, ...], final_mesh: tuple[np.ndarray, np.ndarray],
    joints: np.ndarray, parents: list[int],
) -> dict[str, np.ndarray]:
    """Return SMPL's arrays for the final mesh, carrying weights and shapes over from the fine one."""
    fine, posed, fine_weights, fine_faces = fine_mesh
    vertices, faces = final_mesh
    vertices = vertices.astype(np.float32).astype(np.float64)  # as they will be stored
    to_final = skinning.transfer(vertices, posed, fine_faces)
    undivided = to_final @ fine_weights
    weights = skinning.prune(skinning.split_torso(undivided, vertices[:, 1], joints))
    regressor = joint_regressor(vertices, weights, joints, parents)
    from_source = to_final @ skinning.transfer(fine, source.vertices, source.faces)
    shapedirs = shape_directions(source.shape_samples, from_source, pose, undivided, regressor, parents)
    kintree = np.array([[2**32 - 1, *parents[1:]], range(24)], dtype=np.int64)
    return {
        "v_template": vertices.astype(np.float32), "f": faces.astype(np.int32),
        "weights": weights.astype(np.float32), "J_regressor": regressor.astype(np.float32),
        "kintree_table": kintree, "shapedirs": shapedirs.astype(np.float32),
        "posedirs": np.zeros((len(vertices), 3, 207), dtype=np.float32),
    }


def report(body: dict[str, np.ndarray], joints: np.ndarray) -> dict[str, float]:
    """Return what a built body must keep to: counts, closedness, joints, mass, self-intersections."""
    vertices, faces = body["v_template"], body["f"]
    error = np.abs(body["J_regressor"].astype(np.float64) @ vertices - joints).max()
    return {
        "vertices": len(vertices), "faces": len(faces), "closed": bool(mesh.is_closed(faces)),
        "euler_characteristic": mesh.euler_characteristic(faces),
        "joint_error_m": float(error),
        "mass_kg": mesh.volume(vertices, faces) * BODY_DENSITY_KG_M3,
        "self_intersections": len(mesh.self_intersections(vertices, faces)),
    }


def main(arguments: list[str]) -> None:
    """Build the open body and print what was measured on it."""
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return
    out = Path(arguments[0]) if arguments else paths.open_body()
    joints, parents = skeleton.rest_joints(), skeleton.parents()
    print("reading the source body (about two minutes the first time)")
    source = load_source(N_SHAPE_SAMPLES, SEED)
    print("building (about a minute)")
    body = build(source, joints, parents)
    files.write_npz(out, **body)
    print(json.dumps(report(body, joints), indent=1))
    print(f"wrote {out}")


if __name__ == "__main__":
    errors.run_main(main)
