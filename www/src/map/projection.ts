/** The Equal Earth projection (Šavrič, Patterson, Jenny 2018): areas keep their proportions, and one formula does. */

const A1 = 1.340264;
const A2 = -0.081106;
const A3 = 0.000893;
const A4 = 0.003796;
const M = Math.sqrt(3) / 2;
const RADIANS = Math.PI / 180;

/** People live between these latitudes; the map leaves out what is beyond. */
const NORTH = 81;
const SOUTH = -57;

function raw(latitude: number, longitude: number): [x: number, y: number] {
  const l = Math.asin(M * Math.sin(latitude * RADIANS));
  const l2 = l * l;
  const l6 = l2 * l2 * l2;
  const x = (longitude * RADIANS * Math.cos(l)) / (M * (A1 + 3 * A2 * l2 + l6 * (7 * A3 + 9 * A4 * l2)));
  return [x, l * (A1 + A2 * l2 + l6 * (A3 + A4 * l2))];
}

const RIGHT = raw(0, 180)[0];
const TOP = raw(NORTH, 0)[1];
const BOTTOM = raw(SOUTH, 0)[1];

/** Width by height. */
export const ASPECT = (2 * RIGHT) / (TOP - BOTTOM);

/** Both between 0 and 1, from the left and from the top. */
export function project(latitude: number, longitude: number): [x: number, y: number] {
  const [x, y] = raw(latitude, longitude);
  return [(x + RIGHT) / (2 * RIGHT), (TOP - y) / (TOP - BOTTOM)];
}

/** The lines of every thirtieth degree, as lists of points. */
export function graticule(): [x: number, y: number][][] {
  const lines: [number, number][][] = [];
  const degrees = (from: number, to: number, step: number) =>
    Array.from({ length: (to - from) / step + 1 }, (_, i) => from + i * step);
  for (const longitude of degrees(-180, 180, 30))
    lines.push(degrees(SOUTH, NORTH, 3).map((latitude) => project(latitude, longitude)));
  for (const latitude of [-30, 0, 30, 60])
    lines.push(degrees(-180, 180, 5).map((longitude) => project(latitude, longitude)));
  return lines;
}
