/**
 * All equipment, drawn straight from the live store's arrays: one buffer of positions and one of state for each
 * channel, written in place. Age is decided in the shader, so growing silent costs nothing. Street lights are their
 * luminance; other kinds have a face: their symbol, in the shape of their state, with a heading when they move.
 */
import type { CustomLayerInterface, Map as MapLibre } from "maplibre-gl";
import type { Channel, LightStore } from "../../shared/live/store";
import type { Cluster } from "./clusters";
import { type Source, clusterZoom, clustersOf, mostFaces } from "./clusters";
import { atlas, drawAtlas, iconIndex } from "./icons";
import { mercatorX, mercatorY } from "./mercator";
import type { Palette } from "../../shared/tokens";
import type { Eye } from "./pick";
import { fragmentShaderOf, vertexShader } from "./shaders";

export const mark = { selected: 1, active: 2, dimmed: 4 } as const;

const bytesPerAsset = 8;
const unknown = 255;
/** A heading in a byte: 0 to 254 for a whole turn. */
const turn = 255 / 360;

interface Buffers {
  channel: Channel;
  version: number;
  vao: WebGLVertexArrayObject;
  position: WebGLBuffer;
  positions: Float32Array;
  state: WebGLBuffer;
  /** Per asset: level or heading u8, mark u8, flags u16, at f32. */
  bytes: Uint8Array;
  flags: Uint16Array;
  at: Float32Array;
}

/** What the layer asks of the desk before it draws. */
export interface AssetView extends Eye {
  /** The name of a kind's symbol. */
  iconOf: (kind: string) => string;
}

/** Radius in CSS pixels by zoom; between the stops, linear. */
const lamps: [zoom: number, radius: number][] = [[9, 0.9], [11, 1.2], [13, 2], [15, 3.6], [17, 6.5], [19, 11]];

/** Of the sign of any other kind. */
const signs: [zoom: number, radius: number][] = [[9, 2], [12, 3], [14, 5.5], [15, 8], [17, 11], [19, 15]];

export const signRadiusAt = (zoom: number): number => radiusAt(zoom, signs);

export function radiusAt(zoom: number, radii = lamps): number {
  const above = radii.findIndex(([stop]) => zoom < stop);
  const last = radii.at(-1)?.[1] ?? 1;
  if (above <= 0) return above === 0 ? (radii[0]?.[1] ?? 1) : last;
  const [z0, r0] = radii[above - 1] ?? [0, 1];
  const [z1, r1] = radii[above] ?? [1, 1];
  return r0 + ((zoom - z0) / (z1 - z0)) * (r1 - r0);
}

/** Longer than any equipment serves, shorter than the age of what was never told. */
const never = 9e8;

const moving = (channel: Channel): boolean => channel.values.has("heading");

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

export class AssetLayer implements CustomLayerInterface {
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
  private symbols: WebGLTexture | null = null;
  /** True while signs are gathered: then only what is chosen is drawn one by one. */
  clustered = false;

  /** What asks for a person, and what is chosen: a layer of its own, so that no name hides it. */
  readonly above: CustomLayerInterface = {
    id: "lights-above",
    type: "custom",
    renderingMode: "2d",
    render: (context) => this.draw(context, 1),
  };

  constructor(
    private readonly store: LightStore,
    private readonly view: () => AssetView,
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
    this.gl?.deleteTexture(this.symbols);
    this.symbols = null;
  }

  /** Asks for every mark anew, after the selection, the open one or the filter changed. */
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
    const positions = this.place(channel, new Float32Array(channel.size * 2));
    const moves = moving(channel);
    const vao = gl.createVertexArray();
    const position = gl.createBuffer();
    const state = gl.createBuffer();
    gl.bindVertexArray(vao);
    gl.bindBuffer(gl.ARRAY_BUFFER, position);
    gl.bufferData(gl.ARRAY_BUFFER, positions, moves ? gl.DYNAMIC_DRAW : gl.STATIC_DRAW);
    const at = (name: string) => gl.getAttribLocation(program, name);
    gl.enableVertexAttribArray(at("a_position"));
    gl.vertexAttribPointer(at("a_position"), 2, gl.FLOAT, false, 0, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, state);
    const raw = new ArrayBuffer(Math.max(1, channel.size) * bytesPerAsset);
    gl.bufferData(gl.ARRAY_BUFFER, raw.byteLength, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(at("a_face"));
    gl.vertexAttribIPointer(at("a_face"), 2, gl.UNSIGNED_BYTE, bytesPerAsset, 0);
    gl.enableVertexAttribArray(at("a_flags"));
    gl.vertexAttribIPointer(at("a_flags"), 1, gl.UNSIGNED_SHORT, bytesPerAsset, 2);
    gl.enableVertexAttribArray(at("a_at"));
    gl.vertexAttribPointer(at("a_at"), 1, gl.FLOAT, false, bytesPerAsset, 4);
    gl.bindVertexArray(null);
    const views = { bytes: new Uint8Array(raw), flags: new Uint16Array(raw), at: new Float32Array(raw) };
    return { channel, version: -1, vao, position, positions, state, ...views };
  }

  private place(channel: Channel, positions: Float32Array): Float32Array {
    for (let i = 0; i < channel.size; i++) {
      positions[2 * i] = mercatorX(channel.lon[i] ?? 0) - this.origin[0];
      positions[2 * i + 1] = mercatorY(channel.lat[i] ?? 0) - this.origin[1];
    }
    return positions;
  }

