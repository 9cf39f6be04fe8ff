"""The stage: a floor, lights and one body mesh, drawn by MuJoCo's offscreen renderer.

The mesh is not simulated. Its vertices are written into the compiled model and uploaded for every frame, so
what is drawn is the body model's own surface, pose-dependent shape included.
"""

from types import TracebackType
from typing import Self

import mujoco
import numpy as np
from scipy import sparse

from skeleton2stage.render.camera import FOV_RAD, Camera, view_axes
from skeleton2stage.render.gl import open_context

_HAZE_RGB = (0.80, 0.84, 0.89)
_ZENITH_RGB = (0.66, 0.73, 0.82)
_FLOOR_RGB = ((0.64, 0.66, 0.70), (0.53, 0.56, 0.61))
_SUN_HEIGHT_M = 4.0
_SUN_FORWARD, _SUN_RIGHT = 0.55, 0.4  # how far light travels along the view while it falls by 1
_EXTENT_M = 2.0  # MuJoCo's unit for clipping planes, shadows and haze


class Stage:
    """A renderer of one mesh topology; use it in a `with` block.

    faces: [F, 3] vertex indices, counter-clockwise from outside.
    rest_vertices: [V, 3] m, any valid pose: MuJoCo wants a mesh to compile.
    samples: antialiasing samples a pixel; 0 draws twice as fast on a CPU, with jagged edges.
    """

    def __init__(
        self, faces: np.ndarray, rest_vertices: np.ndarray, width: int, height: int, samples: int = 4
    ) -> None:
        self._faces = np.asarray(faces)
        self._incidence = _incidence(self._faces, len(rest_vertices))
        self._model = _stage_spec(self._faces, rest_vertices, self._incidence, (width, height), samples).compile()
        self._data = mujoco.MjData(self._model)
        mujoco.mj_forward(self._model, self._data)
        _place_at_origin(self._data, self._model.geom("body").id)
        self._gl = open_context(width, height)
        self._context = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        self._scene = mujoco.MjvScene(self._model, maxgeom=16)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_HAZE] = True
        self._scene.flags[mujoco.mjtRndFlag.mjRND_FOG] = True
        self._viewport = mujoco.MjrRect(0, 0, width, height)

    def render(self, vertices_w: np.ndarray, camera: Camera, rgb: tuple[float, float, float]) -> np.ndarray:
        """Return a picture [H, W, 3] uint8 of the body at vertices [V, 3] m in a colour (0 to 1)."""
        if vertices_w.shape != self._model.mesh_vert.shape:
            raise ValueError(f"expected vertices {self._model.mesh_vert.shape}, got {vertices_w.shape}")
        self._gl.make_current()
        self._set_body(vertices_w, rgb)
        sun = sun_direction(camera.azimuth_rad)
        self._data.light_xdir[0], self._data.light_xpos[0] = sun, camera.target_w - sun * _SUN_HEIGHT_M
        mujoco.mjv_updateScene(
            self._model, self._data, mujoco.MjvOption(), None, _mujoco_camera(camera),
            mujoco.mjtCatBit.mjCAT_ALL.value, self._scene,
        )
        mujoco.mjr_render(self._viewport, self._scene, self._context)
        picture = np.empty((self._viewport.height, self._viewport.width, 3), dtype=np.uint8)
        mujoco.mjr_readPixels(picture, None, self._viewport, self._context)
        return picture[::-1]  # OpenGL counts rows from below

    def _set_body(self, vertices_w: np.ndarray, rgb: tuple[float, float, float]) -> None:
        self._model.mesh_vert[:] = vertices_w
        self._model.mesh_normal[:] = vertex_normals(vertices_w, self._faces, self._incidence)
        self._model.mat("skin").rgba[:3] = rgb
        mujoco.mjr_uploadMesh(self._model, self._context, self._model.mesh("body").id)

    def close(self) -> None:
        """Free the OpenGL context."""
        self._gl.make_current()
        self._context.free()
        self._gl.free()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def sun_direction(azimuth_rad: float) -> np.ndarray:
    """Return the unit direction [3] of light that comes over the left shoulder of a camera."""
    forward, right, _ = view_axes(azimuth_rad, 0.0)
    direction = _SUN_FORWARD * forward + _SUN_RIGHT * right - [0.0, 0.0, 1.0]
    return direction / np.linalg.norm(direction)


