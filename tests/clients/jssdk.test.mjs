// The AWS SDK for JavaScript v3 as a judge of the emulator: its default client speaks HTTP/2 with
// prior knowledge. The printed `workshop env` is all it gets.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
} from "@aws-sdk/client-bedrock-runtime";

const workshop = process.env.WORKSHOP_BIN;
let emulator, client, model;

before(async () => {
  emulator = spawn(workshop, ["emulator", "--addr", "127.0.0.1:0", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await new Promise((resolve, reject) => {
    let text = "";
    emulator.stdout.on("data", (data) => {
      text += data;
      if (text.includes("\n")) resolve(JSON.parse(text.slice(0, text.indexOf("\n"))).emulator);
    });
    emulator.on("exit", (code) => reject(new Error(`the emulator ended with ${code}`)));
  });
  const args = ["env", "--shell", "json", "--emulator-addr", url.replace("http://", "")];
  const env = JSON.parse(execFileSync(workshop, args, { encoding: "utf8" }));
  for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name];
  Object.assign(process.env, env);
  model = env.ANTHROPIC_DEFAULT_HAIKU_MODEL;
  client = new BedrockRuntimeClient({ maxAttempts: 1 });
});

after(() => {
  client?.destroy();
  emulator?.kill();
});

const ask = (text) => [{ role: "user", content: [{ text }] }];

test("the default client speaks HTTP/2", () => {
  assert.equal(client.config.requestHandler.constructor.name, "NodeHttp2Handler");
});

test("Converse answers", async () => {
  const out = await client.send(
    new ConverseCommand({ modelId: model, messages: ask("Hello"), inferenceConfig: { maxTokens: 30 } }),
  );
  assert.ok(out.output.message.content[0].text.length > 0);
  assert.equal(out.usage.totalTokens, out.usage.inputTokens + out.usage.outputTokens);
});

test("ConverseStream is paced", async () => {
  const { stream } = await client.send(
    new ConverseStreamCommand({ modelId: model, messages: ask("Tell me about tides in five sentences.") }),
  );
  const kinds = [];
  const arrivals = [];
  for await (const event of stream) {
    kinds.push(Object.keys(event)[0]);
    arrivals.push(performance.now());
  }
  assert.equal(kinds[0], "messageStart");
  assert.deepEqual(kinds.slice(-2), ["messageStop", "metadata"]);
  assert.ok(kinds.filter((k) => k === "contentBlockDelta").length > 2);
  assert.ok(arrivals.at(-1) - arrivals[0] > 20, "the frames came in one piece");
});

test("InvokeModel answers in Claude's Messages dialect", async () => {
  const body = JSON.stringify({
    anthropic_version: "bedrock-2023-05-31",
    max_tokens: 30,
    messages: [{ role: "user", content: "Hello" }],
  });
  const out = await client.send(new InvokeModelCommand({ modelId: model, body }));
  assert.equal(JSON.parse(new TextDecoder().decode(out.body)).type, "message");
});

test("errors are typed", async () => {
  await assert.rejects(
    client.send(new ConverseCommand({ modelId: "no.such-model", messages: ask("x") })),
    { name: "ValidationException", message: "The provided model identifier is invalid." },
  );
});

test("the JavaScript shown in the patterns article runs as it stands", () => {
  const cwd = fileURLToPath(new URL("../../content/snippets/ts/", import.meta.url));
  const out = execFileSync(process.execPath, ["direct.mjs", "Say hello"], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, MODEL_ID: model },
  });
  assert.match(out, /hello/i);
});
