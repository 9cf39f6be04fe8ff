#version 330
// A spot laid over the floor.
uniform vec3 disc;  // x, y, radius
uniform vec4 disc_colour;
in vec3 point_w;
out vec4 colour;

void main() {
    float inside = 1.0 - distance(point_w.xy, disc.xy) / disc.z;
    colour = vec4(disc_colour.rgb, disc_colour.a * smoothstep(0.0, 0.08, inside));
}
