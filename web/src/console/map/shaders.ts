/**
 * How equipment is drawn. A lamp: luminance when normal; hollow when silent; colour and shape when abnormal. Any other
 * kind: a plate with its symbol, hollow when silent, of the colour and shape of what is abnormal. While the picture is not
 * live, every one is hollow and keeps what it last meant: a fault its shape, and its colour as an outline.
 */
import type { Palette } from "../../shared/tokens";

function vec3(hex: string): string {
  const channel = (from: number) => (parseInt(hex.slice(from, from + 2), 16) / 255).toFixed(4);
  return `vec3(${channel(1)}, ${channel(3)}, ${channel(5)})`;
}

/** Order of the conditions in `u_shown` and `v_condition`. */
export const vertexShader = `#version 300 es
precision highp float;
in vec2 a_position;
in float a_at;
in uvec2 a_face;
in uint a_flags;
uniform vec2 u_offset;
uniform vec2 u_scale;
uniform float u_now;
uniform float u_promise;
uniform float u_radius;
uniform float u_ratio;
uniform int u_pass;
uniform highp int u_icon;
uniform bool u_chosen;
uniform bool u_live;
uniform bvec4 u_shown;
flat out int v_condition;
flat out float v_level;
flat out float v_radius;
flat out float v_size;
flat out uint v_mark;
flat out int v_pending;
flat out float v_heading;

// A picture that stands still does not age: what was silent when it stopped was silent.
int conditionOf(uint flags) {
  if (u_now - a_at > u_promise) return 1;
  if ((flags & 2u) != 0u) return 2;
  if ((flags & 1u) != 0u) return 3;
  if ((flags & 4u) != 0u) return 4;
  if ((flags & 8u) != 0u) return 5;
  return 0;
}

void main() {
  int condition = conditionOf(a_flags);
  bool abnormal = condition > 1;
  bool marked = (a_face.y & 3u) != 0u;
  bool pending = u_shown.w && (a_flags & 16u) != 0u;
  bool shown = condition == 0 ? u_shown.x : condition == 1 ? u_shown.z : u_shown.y;
  bool front = abnormal || marked || pending;
  gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  gl_PointSize = 1.0;
  v_condition = condition;
  v_mark = a_face.y;
  v_pending = pending ? 1 : 0;
  v_heading = u_icon < 0 || a_face.x == 255u ? -1.0 : float(a_face.x) / 255.0 * 6.2831853;
  v_level = a_face.x > 100u ? 0.0 : float(a_face.x) / 100.0;
  v_radius = abnormal ? max(u_radius * 1.25, 4.0) : condition == 1 ? max(u_radius, 1.6) : u_radius;
  if (u_icon >= 0) v_radius = abnormal ? max(u_radius * 1.12, 4.5) : u_radius;
  float reach = u_icon >= 0 ? (v_heading >= 0.0 ? 1.8 : abnormal ? 1.35 : 1.0) : condition == 0 && u_radius > 3.0 ? 2.4 : 1.0;
  v_size = 2.0 * (v_radius * reach + (marked || pending ? 6.0 + v_radius * 0.35 : 1.5));
  if ((a_flags & 32u) != 0u || (!shown && !marked && !pending) || front != (u_pass == 1) || (u_chosen && !marked)) return;
  gl_Position = vec4((a_position + u_offset) * u_scale, 0.0, 1.0);
  gl_PointSize = v_size * u_ratio;
}
`;

