// How much of the sun a point sees. Shadows are sharp where what casts them is near, and wide where it is far: the sun
// is a disc, so that a foot on the floor is told from one over it (R. Fernando, "Percentage-Closer Soft Shadows", 2005).
uniform mat4 sun_view;
uniform sampler2D sun_depth;
uniform sampler2DShadow sun_lit;
uniform float sun_depth_m;   // from the near to the far plane of the sun's view
uniform float sun_width_m;   // across the sun's view
const float SUN_SIZE = 0.16; // width of a shadow's edge, m, for each metre between what casts and what takes it
const float SEARCH_M = 0.09;
const int TAPS = 16;
const vec2 DISC[TAPS] = vec2[](
    vec2(0.18, 0.00), vec2(-0.23, 0.21), vec2(0.03, -0.39), vec2(0.28, 0.37), vec2(-0.52, -0.09),
    vec2(0.49, -0.31), vec2(-0.17, 0.62), vec2(-0.32, -0.61), vec2(0.68, 0.25), vec2(-0.71, 0.29),
    vec2(0.34, -0.73), vec2(0.25, 0.81), vec2(-0.76, -0.44), vec2(0.90, -0.20), vec2(-0.55, 0.78),
    vec2(-0.13, -0.98));

float sun_share(vec3 point_w, vec3 normal_w, float bias_m) {
    vec3 at = (sun_view * vec4(point_w + normal_w * bias_m, 1.0)).xyz * 0.5 + 0.5;
    if (any(lessThan(at, vec3(0.0))) || any(greaterThan(at, vec3(1.0)))) return 1.0;
    float nearest = 0.0, found = 0.0, before = at.z - bias_m / sun_depth_m;
    for (int i = 0; i < TAPS; i += 3) {
        float depth = textureLod(sun_depth, at.xy + DISC[i] * SEARCH_M / sun_width_m, 0.0).r;
        if (depth < before) { nearest += depth; found += 1.0; }
    }
    if (found == 0.0) return 1.0;
    float gap_m = (at.z - nearest / found) * sun_depth_m;
    float edge = clamp(gap_m * SUN_SIZE, 0.006, SEARCH_M) / sun_width_m;
    float lit = 0.0;
    for (int i = 0; i < TAPS; i++) lit += textureLod(sun_lit, vec3(at.xy + DISC[i] * edge, before), 0.0);
    return lit / float(TAPS);
}

vec3 shown(vec3 linear) {
    return pow(clamp(linear, 0.0, 1.0), vec3(1.0 / 2.2));
}
