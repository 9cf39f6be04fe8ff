"""What OpenGL is told to draw a picture of a figure on a floor: the sun's depths first, then figure, floor and sky."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from OpenGL import GL

from skeleton2stage.render.floor_marks import Disc
from skeleton2stage.render.frame_buffers import DepthBuffer, PictureBuffer
from skeleton2stage.render.shader_program import ColourTable, ShaderProgram, Triangles
from skeleton2stage.render.sight import Sight, pixel_box
from skeleton2stage.render.sunlight import SUN_DEPTH_M, SUN_WIDTH_M, shaded_box

HAZE_RGB = (0.84, 0.86, 0.89)
ZENITH_RGB = (0.62, 0.68, 0.76)
_FLOOR_BOX = (-40.0, -40.0, 40.0, 40.0)
_AWAY, _NEARER = 4.0, -4.0
_COLOURS, _DEPTHS, _COMPARISONS = range(3)  # texture units
_QUAD = np.array([[0, 1, 2], [0, 2, 3]])
_CORNERS = np.array([[-1.0, -1.0, 0.0], [1.0, -1.0, 0.0], [1.0, 1.0, 0.0], [-1.0, 1.0, 0.0]])


class Drawing:
    """The buffers, programs and triangles of one stage; its OpenGL context must be the current one throughout."""

    def __init__(self, faces: np.ndarray, size: tuple[int, int], samples: int, shadow_pixels: int) -> None:
        self._shadows = shadow_pixels > 0
        self._sun_buffer = DepthBuffer(max(shadow_pixels, 1))
        self._size, self._buffer = size, PictureBuffer(*size, samples)
        self._depths = ShaderProgram("shadow", "shadow")
        self._figure_look = ShaderProgram("world", "figure", "light")
        self._floor_look = ShaderProgram("floor", "floor")
        self._floor_shadow_look = ShaderProgram("floor", "floor_shadow", "light")
        self._disc_look = ShaderProgram("floor", "disc")
        self._sky_look = ShaderProgram("sky", "sky")
        self._figure, self._quad = Triangles(faces), Triangles(_QUAD)
        self._quad.move(_CORNERS, _CORNERS)
        self._colours = ColourTable(len(faces))
        GL.glEnable(GL.GL_DEPTH_TEST)
        GL.glEnable(GL.GL_MULTISAMPLE)
        GL.glFrontFace(GL.GL_CW)  # for pictures are drawn upside down
        GL.glBlendFunc(GL.GL_SRC_ALPHA, GL.GL_ONE_MINUS_SRC_ALPHA)

    def set_figure(
        self, vertices_w: np.ndarray, normals_w: np.ndarray, rgb: np.ndarray | tuple[float, float, float]
    ) -> None:
        """Put the figure's vertices and normals [V, 3] and colours, [3] or [F, 3], where they are to be drawn."""
        self._figure.move(vertices_w, normals_w)
        self._vertices_w = vertices_w
        self._colours.set(np.asarray(rgb))

    def picture(self, sight: Sight, discs: list[Disc] | tuple[Disc, ...]) -> np.ndarray:
        """Return a picture [H, W, 3] uint8, the lowest row of the view's y first."""
        self._sun_buffer.bind()
        if self._shadows:
            self._depths.use(sun_view=sight.sun_view)
            with _offset(_AWAY):
                self._figure.draw()
        self._colours.bind(_COLOURS)
        self._sun_buffer.bind_textures(_DEPTHS, _COMPARISONS)
        light = {"sun_view": sight.sun_view, "sun_depth": _DEPTHS, "sun_lit": _COMPARISONS,
                 "sun_depth_m": SUN_DEPTH_M, "sun_width_m": SUN_WIDTH_M}
        self._buffer.bind()
        if not self._buffer.samples:
            self._draw_figure(sight, light)
            self._draw_around(sight, light, discs)
            return self._buffer.picture()
        # Only the figure has edges that need samples: floor, spots and shadows are smooth by themselves. On a CPU a
        # whole picture of samples costs three times as much.
        self._draw_around(sight, light, discs)
        with self._buffer.antialiased(pixel_box(self._vertices_w, sight.view, self._size)):
            self._draw_figure(sight, light)
            self._draw_around(sight, light, discs)
        return self._buffer.picture()

    def _draw_figure(self, sight: Sight, light: dict) -> None:
        self._figure_look.use(view=sight.view, eye_w=sight.eye_w, sun=sight.sun, face_colours=_COLOURS, **light)
        GL.glEnable(GL.GL_CULL_FACE)
        self._figure.draw()
        GL.glDisable(GL.GL_CULL_FACE)

    def _draw_around(self, sight: Sight, light: dict, discs: list[Disc] | tuple[Disc, ...]) -> None:
        """Draw floor and sky, where no figure is before them."""
        self._draw_floor(sight, light, discs)
        self._sky_look.use(horizon=sight.slopes, haze=HAZE_RGB, zenith=ZENITH_RGB)
        self._quad.draw()

    def _draw_floor(self, sight: Sight, light: dict, discs: list[Disc] | tuple[Disc, ...]) -> None:
        """Draw the floor, and over it its shadows and spots."""
        self._floor_look.use(view=sight.view, eye_w=sight.eye_w, haze=HAZE_RGB, box=_FLOOR_BOX)
        self._quad.draw()
        GL.glEnable(GL.GL_BLEND)
        GL.glDepthMask(GL.GL_FALSE)
        with _offset(_NEARER):
            for disc in discs:
                self._disc_look.use(
                    view=sight.view, box=disc.box(), disc=(disc.x_m, disc.y_m, disc.radius_m), disc_colour=disc.rgba
                )
                self._quad.draw()
            if self._shadows:
                box = shaded_box(self._vertices_w, sight.sun)
                self._floor_shadow_look.use(view=sight.view, box=box, **light)
                self._quad.draw()
        GL.glDepthMask(GL.GL_TRUE)
        GL.glDisable(GL.GL_BLEND)


@contextmanager
def _offset(units: float) -> Iterator[None]:
    """Draw a little farther from the eye, or nearer where units are negative."""
    GL.glPolygonOffset(units / 2, units)
    GL.glEnable(GL.GL_POLYGON_OFFSET_FILL)
    yield
    GL.glDisable(GL.GL_POLYGON_OFFSET_FILL)
