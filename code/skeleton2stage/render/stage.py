"""The stage: a floor, the sun and one figure of triangles, drawn by OpenGL without a screen.

Works on graphics cards (EGL) and without (Mesa's software, by EGL or OSMesa). Shadows are soft, sharper the nearer a
body is to what it shades; lines on the floor are 0.25 m and 1 m apart.
"""

from types import TracebackType
from typing import Self

import numpy as np
from scipy import sparse

from skeleton2stage.body.mesh import face_incidence, vertex_normals
from skeleton2stage.render.camera import Camera
from skeleton2stage.render.floor_marks import Disc
from skeleton2stage.render.gl import open_context
from skeleton2stage.render.sight import sight_of


class Stage:
    """A renderer of one topology of triangles; use it in a `with` block.

    faces: [F, 3] vertex indices, counter-clockwise from outside.
    samples: antialiasing samples a pixel; 0 draws twice as fast on a CPU, with jagged edges.
    shadow_pixels: along the sun's view; 0 draws no shadows.
    """

    def __init__(
        self, faces: np.ndarray, n_vertices: int, width: int, height: int, samples: int = 4, shadow_pixels: int = 1024
    ) -> None:
        self._faces, self._n_vertices, self._aspect = np.asarray(faces), n_vertices, width / height
        self._incidence: sparse.csr_matrix = face_incidence(self._faces, n_vertices)
        self._gl = open_context(width, height)
        # PyOpenGL binds its library on import, after the context has said which one.
        from skeleton2stage.render.drawing import Drawing

        self._drawing = Drawing(self._faces, (width, height), samples, shadow_pixels)

    def render(
        self, vertices_w: np.ndarray, camera: Camera, rgb: np.ndarray | tuple[float, float, float],
        discs: list[Disc] | tuple[Disc, ...] = (),
    ) -> np.ndarray:
        """Return a picture [H, W, 3] uint8 of the figure at vertices [V, 3] m, in one colour (0 to 1) or its faces'.

        rgb: [3] or [F, 3]. discs: spots on the floor.
        """
        if vertices_w.shape != (self._n_vertices, 3):
            raise ValueError(f"expected vertices {(self._n_vertices, 3)}, got {vertices_w.shape}")
        self._gl.make_current()
        self._drawing.set_figure(vertices_w, vertex_normals(vertices_w, self._faces, self._incidence), rgb)
        return self._drawing.picture(sight_of(camera, self._aspect), discs)

    def close(self) -> None:
        """Free the OpenGL context, and what was made in it."""
        self._gl.free()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
