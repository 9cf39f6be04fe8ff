// Laid over the floor: how much darker it is for what stands on it.
in vec3 point_w;
out vec4 colour;

void main() {
    colour = vec4(0.05, 0.06, 0.09, 0.42 * (1.0 - sun_share(point_w, vec3(0.0, 0.0, 1.0), 0.004)));
}
