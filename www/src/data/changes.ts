/** What one commit changed in the places: before and after, both read from the past. */

import type { Store } from "../store/store";
import type { City } from "./cities";

export interface PlaceChange {
  key: string;
  title: string;
  before: City | undefined;
  after: City | undefined;
  /** Where to point on the map. */
  city: City | undefined;
}

export async function changesOf({ db, keyspaces: { cities } }: Store, version: number): Promise<PlaceChange[]> {
  for await (const commit of cities.changes({ since: version - 1, live: false })) {
    if (commit.version !== version) break;
    const view = db.at(version - 1);
    try {
      const before = view.keyspace(cities).getMany(commit.changes.map(({ key }) => key));
      return commit.changes.map(({ key, value }, i) => {
        const city = value ?? before[i];
        return { key, title: city?.name ?? key, before: before[i], after: value, city };
      });
    } finally {
      view.close();
    }
  }
  return [];
}
