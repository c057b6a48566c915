/**
 * The lights, drawn straight from the live store's arrays: one buffer of positions and one of state
 * for each channel, written in place. Age is decided in the shader, so growing silent costs nothing.
 */
import type { CustomLayerInterface, Map as MapLibre } from "maplibre-gl";
import type { Channel, LightStore } from "../../shared/live/store";
import { mercatorX, mercatorY } from "./mercator";
import type { Palette } from "../../shared/tokens";
import { fragmentShaderOf, vertexShader } from "./shaders";

export const mark = { selected: 1, active: 2, dimmed: 4 } as const;

const bytesPerLight = 8;
const noLevel = 255;

interface Buffers {
  channel: Channel;
  version: number;
  vao: WebGLVertexArrayObject;
  position: WebGLBuffer;
  state: WebGLBuffer;
  /** Per light: level u8, mark u8, flags u16, at f32. */
  bytes: Uint8Array;
  flags: Uint16Array;
  at: Float32Array;
}

export interface LightsView {
  now: number;
  live: boolean;
  promise: number;
  shown: [boolean, boolean, boolean, boolean];
}

/** Radius in CSS pixels by zoom; between the stops, linear. */
const radii: [zoom: number, radius: number][] = [[9, 0.9], [11, 1.2], [13, 2], [15, 3.6], [17, 6.5], [19, 11]];

export function radiusAt(zoom: number): number {
  const above = radii.findIndex(([stop]) => zoom < stop);
  const last = radii.at(-1)?.[1] ?? 1;
  if (above <= 0) return above === 0 ? (radii[0]?.[1] ?? 1) : last;
  const [z0, r0] = radii[above - 1] ?? [0, 1];
  const [z1, r1] = radii[above] ?? [1, 1];
  return r0 + ((zoom - z0) / (z1 - z0)) * (r1 - r0);
}

function compile(gl: WebGL2RenderingContext, palette: Palette): WebGLProgram {
  const program = gl.createProgram();
  const sources: [number, string][] = [[gl.VERTEX_SHADER, vertexShader], [gl.FRAGMENT_SHADER, fragmentShaderOf(palette)]];
  for (const [type, source] of sources) {
    const shader = gl.createShader(type);
    if (!shader) throw new Error("The graphics context was lost.");
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) ?? "link");
  return program;
}

export class LightsLayer implements CustomLayerInterface {
  readonly id = "lights";
  readonly type = "custom";
  readonly renderingMode = "2d";
  private map: MapLibre | null = null;
  private gl: WebGL2RenderingContext | null = null;
  private program: WebGLProgram | null = null;
  private readonly uniforms = new Map<string, WebGLUniformLocation | null>();
  private readonly buffers = new Map<string, Buffers>();
  private stop: () => void = () => undefined;
  private marks: (id: number) => number = () => 0;
  private readonly origin: [number, number];
  private readonly epoch: number;
  private drawn = false;

  /** What asks for a person, and what is chosen: a layer of its own, so that no name hides it. */
  readonly above: CustomLayerInterface = {
    id: "lights-above",
    type: "custom",
    renderingMode: "2d",
    render: (context) => this.draw(context, 1),
  };

  constructor(
    private readonly store: LightStore,
    private readonly view: () => LightsView,
    center: [number, number],
    private readonly palette: Palette,
  ) {
    this.origin = [mercatorX(center[0]), mercatorY(center[1])];
    this.epoch = Math.floor(view().now);
  }

  onAdd(map: MapLibre, context: WebGLRenderingContext | WebGL2RenderingContext): void {
    this.map = map;
    this.gl = context as WebGL2RenderingContext;
    this.program = compile(this.gl, this.palette);
    this.stop = this.store.subscribe(() => map.triggerRepaint());
  }

  onRemove(): void {
    this.stop();
    for (const name of [...this.buffers.keys()]) this.drop(name);
    this.gl?.deleteProgram(this.program);
  }

  /** Asks for every light's mark anew, after the selection, the open light or the filter changed. */
  setMarks(marks: (id: number) => number): void {
    this.marks = marks;
    for (const buffers of this.buffers.values()) buffers.version = -1;
    this.map?.triggerRepaint();
  }

  private uniform(name: string): WebGLUniformLocation | null {
    if (!this.uniforms.has(name) && this.gl && this.program) {
      this.uniforms.set(name, this.gl.getUniformLocation(this.program, name));
    }
    return this.uniforms.get(name) ?? null;
  }

  private drop(name: string): void {
    const buffers = this.buffers.get(name);
    if (!buffers || !this.gl) return;
    this.gl.deleteVertexArray(buffers.vao);
    this.gl.deleteBuffer(buffers.position);
    this.gl.deleteBuffer(buffers.state);
    this.buffers.delete(name);
  }

