"""Where pictures are drawn to: one with antialiasing that can be read, and the sun's, which holds depths alone."""

import numpy as np
from OpenGL import GL

from skeleton2stage.errors import UserError


class PictureBuffer:
    """A colour and depth buffer of one size, with samples for antialiasing, that can be read as an array."""

    def __init__(self, width: int, height: int, samples: int) -> None:
        self._size = width, height
        samples = min(samples, int(GL.glGetIntegerv(GL.GL_MAX_SAMPLES)))
        self._drawn = _frame(self._size, samples, depth=True)
        self._read = _frame(self._size, 0, depth=False) if samples else self._drawn
        self._rgba = np.empty((height, width, 4), dtype=np.uint8)

    def bind(self) -> None:
        """Draw here from now on."""
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self._drawn)
        GL.glViewport(0, 0, *self._size)

    def picture(self) -> np.ndarray:
        """Return what was drawn, [H, W, 3] uint8, the row that OpenGL calls the lowest first."""
        width, height = self._size
        if self._read != self._drawn:
            GL.glBindFramebuffer(GL.GL_READ_FRAMEBUFFER, self._drawn)
            GL.glBindFramebuffer(GL.GL_DRAW_FRAMEBUFFER, self._read)
            box = (0, 0, width, height)
            GL.glBlitFramebuffer(*box, *box, GL.GL_COLOR_BUFFER_BIT, GL.GL_NEAREST)
        GL.glBindFramebuffer(GL.GL_READ_FRAMEBUFFER, self._read)
        # Four bytes a pixel, as the buffer has them: three are converted one by one, at ten times the cost.
        GL.glReadPixels(0, 0, width, height, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE, self._rgba)
        return np.ascontiguousarray(self._rgba[..., :3])


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


def _frame(size: tuple[int, int], samples: int, depth: bool) -> int:
    frame = GL.glGenFramebuffers(1)
    GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, frame)
    parts = [(GL.GL_COLOR_ATTACHMENT0, GL.GL_RGBA8), (GL.GL_DEPTH_ATTACHMENT, GL.GL_DEPTH_COMPONENT24)]
    for attachment, kind in parts[: 1 + depth]:
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
