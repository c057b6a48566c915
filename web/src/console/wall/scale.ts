/** The wall's type: 20 px on 1080 lines, 40 on 2160, and larger the farther one stands (1: one screen's width and a half). */
export function typeOf(lines: number, distance: number): number {
  const factor = Number.isFinite(distance) && distance > 0 ? Math.min(4, Math.max(1, distance)) : 1;
  return Math.max(20, Math.round((lines / 54) * factor));
}
