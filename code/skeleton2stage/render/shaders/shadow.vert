#version 330
// The figure as the sun sees it: depth alone.
uniform mat4 sun_view;
in vec3 position;

void main() {
    gl_Position = sun_view * vec4(position, 1.0);
}