  /** The symbols' picture, made when it is first needed: in a frame, so that the map's own state is put right after. */
  private bindSymbols(gl: WebGL2RenderingContext): void {
    gl.activeTexture(gl.TEXTURE0);
    if (this.symbols) {
      gl.bindTexture(gl.TEXTURE_2D, this.symbols);
      return;
    }
    this.symbols = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.symbols);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, atlas.cell * atlas.columns, atlas.cell * atlas.rows, 0, gl.RED, gl.UNSIGNED_BYTE, drawAtlas());
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  }

  private *signs(): Generator<Source> {
    const { hidden } = this.view();
    for (const { channel, positions } of this.buffers.values()) {
      if (!channel.lamps && !hidden.has(channel.kind)) yield { channel, positions };
    }
  }

  /** The signs of the view gathered into clusters; null when each is shown by itself. */
  gather(): Cluster[] | null {
    const { map } = this;
    if (!map) return null;
    let many = 0;
    for (const { channel } of this.signs()) many += channel.size;
    const was = this.clustered;
    this.clustered = map.getZoom() < clusterZoom && many > mostFaces;
    if (was !== this.clustered) map.triggerRepaint();
    if (!this.clustered) return null;
    const bounds = map.getBounds();
    const [x, y] = [mercatorX(bounds.getWest()), mercatorY(bounds.getNorth())];
    const view = { x, y, width: mercatorX(bounds.getEast()) - x, height: mercatorY(bounds.getSouth()) - y };
    return clustersOf(this.signs(), this.origin, view, map.getZoom(), this.view());
  }

  private write(gl: WebGL2RenderingContext, buffers: Buffers): void {
    const { channel, bytes, flags, at, positions } = buffers;
    const { lamps } = channel;
    const levels = channel.values.get(lamps ? "dimmingLevel" : "heading");
    const remark = buffers.version === -1;
    for (let i = 0; i < channel.size; i++) {
      const level = levels?.[i] ?? NaN;
      const when = channel.at[i] ?? NaN;
      bytes[bytesPerAsset * i] = Number.isNaN(level) ? unknown : lamps ? level : Math.floor((level % 360) * turn);
      if (remark) bytes[bytesPerAsset * i + 1] = this.marks(channel.id[i] ?? 0);
      flags[4 * i + 1] = channel.flags[i] ?? 0;
      at[2 * i + 1] = Number.isNaN(when) ? -1e9 : when - this.epoch;
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers.state);
    gl.bufferSubData(gl.ARRAY_BUFFER, 0, bytes);
    if (moving(channel)) {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers.position);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, this.place(channel, positions));
    }
    buffers.version = channel.version;
  }

  private refresh(gl: WebGL2RenderingContext, program: WebGLProgram): void {
    for (const name of [...this.buffers.keys()]) {
      if (this.buffers.get(name)?.channel !== this.store.channels.get(name)) this.drop(name);
    }
    for (const channel of this.store.channels.values()) {
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
    const { now, live, promiseOf, shown, hidden, iconOf } = this.view();
    const radius = radiusAt(map.getZoom());
    const sign = signRadiusAt(map.getZoom());
    gl.useProgram(program);
    gl.uniform2f(
      this.uniform("u_offset"), this.origin[0] - mercatorX(center.lng), this.origin[1] - mercatorY(center.lat),
    );
    const width = canvas.width / ratio;
    const height = canvas.height / ratio;
    gl.uniform2f(this.uniform("u_scale"), (2 * world) / width, (-2 * world) / height);
    gl.uniform1f(this.uniform("u_now"), now - this.epoch);
    this.bindSymbols(gl);
    gl.uniform1i(this.uniform("u_symbols"), 0);
    gl.uniform2f(this.uniform("u_cells"), atlas.columns, atlas.rows);
    gl.uniform1f(this.uniform("u_ratio"), ratio);
    gl.uniform1i(this.uniform("u_live"), live ? 1 : 0);
    gl.uniform4i(this.uniform("u_shown"), Number(shown.normal), Number(shown.failures), Number(shown.silent), Number(shown.pending));
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.uniform1i(this.uniform("u_pass"), pass);
    for (const lampsNow of [true, false]) {
      for (const { channel, vao } of this.buffers.values()) {
        if (channel.lamps !== lampsNow || hidden.has(channel.kind)) continue;
        if (this.clustered && !lampsNow && pass === 0) continue;
        gl.uniform1f(this.uniform("u_promise"), promiseOf(channel.kind) ?? never);
        gl.uniform1f(this.uniform("u_radius"), lampsNow ? radius : sign);
        gl.uniform1i(this.uniform("u_icon"), lampsNow ? -1 : iconIndex(iconOf(channel.kind)));
        gl.uniform1i(this.uniform("u_chosen"), this.clustered && !lampsNow ? 1 : 0);
        gl.bindVertexArray(vao);
        gl.drawArrays(gl.POINTS, 0, channel.size);
      }
    }
    gl.bindVertexArray(null);
    if (!this.drawn && this.buffers.size > 0) {
      this.drawn = true;
      performance.mark("vigie.lights-drawn");
    }
  }
}
