// What surrounds a call in TypeScript, as the posts show it: a job sent to a queue, a cache of
// answers, a retry loop. `services.test.ts` runs all of it, the calls against the emulator.

// region: enqueue
import { createHash } from "node:crypto";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});

/** Where jobs are kept: DynamoDB, in production. */
export interface JobTable {
  /** Stores the job unless it is there already. */
  submit(id: string, prompt: string): Promise<void>;
}

/**
 * The same request of the same user is the same job, however often it is sent. `request` is chosen
 * by the caller once for each thing it wants done. Not a time.
 */
export function jobId(user: string, request: string): string {
  const both = JSON.stringify([user, request]); // unambiguous: ("ab", "c") is not ("a", "bc")
  return createHash("sha256").update(both).digest("base64url");
}

/** Stores the job, then sends its id: neither prompt nor user travels through the queue. */
export async function enqueue(
  queueUrl: string,
  table: JobTable,
  job: { user: string; request: string; prompt: string },
): Promise<string> {
  const id = jobId(job.user, job.request);
  await table.submit(id, job.prompt);
  await sqs.send(
    new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify({ jobId: id }) }),
  );
  return id;
}
// endregion: enqueue

// region: single-flight
/** An answer; what is not `complete` (cut off, blocked) is passed on, but not kept. */
export interface Answer {
  text: string;
  complete: boolean;
}

/** DynamoDB, Redis or memory. May still return what has expired: DynamoDB deletes late. */
export interface Store {
  get(key: string): Promise<{ text: string; expiresAt: number } | undefined>;
  put(key: string, item: { text: string; expiresAt: number }): Promise<void>;
}

export class Cache {
  readonly #flights = new Map<string, Promise<Answer>>();
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * The stored answer, or what `fetch` brings. Callers with the same key at the same time share one
   * fetch, its failure included; the next one after them starts afresh. Times are in seconds.
   */
  answer(key: string, now: number, ttl: number, fetch: () => Promise<Answer>): Promise<Answer> {
    const known = this.#flights.get(key);
    if (known) return known;
    const flight = this.#ask(key, now, ttl, fetch).finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  async #ask(key: string, now: number, ttl: number, fetch: () => Promise<Answer>): Promise<Answer> {
    // The time to live is judged here, not by the store.
    const stored = await this.#store.get(key);
    if (stored && now < stored.expiresAt) return { text: stored.text, complete: true };
    const answer = await fetch();
    if (answer.complete) {
      await this.#store.put(key, { text: answer.text, expiresAt: now + ttl });
    }
    return answer;
  }
}
// endregion: single-flight

// region: backoff
import { setTimeout as sleep } from "node:timers/promises";

export interface Policy {
  maxAttempts: number;
  /** Upper end of the first pause. */
  baseMs: number;
  /** Upper end of every pause. */
  capMs: number;
  /** No pause ends later than this after the first attempt began. */
  deadlineMs: number;
}

/** What heals by waiting. Everything else fails again, and is paid for again. */
const HEALS = new Set([
  "ThrottlingException",
  "ModelNotReadyException",
  "ServiceUnavailableException",
  "InternalServerException",
  "ModelTimeoutException",
  "TimeoutError",
]);

/**
 * Runs `attempt` until it succeeds or the policy gives up. The client below it is made with
 * `maxAttempts: 1`: retries live in one layer.
 */
export async function withBackoff<T>(
  policy: Policy,
  attempt: () => Promise<T>,
  random: () => number = Math.random,
): Promise<T> {
  const begin = performance.now();
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      const heals = error instanceof Error && HEALS.has(error.name);
      // Full jitter, from nothing to the doubled limit: clients that failed together come back apart.
      const pause = Math.min(policy.capMs, policy.baseMs * 2 ** (failures - 1)) * random();
      const late = performance.now() - begin + pause > policy.deadlineMs;
      if (!heals || failures >= policy.maxAttempts || late) throw error;
      await sleep(pause);
    }
  }
}
// endregion: backoff
