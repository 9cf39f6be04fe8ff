#version 330
uniform vec3 haze;
uniform vec3 zenith;
in float height;
out vec4 colour;

void main() {
    colour = vec4(mix(haze, zenith, smoothstep(0.0, 0.9, height)), 1.0);
}