def vertex_normals(vertices: np.ndarray, faces: np.ndarray, incidence: sparse.csr_matrix) -> np.ndarray:
    """Return unit normals [V, 3]: the area-weighted mean of the normals of the faces around each vertex."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    normals = incidence @ np.cross(b - a, c - a)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def _incidence(faces: np.ndarray, n_vertices: int) -> sparse.csr_matrix:
    """Return the matrix [V, F] with 1 where a face has a vertex."""
    columns = np.repeat(np.arange(len(faces)), 3)
    ones = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_matrix((ones, (faces.ravel(), columns)), shape=(n_vertices, len(faces)))


def _place_at_origin(data: mujoco.MjData, geom_id: int) -> None:
    """Undo the shift to a mesh's inertial frame that MuJoCo makes, so that its vertices are world points."""
    data.geom_xpos[geom_id] = 0.0
    data.geom_xmat[geom_id] = np.eye(3).ravel()


def _mujoco_camera(camera: Camera) -> mujoco.MjvCamera:
    view = mujoco.MjvCamera()
    view.lookat = camera.target_w
    view.distance = camera.distance_m
    view.azimuth, view.elevation = np.degrees([camera.azimuth_rad, camera.elevation_rad])
    return view


def _stage_spec(
    faces: np.ndarray, vertices: np.ndarray, incidence: sparse.csr_matrix, size: tuple[int, int], samples: int
) -> mujoco.MjSpec:
    spec = mujoco.MjSpec()
    spec.visual.global_.offwidth, spec.visual.global_.offheight = size
    spec.visual.global_.fovy = float(np.degrees(FOV_RAD))
    spec.visual.quality.offsamples = samples
    spec.visual.quality.shadowsize = 1024
    spec.stat.extent = _EXTENT_M
    _add_light(spec)
    _add_floor(spec)
    _add_body(spec, faces, vertices, vertex_normals(vertices, faces, incidence))
    return spec


def _add_light(spec: mujoco.MjSpec) -> None:
    spec.visual.headlight.ambient = [0.42, 0.42, 0.44]
    spec.visual.headlight.diffuse = [0.30, 0.30, 0.30]
    spec.visual.headlight.specular = [0.0, 0.0, 0.0]
    spec.visual.map.fogstart, spec.visual.map.fogend = 2.5, 8.0  # in extents
    spec.visual.map.shadowclip = 0.65  # in extents: just the body, for sharp shadows
    spec.visual.rgba.haze = spec.visual.rgba.fog = [*_HAZE_RGB, 1.0]
    spec.worldbody.add_light(
        pos=[0, 0, _SUN_HEIGHT_M], dir=[0, 0, -1], type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        diffuse=[0.46, 0.45, 0.42], specular=[0.15, 0.15, 0.15], ambient=[0, 0, 0], castshadow=True,
    )


def _add_floor(spec: mujoco.MjSpec) -> None:
    spec.add_texture(
        name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=_ZENITH_RGB, rgb2=_HAZE_RGB, width=128, height=768,
    )
    spec.add_texture(
        name="tiles", type=mujoco.mjtTexture.mjTEXTURE_2D, builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        rgb1=_FLOOR_RGB[0], rgb2=_FLOOR_RGB[1], width=256, height=256,
    )
    floor = spec.add_material(name="floor", texrepeat=[1, 1], texuniform=True, specular=0.1, shininess=0.1)
    floor.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "tiles"
    spec.worldbody.add_geom(
        name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 0.05], material="floor",
        castshadow=False,  # or rounding speckles it with its own shadow
    )


def _add_body(spec: mujoco.MjSpec, faces: np.ndarray, vertices: np.ndarray, normals: np.ndarray) -> None:
    mesh = spec.add_mesh(name="body")
    mesh.uservert = np.asarray(vertices, dtype=np.float64).ravel().tolist()
    mesh.userface = faces.ravel().tolist()
    mesh.usernormal = normals.ravel().tolist()
    mesh.userfacenormal = mesh.userface
    mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL
    spec.add_material(name="skin", specular=0.25, shininess=0.35)
    spec.worldbody.add_geom(
        name="body", type=mujoco.mjtGeom.mjGEOM_MESH, meshname="body", material="skin", contype=0, conaffinity=0
    )
