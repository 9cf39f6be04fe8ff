#version 330
// One triangle over the whole picture, behind everything.
out float height;
in vec3 position;
uniform vec2 horizon;  // the picture's lower and upper edge, as slopes over the horizon

void main() {
    gl_Position = vec4(position.xy, 0.99999, 1.0);
    height = mix(horizon.x, horizon.y, 0.5 + 0.5 * position.y);
}
