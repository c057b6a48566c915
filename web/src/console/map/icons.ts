/** The symbols of kinds, as strokes on a square of 24: bold and few, so that they can be told apart at the size of a map's sign. */
export const icons: Readonly<Record<string, string>> = {
  dot: "M12 12h.01",
  streetlight: "M7 21V7a4 4 0 0 1 8 0M12 8h6l1 4h-8z",
  cabinet: "M6 3h12v18H6zM12 3v18M9 12v2M15 12v2",
  signals: "M8 2h8v20H8zM12 6.500h.01M12 12h.01M12 17.500h.01",
  signal_group: "M12 3a5 5 0 0 1 0 10a5 5 0 0 1 0-10M12 13v9M12 8h.01",
  detector: "M4 6h16v12H4zM9 12h6",
  bus: "M5 4h14v13H5zM5 11h14M8 17v4M16 17v4",
  parking: "M8 21V4h5a5 5 0 0 1 0 10H8",
  building: "M5 21V4h14v17M3 21h18M9.500 9h.01M14.500 9h.01M9.500 14h.01M14.500 14h.01",
  zone: "M9 4H4v5M15 4h5v5M20 15v5h-5M9 20H4v-5M12 8v5M12 16.500h.01",
  fire: "M12 3c1 4 6 6 6 11a6 6 0 0 1-12 0c0-2 1-4 3-5c0 2 1 3 2 3c-1-3 0-7 1-9z",
  intrusion: "M12 3l8 3v6c0 5-4 8-8 9c-4-1-8-4-8-9V6z",
  door: "M6 21V3h12v18M3 21h18M14 12h.01",
  technical: "M4 7h9M18 7h2M4 17h2M11 17h9M15.500 4.500v5M8.500 14.500v5",
  meter: "M4 18v-5a8 8 0 0 1 16 0v5zM12 14l4-4",
  bollard: "M8 20V7a4 4 0 0 1 8 0v13M8 12h8M4 20h16",
  camera: "M3 7h12v10H3zM15 11l6-3v8l-6-3",
  vehicle: "M3 17v-5l3-1l2-5h8l2 5l3 1v5zM7 17v3M17 17v3",
  radio: "M7 9h10v12H7zM9 9V2M11 14h2",
  weather: "M7 19a4 4 0 0 1 0-8a5 5 0 0 1 10-1a4.500 4.500 0 0 1 0 9z",
  road: "M6 21L9.500 3M18 21L14.500 3M12 5v2M12 11v2M12 17v2",
  river: "M3 8c3-3 6 3 9 0s6 3 9 0M3 16c3-3 6 3 9 0s6 3 9 0",
  rain: "M12 3c4 5 6 8 6 11a6 6 0 0 1-12 0c0-3 2-6 6-11z",
  waste: "M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M12 11v6",
  switch: "M3 8h18v8H3zM7 12h.01M11 12h.01M15 12h.01M6 16v4M18 16v4",
  fibre: "M3 12h5c4 0 4-7 8-7h5M8 12c4 0 4 7 8 7h5",
};

const names = Object.keys(icons);
export const iconIndex = (name: string): number => Math.max(0, names.indexOf(name));

export const atlas = { cell: 64, columns: 8, rows: Math.ceil(names.length / 8) } as const;

/** All symbols in one picture, a byte a pixel: how much of it is covered. */
export function drawAtlas(): Uint8Array {
  const canvas = document.createElement("canvas");
  canvas.width = atlas.cell * atlas.columns;
  canvas.height = atlas.cell * atlas.rows;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const covered = new Uint8Array(canvas.width * canvas.height);
  if (!context) return covered;
  context.lineCap = context.lineJoin = "round";
  names.forEach((name, i) => {
    const margin = 6;
    const scale = (atlas.cell - 2 * margin) / 24;
    const x = (i % atlas.columns) * atlas.cell + margin;
    const y = Math.floor(i / atlas.columns) * atlas.cell + margin;
    context.setTransform(scale, 0, 0, scale, x, y);
    context.lineWidth = name === "dot" ? 8 : 2.6;
    context.stroke(new Path2D(icons[name]));
  });
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < covered.length; i++) covered[i] = data[4 * i + 3] ?? 0;
  return covered;
}
