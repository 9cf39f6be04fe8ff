uniform sampler2D face_colours;
uniform vec3 sun;  // towards it
uniform vec3 eye_w;
in vec3 point_w;
in vec3 normal_w;
out vec4 colour;

void main() {
    vec3 base = pow(texelFetch(face_colours, ivec2(gl_PrimitiveID % 256, gl_PrimitiveID / 256), 0).rgb, vec3(2.2));
    vec3 n = normalize(normal_w), eye = normalize(eye_w - point_w);
    float facing = dot(n, sun);
    float lit = facing > 0.0 ? facing * sun_share(point_w, n, 0.012 + 0.03 * (1.0 - facing)) : 0.0;
    vec3 sky = mix(vec3(0.26, 0.25, 0.25), vec3(0.50, 0.54, 0.60), 0.5 + 0.5 * n.z);
    float shine = pow(max(dot(n, normalize(sun + eye)), 0.0), 24.0) * lit;
    float rim = pow(1.0 - max(dot(n, eye), 0.0), 3.0);
    colour = vec4(shown(base * (sky + vec3(0.78, 0.75, 0.70) * lit + 0.25 * rim) + 0.06 * shine), 1.0);
}
