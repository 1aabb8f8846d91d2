// A queue, a cache and a retry loop: endpoint and credentials come from the environment, as for
// `patterns.test.ts`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

import { Cache, enqueue, jobId, withBackoff, type Answer, type Store } from "./services.js";

const MODEL = process.env.MODEL_ID ?? assert.fail("MODEL_ID is not set");
const SCRIPT = `${process.env.AWS_ENDPOINT_URL}/_workshop/script`;

async function reply(when: string, ...errors: string[]) {
  const reply = errors.map((error) => ({ when: { prompt: when }, error, times: 1 }));
  const headers = { "content-type": "application/json" };
  const added = await fetch(SCRIPT, { method: "POST", headers, body: JSON.stringify({ reply }) });
  assert.ok(added.ok, await added.text());
}

test("a job sent twice is one job, and its message carries only the id", async () => {
  const sqs = new SQSClient({});
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: `jobs-${process.pid}` }));
  assert.ok(QueueUrl);
  const rows = new Map<string, string>();
  const table = {
    async submit(id: string, prompt: string) {
      if (!rows.has(id)) rows.set(id, prompt);
    },
  };
  const job = { user: "ann", request: "invoice 7", prompt: "Sum it up" };
  const id = await enqueue(QueueUrl, table, job);
  assert.equal(await enqueue(QueueUrl, table, job), id);
  assert.equal(rows.size, 1);
  assert.notEqual(jobId("ab", "c"), jobId("a", "bc"));
  const receive = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 });
  const { Messages = [] } = await sqs.send(receive);
  assert.deepEqual(Messages.map(({ Body }) => Body), Array(2).fill(JSON.stringify({ jobId: id })));
});

function memory(): Store {
  const items = new Map<string, { text: string; expiresAt: number }>();
  return {
    get: async (key) => items.get(key),
    put: async (key, item) => void items.set(key, item),
  };
}

test("an answer is good until its time is over, and callers at once share one", async () => {
  const cache = new Cache(memory());
  let fetched = 0;
  const fetch = async (): Promise<Answer> => ({ text: `answer ${(fetched += 1)}`, complete: true });
  const at = async (now: number) => (await cache.answer("key", now, 60, fetch)).text;
  assert.deepEqual(await Promise.all([at(1_000), at(1_000), at(1_000)]), Array(3).fill("answer 1"));
  assert.deepEqual([await at(1_059), await at(1_060), await at(1_061)], ["answer 1", "answer 2", "answer 2"]);
  assert.equal(fetched, 2);
});

test("what is cut off or failed is not kept", async () => {
  const cache = new Cache(memory());
  const outcomes: (() => Promise<Answer>)[] = [
    async () => ({ text: "Hel", complete: false }),
    async () => Promise.reject(new Error("no")),
    async () => ({ text: "Hello", complete: true }),
  ];
  const seen: string[] = [];
  for (const fetch of outcomes) {
    seen.push(await cache.answer("key", 0, 60, fetch).then(({ text }) => text, ({ message }) => message));
  }
  assert.deepEqual(seen, ["Hel", "no", "Hello"]);
});

test("what heals is tried again, and nothing else is", async () => {
  const client = new BedrockRuntimeClient({ maxAttempts: 1 });
  const policy = { maxAttempts: 3, baseMs: 10, capMs: 20, deadlineMs: 60_000 };
  const ask = async (text: string) => {
    let attempts = 0;
    const call = () => {
      attempts += 1;
      const messages = [{ role: "user" as const, content: [{ text }] }];
      return client.send(new ConverseCommand({ modelId: MODEL, messages }));
    };
    const outcome = await withBackoff(policy, call, () => 0).then(() => "answered", ({ name }) => name);
    return [outcome, attempts];
  };
  await reply("busy twice", "ThrottlingException", "ServiceUnavailableException");
  assert.deepEqual(await ask("busy twice"), ["answered", 3]);
  await reply("busy for ever", ...Array(3).fill("ThrottlingException"));
  assert.deepEqual(await ask("busy for ever"), ["ThrottlingException", 3]);
  await reply("never allowed", "AccessDeniedException");
  assert.deepEqual(await ask("never allowed"), ["AccessDeniedException", 1]);
});

test("no pause ends after the deadline", async () => {
  const busy = Object.assign(new Error("busy"), { name: "ThrottlingException" });
  let attempts = 0;
  const policy = { maxAttempts: 9, baseMs: 1_000, capMs: 1_000, deadlineMs: 500 };
  const call = async () => { attempts += 1; throw busy; };
  await assert.rejects(withBackoff(policy, call, () => 1), busy);
  assert.equal(attempts, 1);
});
