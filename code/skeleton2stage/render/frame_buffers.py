"""Where pictures are drawn to: one with antialiasing that can be read, and the sun's, which holds depths alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from OpenGL import GL

from skeleton2stage.errors import UserError
from skeleton2stage.render.sight import PixelBox


class PictureBuffer:
    """A colour and depth buffer of one size that can be read as an array, part of which can be drawn with antialiasing.

    samples: a pixel; 0 where there is to be no antialiasing.
    """

    def __init__(self, width: int, height: int, samples: int) -> None:
        self._size = width, height
        self.samples = min(samples, int(GL.glGetIntegerv(GL.GL_MAX_SAMPLES)))
        self._frame = _frame(self._size, 0)
        self._sampled = _frame(self._size, self.samples) if self.samples else self._frame
        self._rgba = np.empty((height, width, 4), dtype=np.uint8)

    def bind(self) -> None:
        """Draw here from now on, over nothing."""
        self._begin(self._frame)

    @contextmanager
    def antialiased(self, box: PixelBox) -> Iterator[None]:
        """Draw over nothing, with several samples a pixel and within a box alone, which then takes its place in the
        picture.
        """
        GL.glEnable(GL.GL_SCISSOR_TEST)
        GL.glScissor(box.left, box.low, box.width, box.height)
        self._begin(self._sampled)
        yield
        GL.glDisable(GL.GL_SCISSOR_TEST)
        GL.glBindFramebuffer(GL.GL_READ_FRAMEBUFFER, self._sampled)
        GL.glBindFramebuffer(GL.GL_DRAW_FRAMEBUFFER, self._frame)
        corners = box.left, box.low, box.left + box.width, box.low + box.height
        GL.glBlitFramebuffer(*corners, *corners, GL.GL_COLOR_BUFFER_BIT, GL.GL_NEAREST)

    def _begin(self, frame: int) -> None:
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, frame)
        GL.glViewport(0, 0, *self._size)
        GL.glClear(GL.GL_DEPTH_BUFFER_BIT)

    def picture(self) -> np.ndarray:
        """Return what was drawn, [H, W, 3] uint8, the row that OpenGL calls the lowest first."""
        GL.glBindFramebuffer(GL.GL_READ_FRAMEBUFFER, self._frame)
        # Four bytes a pixel, as the buffer has them: three are converted one by one, at ten times the cost.
        GL.glReadPixels(0, 0, *self._size, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE, self._rgba)
        rgb = np.empty((*self._rgba.shape[:2], 3), dtype=np.uint8)
        for channel in range(3):  # at once, numpy copies three bytes at a time, at five times the cost
            rgb[..., channel] = self._rgba[..., channel]
        return rgb


class DepthBuffer:
    """A square depth texture, read as depths and as comparisons with them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._texture = GL.glGenTextures(1)
        GL.glBindTexture(GL.GL_TEXTURE_2D, self._texture)
        GL.glTexImage2D(
            GL.GL_TEXTURE_2D, 0, GL.GL_DEPTH_COMPONENT24, size, size, 0, GL.GL_DEPTH_COMPONENT, GL.GL_UNSIGNED_INT, None
        )
        self._frame = GL.glGenFramebuffers(1)
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self._frame)
        GL.glFramebufferTexture2D(
            GL.GL_FRAMEBUFFER, GL.GL_DEPTH_ATTACHMENT, GL.GL_TEXTURE_2D, self._texture, 0
        )
        GL.glDrawBuffer(GL.GL_NONE)
        GL.glReadBuffer(GL.GL_NONE)
        _check_complete()
        self._samplers = GL.glGenSamplers(2)
        for sampler, filtering in zip(self._samplers, (GL.GL_NEAREST, GL.GL_LINEAR), strict=True):
            GL.glSamplerParameteri(sampler, GL.GL_TEXTURE_MIN_FILTER, filtering)
            GL.glSamplerParameteri(sampler, GL.GL_TEXTURE_MAG_FILTER, filtering)
            for axis in (GL.GL_TEXTURE_WRAP_S, GL.GL_TEXTURE_WRAP_T):
                GL.glSamplerParameteri(sampler, axis, GL.GL_CLAMP_TO_EDGE)
        GL.glSamplerParameteri(self._samplers[1], GL.GL_TEXTURE_COMPARE_MODE, GL.GL_COMPARE_REF_TO_TEXTURE)
        GL.glSamplerParameteri(self._samplers[1], GL.GL_TEXTURE_COMPARE_FUNC, GL.GL_LEQUAL)

    def bind(self) -> None:
        """Draw depths here from now on."""
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self._frame)
        GL.glViewport(0, 0, self._size, self._size)
        GL.glClear(GL.GL_DEPTH_BUFFER_BIT)

    def bind_textures(self, depths: int, comparisons: int) -> None:
        """Bind the texture to two units, to be read in two ways."""
        for unit, sampler in zip((depths, comparisons), self._samplers, strict=True):
            GL.glActiveTexture(GL.GL_TEXTURE0 + unit)
            GL.glBindTexture(GL.GL_TEXTURE_2D, self._texture)
            GL.glBindSampler(unit, sampler)


def _frame(size: tuple[int, int], samples: int) -> int:
    frame = GL.glGenFramebuffers(1)
    GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, frame)
    parts = [(GL.GL_COLOR_ATTACHMENT0, GL.GL_RGBA8), (GL.GL_DEPTH_ATTACHMENT, GL.GL_DEPTH_COMPONENT24)]
    for attachment, kind in parts:
        buffer = GL.glGenRenderbuffers(1)
        GL.glBindRenderbuffer(GL.GL_RENDERBUFFER, buffer)
        GL.glRenderbufferStorageMultisample(GL.GL_RENDERBUFFER, samples, kind, *size)
        GL.glFramebufferRenderbuffer(GL.GL_FRAMEBUFFER, attachment, GL.GL_RENDERBUFFER, buffer)
    _check_complete()
    return int(frame)


def _check_complete() -> None:
    status = GL.glCheckFramebufferStatus(GL.GL_FRAMEBUFFER)
    if status != GL.GL_FRAMEBUFFER_COMPLETE:
        raise UserError(f"the graphics driver refuses a buffer to draw in ({int(status):#x}): give a smaller picture")
