/** Reads the places of one moment into points, in slices; the picture is replaced when it is complete, or grows at the first time. */

import type { Reader } from "selkie";
import type { Position } from "../data/cities";
import { inSlices } from "../data/pace";
import type { WorldMap } from "./map";
import { Points } from "./points";

export async function fillMap(
  map: WorldMap,
  names: Reader<string, Position>,
  signal: AbortSignal,
): Promise<number | undefined> {
  const points = new Points();
  const isFirst = map.points.length === 0;
  if (isFirst) map.show(points);
  const add = ([latitude, longitude]: Position) => points.add(latitude, longitude);
  const isDone = await inSlices(names.values(), add, signal, () => isFirst && map.grew());
  if (!isDone) return undefined;
  map.show(points);
  return points.length;
}
