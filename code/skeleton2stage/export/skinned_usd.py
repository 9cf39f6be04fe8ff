"""A dance as a USD file (.usd, .usda, .usdc, .usdz) by OpenUSD: skinned mesh, SMPL's 24 joints, and their animation.

UsdSkel's schemas: /Dance is the SkelRoot, with the mesh Body, the Skeleton, and under it the SkelAnimation. y up and
metres: world (x, y, z) of ours is the file's (x, z, -y). A time code is a frame; the layer says how many there are a
second. At rest the body stands in T-pose, its soles at y = 0, facing +z. Corrections of the shape by pose (SMPL's
posedirs) are left out: UsdSkel skins linearly. Needs usd-core, the extra `usd`.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from pxr import Gf, Sdf, Tf, Usd, UsdGeom, UsdShade, UsdSkel, UsdUtils, Vt

from skeleton2stage.body.body_model import BodyModel
from skeleton2stage.body.mesh import face_incidence, vertex_normals
from skeleton2stage.errors import UserError
from skeleton2stage.export.skinning import (
    BONES_A_VERTEX,
    SKIN_RGB,
    SKIN_ROUGHNESS,
    positions_y_up,
    rotations_xyzw,
    strongest_bones,
)
from skeleton2stage.files import atomic_path
from skeleton2stage.motion import skeleton
from skeleton2stage.motion.formats.write_bvh import TO_Y_UP
from skeleton2stage.motion.motion import Motion

PACKAGE = ".usdz"
ROOT = "/Dance"


def write_usd(path: Path, motion: Motion, body: BodyModel, title: str, song: str | None = None) -> None:
    """Write a motion on a body, atomically: text for .usda, binary for .usd and .usdc, a package of it for .usdz.

    title: what the dance is called; song: the name of its music, if known.
    """
    stage = _stage(motion, title, song)
    floor_y = float(body.rest_vertices[:, 1].min())
    root = UsdSkel.Root.Define(stage, ROOT)
    root.CreateExtentAttr(Vt.Vec3fArray.FromNumpy(_reach(motion, body)))
    stage.SetDefaultPrim(root.GetPrim())
    bones = _add_skeleton(stage, body, floor_y)
    _add_animation(stage, bones, motion, body, Tf.MakeValidIdentifier(song or title))
    _add_mesh(stage, bones, body, floor_y)
    with atomic_path(path) as temporary:
        if not _written(stage, temporary, path.stem):
            places = f"its disk, and in {tempfile.gettempdir()}" if path.suffix.lower() == PACKAGE else "its disk"
            raise UserError(f"OpenUSD could not write {path}: is there room on {places}?")


def _stage(motion: Motion, title: str, song: str | None) -> Usd.Stage:
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(motion.fps)
    stage.SetFramesPerSecond(motion.fps)
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(len(motion) - 1)
    stage.SetMetadata("customLayerData", {"motion": title} | ({"song": song} if song else {}))
    return stage


def _written(stage: Usd.Stage, path: Path, name: str) -> bool:
    """Write the stage, of a .usdz as the one file of a package, under a name; return whether OpenUSD could."""
    layer = stage.GetRootLayer()
    try:
        if path.suffix.lower() != PACKAGE:
            return layer.Export(str(path))
        with tempfile.TemporaryDirectory() as folder:
            inner = f"{folder}/{Tf.MakeValidIdentifier(name)}.usdc"
            return layer.Export(inner) and UsdUtils.CreateNewUsdzPackage(Sdf.AssetPath(inner), str(path))
    except Tf.ErrorException:
        return False


def _reach(motion: Motion, body: BodyModel) -> np.ndarray:
    """Return the least and largest corner [2, 3] m, y up, of a box that holds the skin in all frames."""
    arms = np.linalg.norm(body.rest_vertices - body.rest_joints[body.parts], axis=1).max()
    poses, pelvis, offsets = map(torch.from_numpy, (motion.poses, motion.translation, body.bone_offsets))
    joints = TO_Y_UP.apply(skeleton.forward_kinematics(poses, pelvis, offsets).reshape(-1, 3))
    return np.stack([joints.min(axis=0) - arms, joints.max(axis=0) + arms]).astype(np.float32)


def _joint_paths() -> list[str]:
    """Return SMPL's joints in its order as UsdSkel names them, each by the way from the pelvis."""
    paths: list[str] = []
    for name, parent in zip(skeleton.joint_names(), skeleton.parents(), strict=True):
        paths.append(name if parent < 0 else f"{paths[parent]}/{name}")
    return paths


