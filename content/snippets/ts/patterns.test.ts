// Runs the patterns against the emulator: MODEL_ID, AWS_ENDPOINT_URL and the credentials come from the
// environment (`eval "$(workshop env)"`).
import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { SQSEvent, SQSRecord } from "aws-lambda";

import { consume, handler, observed } from "./patterns.js";

const MODEL = process.env.MODEL_ID ?? assert.fail("MODEL_ID is not set");
const SCRIPT = `${process.env.AWS_ENDPOINT_URL}/_workshop/script`;
const event = (body: unknown) => ({ body: typeof body === "string" ? body : JSON.stringify(body) });

// Only prompts with these words fail: others may use the same emulator.
before(async () => {
  const reply = [
    { when: { prompt: "throttle this one" }, error: "ThrottlingException" },
    { when: { prompt: "deny this one" }, error: "AccessDeniedException" },
  ];
  const headers = { "content-type": "application/json" };
  const added = await fetch(SCRIPT, { method: "POST", headers, body: JSON.stringify({ reply }) });
  assert.ok(added.ok, await added.text());
});

test("the proxy answers each event with a status of its own", async () => {
  const rows: [Parameters<typeof handler>[0], number][] = [
    [event({ prompt: "Say hello" }), 200],
    [{ body: Buffer.from('{"prompt":"Say hello"}').toString("base64"), isBase64Encoded: true }, 200],
    [{}, 400],
    [{ body: null }, 400],
    [event("{"), 400],
    [event("null"), 422],
    [event([]), 422],
    [event({ prompt: "  " }), 422],
    [event({ prompt: 7 }), 422],
    [event({ prompt: "x".repeat(30_000) }), 413],
    [event({ prompt: "throttle this one" }), 429],
    [event({ prompt: "deny this one" }), 502],
  ];
  for (const [input, status] of rows) {
    const answer = await handler(input);
    assert.equal(answer.statusCode, status, JSON.stringify(input).slice(0, 80));
    assert.equal(answer.headers?.["content-type"], "application/json");
    assert.doesNotMatch(answer.body, /arn:aws|AccessDenied/);
    JSON.parse(answer.body);
  }
});

test("one failure of a batch comes again alone", async () => {
  const record = (messageId: string) => ({ messageId, body: messageId }) as SQSRecord;
  const batch: SQSEvent = { Records: ["a", "b", "c"].map(record) };
  const work = ({ body }: SQSRecord) => {
    if (body === "b") throw new Error("not now");
  };
  assert.deepEqual(await consume(batch, work), { batchItemFailures: [{ itemIdentifier: "b" }] });
});

test("each call writes a line, and says no prompt", async () => {
  const lines: Record<string, any>[] = [];
  const log = (line: string) => void lines.push(JSON.parse(line));
  await observed(MODEL, "Say hello", log);
  await assert.rejects(observed(MODEL, "throttle this one", log), { name: "ThrottlingException" });
  assert.equal(lines.length, 2);
  const [good, bad] = lines as [Record<string, any>, Record<string, any>];
  assert.ok(good.InputTokens > 0 && good.OutputTokens > 0 && good.Failures === 0);
  assert.deepEqual([bad.Failures, bad.Throttles, "InputTokens" in bad], [1, 1, false]);
  assert.ok(good.RequestId && bad.RequestId && good.DurationMs >= 0);
  for (const line of lines) {
    const [directive] = line._aws.CloudWatchMetrics;
    for (const { Name } of directive.Metrics) assert.equal(typeof line[Name], "number", Name);
    assert.doesNotMatch(JSON.stringify(line), /hello|this one/i);
  }
});
