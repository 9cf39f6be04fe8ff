#version 330
// A rectangle of the floor.
uniform mat4 view;
uniform vec4 box;  // least x and y, largest x and y
in vec3 position;
out vec3 point_w;

void main() {
    point_w = vec3(mix(box.xy, box.zw, 0.5 + 0.5 * position.xy), 0.0);
    gl_Position = view * vec4(point_w, 1.0);
}