def _offsets(body: BodyModel, pelvis_y_up: np.ndarray) -> np.ndarray:
    """Return joints' positions [T, 24, 3] m in their parents, the pelvis at [T, 3]."""
    offsets = np.tile(body.bone_offsets.astype(np.float32), (len(pelvis_y_up), 1, 1))
    offsets[:, 0] = pelvis_y_up
    return offsets


def _moved_by(positions: np.ndarray) -> Vt.Matrix4dArray:
    """Return matrices, of rows as USD has them, that move by positions [N, 3]."""
    matrices = np.tile(np.eye(4), (len(positions), 1, 1))
    matrices[:, 3, :3] = positions
    return Vt.Matrix4dArray.FromNumpy(matrices)


def _add_skeleton(stage: Usd.Stage, body: BodyModel, floor_y: float) -> UsdSkel.Skeleton:
    bones = UsdSkel.Skeleton.Define(stage, f"{ROOT}/Skeleton")
    bones.CreateJointsAttr(_joint_paths())
    bones.CreateBindTransformsAttr(_moved_by(body.rest_joints - [0.0, floor_y, 0.0]))
    bones.CreateRestTransformsAttr(_moved_by(_offsets(body, np.array([[0.0, -floor_y, 0.0]]))[0]))
    return bones


def _add_animation(
    stage: Usd.Stage, bones: UsdSkel.Skeleton, motion: Motion, body: BodyModel, name: str
) -> None:
    """Animate the skeleton, a time sample a frame, under a name that is a valid identifier."""
    animation = UsdSkel.Animation.Define(stage, bones.GetPath().AppendChild(name))
    animation.CreateJointsAttr(_joint_paths())
    animation.CreateScalesAttr(Vt.Vec3hArray(skeleton.N_JOINTS, Gf.Vec3h(1.0)))
    translations, rotations = animation.CreateTranslationsAttr(), animation.CreateRotationsAttr()
    frames = zip(_offsets(body, positions_y_up(motion)), rotations_xyzw(motion), strict=True)
    with Sdf.ChangeBlock():
        for frame, (offsets, quats) in enumerate(frames):
            translations.Set(Vt.Vec3fArray.FromNumpy(offsets), frame)
            rotations.Set(Vt.QuatfArray.FromNumpy(quats), frame)
    UsdSkel.BindingAPI.Apply(bones.GetPrim()).CreateAnimationSourceRel().SetTargets([animation.GetPath()])


def _add_mesh(stage: Usd.Stage, bones: UsdSkel.Skeleton, body: BodyModel, floor_y: float) -> None:
    """Add the skin at rest, bound to the skeleton."""
    vertices = (body.rest_vertices - [0.0, floor_y, 0.0]).astype(np.float32)
    normals = vertex_normals(vertices, body.faces, face_incidence(body.faces, len(vertices)))
    mesh = UsdGeom.Mesh.Define(stage, f"{ROOT}/Body")
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(vertices))
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(body.faces), 3, dtype=np.int32)))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(body.faces.astype(np.int32).ravel()))
    mesh.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(normals.astype(np.float32)))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    mesh.CreateExtentAttr(UsdGeom.PointBased.ComputeExtent(mesh.GetPointsAttr().Get()))
    joints, weights = strongest_bones(body.weights)
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateSkeletonRel().SetTargets([bones.GetPath()])
    indices = binding.CreateJointIndicesPrimvar(constant=False, elementSize=BONES_A_VERTEX)
    indices.Set(Vt.IntArray.FromNumpy(joints.astype(np.int32).ravel()))
    shares = binding.CreateJointWeightsPrimvar(constant=False, elementSize=BONES_A_VERTEX)
    shares.Set(Vt.FloatArray.FromNumpy(weights.ravel()))
    binding.CreateGeomBindTransformAttr(Gf.Matrix4d(1.0))
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(_skin(stage))


def _skin(stage: Usd.Stage) -> UsdShade.Material:
    material = UsdShade.Material.Define(stage, f"{ROOT}/Skin")
    shader = UsdShade.Shader.Define(stage, f"{ROOT}/Skin/Surface")
    shader.CreateIdAttr("UsdPreviewSurface")
    shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set(Gf.Vec3f(*SKIN_RGB))
    shader.CreateInput("roughness", Sdf.ValueTypeNames.Float).Set(SKIN_ROUGHNESS)
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    return material
