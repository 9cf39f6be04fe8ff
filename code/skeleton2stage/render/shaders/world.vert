#version 330
// A point of the figure or of the floor: where it is in the world and in the picture.
uniform mat4 view;
in vec3 position;
in vec3 normal;
out vec3 point_w;
out vec3 normal_w;

void main() {
    point_w = position;
    normal_w = normal;
    gl_Position = view * vec4(position, 1.0);
}
