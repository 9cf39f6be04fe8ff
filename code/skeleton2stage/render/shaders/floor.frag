#version 330
uniform vec3 eye_w;
uniform vec3 haze;
in vec3 point_w;
out vec4 colour;

// The share of a pixel that lines of a square grid cover; far away, where they are finer than pixels, their mean.
float grid(vec2 at, vec2 per_pixel, float every_m, float width_m) {
    vec2 off = abs(fract(at * (1.0 / every_m) - 0.5) - 0.5) * every_m;
    vec2 share = clamp((0.5 * width_m - off) * per_pixel + 0.5, 0.0, 1.0) * min(vec2(1.0), 0.25 * every_m * per_pixel);
    return max(share.x, share.y);
}

void main() {
    vec2 at = point_w.xy, per_pixel = 1.0 / max(fwidth(at), vec2(1e-5)), tile = floor(at);
    vec3 base = vec3(0.655, 0.665, 0.685) + 0.035 * mod(tile.x + tile.y, 2.0);
    base *= 1.0 - 0.10 * grid(at, per_pixel, 0.25, 0.006) - 0.22 * grid(at, per_pixel, 1.0, 0.012);
    vec3 away = eye_w - point_w;
    colour = vec4(mix(base, haze, smoothstep(16.0, 220.0, dot(away, away))), 1.0);
}
