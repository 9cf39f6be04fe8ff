"""OpenGL's objects as few calls: programs from the files under shaders/, vertex arrays, and textures."""

from pathlib import Path

import numpy as np
from OpenGL import GL

_SHADERS = Path(__file__).with_name("shaders")
_ATTRIBUTES = ("position", "normal")


class ShaderProgram:
    """A vertex and a fragment shader, linked; uniforms are set by name."""

    def __init__(self, vertex: str, fragment: str, *before_fragment: str) -> None:
        """Compile shaders/VERTEX.vert and shaders/FRAGMENT.frag, the latter after the named .glsl files."""
        parts = [f"{name}.glsl" for name in before_fragment]
        self._id = GL.glCreateProgram()
        shaders = [
            _compiled(GL.GL_VERTEX_SHADER, [f"{vertex}.vert"]),
            _compiled(GL.GL_FRAGMENT_SHADER, [*parts, f"{fragment}.frag"]),
        ]
        for shader in shaders:
            GL.glAttachShader(self._id, shader)
        for slot, name in enumerate(_ATTRIBUTES):
            GL.glBindAttribLocation(self._id, slot, name)
        GL.glLinkProgram(self._id)
        if not GL.glGetProgramiv(self._id, GL.GL_LINK_STATUS):
            raise RuntimeError(f"{vertex} and {fragment} do not link: {GL.glGetProgramInfoLog(self._id).decode()}")
        self._places: dict[str, int] = {}

    def use(self, **uniforms: np.ndarray | tuple[float, ...] | float | int) -> None:
        """Draw with this program from now on, with uniforms set: whole numbers, floats, vectors, matrices."""
        GL.glUseProgram(self._id)
        for name, value in uniforms.items():
            if name not in self._places:
                self._places[name] = GL.glGetUniformLocation(self._id, name)
            _set_uniform(self._places[name], value)


def _compiled(kind: int, names: list[str]) -> int:
    source = "".join((_SHADERS / name).read_text(encoding="utf-8") for name in names)
    if not source.startswith("#version"):
        source = "#version 330\n" + source
    shader = GL.glCreateShader(kind)
    GL.glShaderSource(shader, source)
    GL.glCompileShader(shader)
    if not GL.glGetShaderiv(shader, GL.GL_COMPILE_STATUS):
        raise RuntimeError(f"{' and '.join(names)} do not compile: {GL.glGetShaderInfoLog(shader).decode()}")
    return shader


def _set_uniform(place: int, value: np.ndarray | tuple[float, ...] | float | int) -> None:
    if isinstance(value, int):
        GL.glUniform1i(place, value)
        return
    array = np.ascontiguousarray(value, dtype=np.float32)
    if array.shape == (4, 4):
        GL.glUniformMatrix4fv(place, 1, GL.GL_TRUE, array)
    else:
        setters = {1: GL.glUniform1fv, 2: GL.glUniform2fv, 3: GL.glUniform3fv, 4: GL.glUniform4fv}
        setters[array.size](place, 1, array)


class Triangles:
    """Triangles of fixed topology on the graphics card, whose vertices may move."""

    def __init__(self, faces: np.ndarray) -> None:
        """Keep faces [F, 3]; nothing can be drawn before `move`."""
        self._n_indices = faces.size
        self._array = GL.glGenVertexArrays(1)
        self._buffers = GL.glGenBuffers(len(_ATTRIBUTES))
        GL.glBindVertexArray(self._array)
        indices = np.ascontiguousarray(faces, dtype=np.uint32)
        GL.glBindBuffer(GL.GL_ELEMENT_ARRAY_BUFFER, GL.glGenBuffers(1))
        GL.glBufferData(GL.GL_ELEMENT_ARRAY_BUFFER, indices.nbytes, indices, GL.GL_STATIC_DRAW)
        for slot, buffer in enumerate(self._buffers):
            GL.glBindBuffer(GL.GL_ARRAY_BUFFER, buffer)
            GL.glVertexAttribPointer(slot, 3, GL.GL_FLOAT, GL.GL_FALSE, 0, None)
            GL.glEnableVertexAttribArray(slot)

    def move(self, vertices: np.ndarray, normals: np.ndarray) -> None:
        """Put vertices [V, 3], with normals [V, 3], in their place."""
        for buffer, values in zip(self._buffers, (vertices, normals), strict=True):
            array = np.ascontiguousarray(values, dtype=np.float32)
            GL.glBindBuffer(GL.GL_ARRAY_BUFFER, buffer)
            GL.glBufferData(GL.GL_ARRAY_BUFFER, array.nbytes, array, GL.GL_STREAM_DRAW)

    def draw(self) -> None:
        """Draw them with the program in use."""
        GL.glBindVertexArray(self._array)
        GL.glDrawElements(GL.GL_TRIANGLES, self._n_indices, GL.GL_UNSIGNED_INT, None)


class ColourTable:
    """A texture with a colour for each of many faces, read by a face's number."""

    WIDTH = 256

    def __init__(self, n_faces: int) -> None:
        self._n_faces = n_faces
        self._texels = np.zeros((-(-n_faces // self.WIDTH), self.WIDTH, 3), dtype=np.uint8)
        self._id = GL.glGenTextures(1)

    def set(self, rgb: np.ndarray) -> None:
        """Set colours [F, 3] or one [3], 0 to 1."""
        texels = np.rint(255 * np.clip(np.asarray(rgb), 0.0, 1.0)).astype(np.uint8)
        self._texels.reshape(-1, 3)[: self._n_faces] = texels
        self.bind(0)
        size = self.WIDTH, len(self._texels)
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)
        GL.glTexImage2D(
            GL.GL_TEXTURE_2D, 0, GL.GL_RGB8, *size, 0, GL.GL_RGB, GL.GL_UNSIGNED_BYTE, self._texels
        )
        for name in (GL.GL_TEXTURE_MIN_FILTER, GL.GL_TEXTURE_MAG_FILTER):
            GL.glTexParameteri(GL.GL_TEXTURE_2D, name, GL.GL_NEAREST)

    def bind(self, unit: int) -> None:
        """Bind the texture to a unit."""
        GL.glActiveTexture(GL.GL_TEXTURE0 + unit)
        GL.glBindTexture(GL.GL_TEXTURE_2D, self._id)