export const fragmentShaderOf = (colour: Palette): string => `#version 300 es
precision highp float;
flat in int v_condition;
flat in float v_level;
flat in float v_radius;
flat in float v_size;
flat in uint v_mark;
flat in int v_pending;
flat in float v_heading;
uniform float u_ratio;
uniform bool u_live;
uniform highp int u_icon;
uniform vec2 u_cells;
uniform sampler2D u_symbols;
out vec4 colour;

float fill(float distance) { return clamp(0.5 - distance * u_ratio, 0.0, 1.0); }
float ring(float distance, float width) { return fill(abs(distance) - width * 0.5); }
float dashes(vec2 p, float count) {
  return smoothstep(0.35, 0.5, abs(fract(atan(p.y, p.x) / 6.2831853 * count) - 0.5) * 2.0);
}
void over(vec3 tint, float alpha) { colour = vec4(tint * alpha, alpha) + colour * (1.0 - alpha); }

float shape(vec2 p, float r) {
  if (v_condition == 2) return (abs(p.x) + abs(p.y) - r * 1.3) * 0.7071;
  if (v_condition == 3) return max(abs(p.x) * 0.8660 - p.y * 0.5, p.y) - r * 0.62;
  if (v_condition == 4) return max(abs(p.x), abs(p.y)) - r * 0.9;
  return length(p) - r;
}

void symbol(vec2 p, float r, vec3 tint) {
  vec2 at = p / (r * 1.5) + 0.5;
  if (r < 5.0 || min(at.x, at.y) < 0.0 || max(at.x, at.y) > 1.0) return;
  vec2 cell = vec2(float(u_icon % int(u_cells.x)), float(u_icon / int(u_cells.x)));
  over(tint, texture(u_symbols, (cell + at) / u_cells).r);
}

/** Where it goes: a point outside the plate. */
void arrow(vec2 p, float r, vec3 tint) {
  vec2 ahead = vec2(sin(v_heading), -cos(v_heading));
  float along = dot(p, ahead);
  float across = abs(dot(p, vec2(ahead.y, -ahead.x)));
  float d = max(across * 0.78 + (along - r * 1.65) * 0.62, r * 1.08 - along);
  over(${vec3(colour.void)}, fill(d - 1.0) * 0.8);
  over(tint, fill(d));
}

void plate(vec2 p, float r) {
  float d = v_condition > 1 ? shape(v_condition == 3 ? p + vec2(0.0, -r * 0.1) : p, r) : length(p) - r;
  if (v_condition == 0) {
    if (v_heading >= 0.0) arrow(p, r, u_live ? ${vec3(colour.first)} : ${vec3(colour.second)});
    over(${vec3(colour.void)}, fill(d - 1.2) * 0.85);
    if (!u_live) {
      over(${vec3(colour.second)}, ring(d + 0.5, 1.1));
      symbol(p, r, ${vec3(colour.second)});
      return;
    }
    if (r < 5.0) { over(${vec3(colour.second)}, fill(d)); return; }
    over(${vec3(colour.raised)}, fill(d));
    over(${vec3(colour.second)}, ring(d + 0.5, 1.1));
    symbol(p, r, ${vec3(colour.first)});
  } else if (v_condition == 1) {
    over(${vec3(colour.void)}, fill(d) * 0.75);
    over(${vec3(colour.third)}, ring(d + 0.5, 1.2) * (r > 4.0 ? dashes(p, 7.0) : 1.0));
    symbol(p, r, ${vec3(colour.third)});
  } else {
    vec3 tint = v_condition == 2 ? ${vec3(colour.critical)} : v_condition == 3 ? ${vec3(colour.high)}
      : v_condition == 4 ? ${vec3(colour.medium)} : ${vec3(colour.low)};
    if (v_heading >= 0.0) arrow(p, r, tint);
    over(${vec3(colour.void)}, fill(d - 1.4) * 0.9);
    if (u_live) over(tint, fill(d));
    else over(tint, ring(d + 0.7, 1.6));
    vec3 ink = u_live ? ${vec3(colour.void)} : tint;
    symbol(v_condition == 3 ? p - vec2(0.0, r * 0.12) : p, v_condition == 3 ? max(r * 0.72, min(r, 5.0)) : v_condition == 2 ? r * 0.9 : r, ink);
  }
}

void main() {
  vec2 p = (gl_PointCoord - 0.5) * v_size;
  float r = v_radius;
  float away = length(p);
  colour = vec4(0.0);
  if (u_icon >= 0) {
    plate(p, r);
  } else if (v_condition == 0) {
    float lit = pow(v_level, 0.8);
    vec3 light = mix(${vec3(colour.lampOff)}, ${vec3(colour.lampFull)}, lit);
    if (!u_live) {
      over(${vec3(colour.void)}, fill(away - r) * 0.7);
      over(light, ring(away - r + 0.5, r > 3.0 ? 1.4 : 0.9));
    } else {
      if (r > 3.0) over(${vec3(colour.lampFull)}, 0.22 * lit * pow(max(0.0, 1.0 - away / (r * 2.4)), 1.5));
      over(light, fill(away - r));
    }
  } else if (v_condition == 1) {
    float dash = r > 3.0 ? dashes(p, 6.0) : 1.0;
    over(${vec3(colour.void)}, fill(away - r) * 0.7);
    over(${vec3(colour.third)}, ring(away - r + 0.5, r > 3.0 ? 1.4 : 0.9) * dash);
  } else {
    vec3 tint = v_condition == 2 ? ${vec3(colour.critical)} : v_condition == 3 ? ${vec3(colour.high)}
      : v_condition == 4 ? ${vec3(colour.medium)} : ${vec3(colour.low)};
    float d = shape(v_condition == 3 ? p + vec2(0.0, -r * 0.1) : p, r);
    over(${vec3(colour.void)}, fill(d - 1.2) * 0.9);
    if (u_live) over(tint, fill(d));
    else over(tint, ring(d + 0.7, 1.6));
  }
  float edge = v_condition > 1 ? r * 1.3 : r;
  if (v_pending == 1) over(${vec3(colour.focus)}, ring(away - edge - 2.5, 1.2) * dashes(p, 5.0));
  if ((v_mark & 3u) != 0u) {
    bool open = (v_mark & 2u) != 0u;
    over(${vec3(colour.focus)}, ring(away - edge - (r > 4.0 || open ? 3.0 : 1.4), open ? 2.2 : r > 4.0 ? 1.6 : 0.9) * (r > 4.0 || open ? 1.0 : 0.75));
  }
  if ((v_mark & 4u) != 0u) colour *= 0.14;
  if (colour.a < 0.004) discard;
}
`;