  private create(gl: WebGL2RenderingContext, program: WebGLProgram, channel: Channel): Buffers {
    const positions = new Float32Array(channel.size * 2);
    for (let i = 0; i < channel.size; i++) {
      positions[2 * i] = mercatorX(channel.lon[i] ?? 0) - this.origin[0];
      positions[2 * i + 1] = mercatorY(channel.lat[i] ?? 0) - this.origin[1];
    }
    const vao = gl.createVertexArray();
    const position = gl.createBuffer();
    const state = gl.createBuffer();
    gl.bindVertexArray(vao);
    gl.bindBuffer(gl.ARRAY_BUFFER, position);
    gl.bufferData(gl.ARRAY_BUFFER, positions, gl.STATIC_DRAW);
    const at = (name: string) => gl.getAttribLocation(program, name);
    gl.enableVertexAttribArray(at("a_position"));
    gl.vertexAttribPointer(at("a_position"), 2, gl.FLOAT, false, 0, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, state);
    const raw = new ArrayBuffer(Math.max(1, channel.size) * bytesPerLight);
    gl.bufferData(gl.ARRAY_BUFFER, raw.byteLength, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(at("a_face"));
    gl.vertexAttribIPointer(at("a_face"), 2, gl.UNSIGNED_BYTE, bytesPerLight, 0);
    gl.enableVertexAttribArray(at("a_flags"));
    gl.vertexAttribIPointer(at("a_flags"), 1, gl.UNSIGNED_SHORT, bytesPerLight, 2);
    gl.enableVertexAttribArray(at("a_at"));
    gl.vertexAttribPointer(at("a_at"), 1, gl.FLOAT, false, bytesPerLight, 4);
    gl.bindVertexArray(null);
    const views = { bytes: new Uint8Array(raw), flags: new Uint16Array(raw), at: new Float32Array(raw) };
    return { channel, version: -1, vao, position, state, ...views };
  }

  private write(gl: WebGL2RenderingContext, buffers: Buffers): void {
    const { channel, bytes, flags, at } = buffers;
    const levels = channel.values.get("dimmingLevel");
    const remark = buffers.version === -1;
    for (let i = 0; i < channel.size; i++) {
      const level = levels?.[i] ?? NaN;
      const when = channel.at[i] ?? NaN;
      bytes[bytesPerLight * i] = Number.isNaN(level) ? noLevel : level;
      if (remark) bytes[bytesPerLight * i + 1] = this.marks(channel.id[i] ?? 0);
      flags[4 * i + 1] = channel.flags[i] ?? 0;
      at[2 * i + 1] = Number.isNaN(when) ? -1e9 : when - this.epoch;
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers.state);
    gl.bufferSubData(gl.ARRAY_BUFFER, 0, bytes);
    buffers.version = channel.version;
  }

  private refresh(gl: WebGL2RenderingContext, program: WebGLProgram): void {
    for (const name of [...this.buffers.keys()]) {
      if (this.buffers.get(name)?.channel !== this.store.channels.get(name)) this.drop(name);
    }
    for (const channel of this.store.lamps()) {
      const { name } = channel;
      let buffers = this.buffers.get(name);
      if (!buffers) {
        buffers = this.create(gl, program, channel);
        this.buffers.set(name, buffers);
      }
      if (buffers.version !== channel.version) this.write(gl, buffers);
    }
  }

  render(context: WebGLRenderingContext | WebGL2RenderingContext): void {
    this.draw(context, 0);
  }

  private draw(context: WebGLRenderingContext | WebGL2RenderingContext, pass: 0 | 1): void {
    const { map, program } = this;
    const gl = context as WebGL2RenderingContext;
    if (!map || !program) return;
    if (pass === 0) this.refresh(gl, program);

    const center = map.getCenter();
    const canvas = map.getCanvas();
    const ratio = map.getPixelRatio();
    const world = 512 * 2 ** map.getZoom();
    const { now, live, promise, shown } = this.view();
    gl.useProgram(program);
    gl.uniform2f(
      this.uniform("u_offset"), this.origin[0] - mercatorX(center.lng), this.origin[1] - mercatorY(center.lat),
    );
    const width = canvas.width / ratio;
    const height = canvas.height / ratio;
    gl.uniform2f(this.uniform("u_scale"), (2 * world) / width, (-2 * world) / height);
    gl.uniform1f(this.uniform("u_now"), now - this.epoch);
    gl.uniform1f(this.uniform("u_promise"), promise);
    gl.uniform1f(this.uniform("u_radius"), radiusAt(map.getZoom()));
    gl.uniform1f(this.uniform("u_ratio"), ratio);
    gl.uniform1i(this.uniform("u_live"), live ? 1 : 0);
    gl.uniform4i(this.uniform("u_shown"), ...(shown.map(Number) as [number, number, number, number]));
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.uniform1i(this.uniform("u_pass"), pass);
    for (const buffers of this.buffers.values()) {
      gl.bindVertexArray(buffers.vao);
      gl.drawArrays(gl.POINTS, 0, buffers.channel.size);
    }
    gl.bindVertexArray(null);
    if (!this.drawn && this.buffers.size > 0) {
      this.drawn = true;
      performance.mark("vigie.lights-drawn");
    }
  }
}
