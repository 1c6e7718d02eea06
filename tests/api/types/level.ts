// The types of the adapter to abstract-level: this is compiled, and never runs.

import { SelkieLevel } from "selkie/level";

interface User {
  name: string;
}

export async function adapter(): Promise<void> {
  const level = new SelkieLevel<string, User>("users", {
    valueEncoding: "json",
    storage: "auto",
    durability: "buffered",
  });
  await level.put("a", { name: "Ada" }, { durability: "immediate" });
  await level.put("a", { name: "Ada" }, { sync: true });
  await level.del("a", { sync: true });
  await level.batch(
    [
      { type: "put", key: "a", value: { name: "A" } },
      { type: "del", key: "b" },
    ],
    { sync: true },
  );
  await level.batch().put("a", { name: "A" }).write();
  const user: User | undefined = await level.get("a");
  const now: User | undefined = level.getSync("a");
  for await (const [key, value] of level.iterator({ gte: "a" })) void [key.length, value.name];
  const sublevel = level.sublevel<string, number>("numbers", { valueEncoding: "json" });
  await sublevel.put("n", 5);
  const count: number | undefined = level.database?.count();
  await using snapshot = level.snapshot();
  void [user, now, count, snapshot];
  await level.close();
  // @ts-expect-error a user has a name
  await level.put("a", { age: 5 });
  // @ts-expect-error there is no such level
  await level.put("a", { name: "A" }, { durability: "fast" });
  // @ts-expect-error there is no such storage
  new SelkieLevel("x", { storage: "disk" });
}
