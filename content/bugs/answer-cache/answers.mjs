import { createHash } from "node:crypto";
import { ask } from "./ask.mjs";
// The store is our DAX cluster: any key, any value, and quick.
import { store } from "./dax-store.mjs"; // get(key), set(key, text, seconds)

const HOUR = 3_600;

function keyOf(text) {
  return createHash("sha256").update(text).digest("hex");
}

/** The rules that a trip breaks, one a line; nothing if it breaks none. */
export async function checkTrip(tenant, trip) {
  const key = keyOf(trip);
  const kept = await store.get(key);
  if (kept) return kept;

  const { text } = await ask({
    model: tenant.model,
    system: tenant.rules,
    prompt: trip,
    maxTokens: 200,
  });
  await store.set(key, text, HOUR);
  return text;
}
