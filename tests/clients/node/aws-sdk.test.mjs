// The AWS SDK for JavaScript v3, with its default handler (HTTP/2 with prior knowledge) and with
// the one for HTTP/1.1.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { realpathSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  CountTokensCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { assertWeather, Emulator, longText, models, weather, withEmulator } from "./workshop.mjs";

const ask = (text) => [{ role: "user", content: [{ text }] }];
const tools = { tools: [{ toolSpec: { name: "weather", description: "The weather in a city.", inputSchema: { json: weather } } }] };
const textOf = (out) => out.output.message.content.map((block) => block.text ?? "").join("");
const messages = (text, more = {}) =>
  JSON.stringify({ anthropic_version: "bedrock-2023-05-31", max_tokens: 60, messages: [{ role: "user", content: text }], ...more });
const decode = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

async function collect(stream) {
  const events = [];
  for await (const event of stream) events.push(Object.entries(event)[0]);
  return events;
}

function suite(name, handlerName, options) {
  describe(name, () => {
    let emulator;
    const open = [];
    const client = (more = {}) => {
      open.push(new BedrockRuntimeClient({ maxAttempts: 1, ...options(), ...more }));
      return open.at(-1);
    };
    const converse = (text, more = {}) => client().send(new ConverseCommand({ modelId: models.haiku, messages: ask(text), ...more }));
    const converseStream = async (text, more = {}) => {
      const out = await client().send(new ConverseStreamCommand({ modelId: models.haiku, messages: ask(text), ...more }));
      return collect(out.stream);
    };

    before(async () => {
      emulator = (await Emulator.start()).use();
    });
    after(async () => {
      for (const one of open) one.destroy();
      await emulator.stop();
    });

    test(`plain: the handler is ${handlerName}`, () => {
      assert.equal(client().config.requestHandler.constructor.name, handlerName);
    });

    test("plain: Converse", async () => {
      const out = await converse("Name one river.");
      assert.equal(out.stopReason, "end_turn");
      assert.ok(textOf(out));
      assert.equal(out.usage.totalTokens, out.usage.inputTokens + out.usage.outputTokens);
    });

    test("plain: InvokeModel in the Messages dialect", async () => {
      const out = await client().send(new InvokeModelCommand({ modelId: models.haiku, body: messages("Hello") }));
      assert.equal(decode(out.body).type, "message");
    });

    test("stream: ConverseStream is paced", () =>
      withEmulator({ paced: true }, emulator, async () => {
        const out = await client().send(
          new ConverseStreamCommand({ modelId: models.haiku, messages: ask("Tell me about tides."), inferenceConfig: { maxTokens: 30 } }),
        );
        const arrivals = [];
        for await (const _ of out.stream) arrivals.push(performance.now());
        assert.ok(arrivals.at(-1) - arrivals[0] > 20, "the frames came in one piece");
      }));

    test("stream: ConverseStream in the recorded order", async () => {
      const kinds = (await converseStream("Tell me about tides.")).map(([kind]) => kind);
      assert.equal(kinds[0], "messageStart");
      assert.deepEqual(kinds.slice(-3), ["contentBlockStop", "messageStop", "metadata"]);
      assert.ok(!kinds.includes("contentBlockStart"));
    });

    test("stream: InvokeModelWithResponseStream", async () => {
      const out = await client().send(
        new InvokeModelWithResponseStreamCommand({ modelId: models.haiku, body: messages("Hello") }),
      );
      const chunks = (await collect(out.body)).map(([, chunk]) => decode(chunk.bytes));
      assert.equal(chunks[0].type, "message_start");
      assert.ok(chunks.at(-1)["amazon-bedrock-invocationMetrics"].outputTokenCount > 0);
    });

    test("tools: forced", async () => {
      const out = await converse("Lisbon, 3 days", { toolConfig: { ...tools, toolChoice: { any: {} } } });
      assert.equal(out.stopReason, "tool_use");
      assertWeather(out.output.message.content.find((block) => block.toolUse).toolUse.input);
    });

    test("tools: in a stream, and the result is used", async () => {
      const question = "Use the weather tool for the city Lisbon.";
      const events = await converseStream(question, { toolConfig: tools });
      const start = events.find(([kind]) => kind === "contentBlockStart")[1].start.toolUse;
      const json = events.map(([, event]) => event.delta?.toolUse?.input ?? "").join("");
      const input = JSON.parse(json);
      assert.equal(input.city, "Lisbon");
      const turns = [
        ...ask(question),
        { role: "assistant", content: [{ toolUse: { ...start, input } }] },
        { role: "user", content: [{ toolResult: { toolUseId: start.toolUseId, content: [{ text: "hail, 7 degrees" }] } }] },
      ];
      const out = await client().send(new ConverseCommand({ modelId: models.haiku, messages: turns, toolConfig: tools }));
      assert.match(textOf(out), /hail/);
    });

    test("structured: by outputConfig", async () => {
      const schema = JSON.stringify({ ...weather, additionalProperties: false });
      const out = await converse("Lisbon, 3 days", {
        outputConfig: { textFormat: { type: "json_schema", structure: { jsonSchema: { schema } } } },
      });
      assertWeather(JSON.parse(textOf(out)));
    });

    test("errors: are typed", async () => {
      const refused = (more, expected) =>
        assert.rejects(client().send(new ConverseCommand({ modelId: models.haiku, messages: ask("x"), ...more })), expected);
      await refused({ modelId: "no.such-model" }, { name: "ValidationException", message: "The provided model identifier is invalid." });
      await refused({ modelId: models.ended }, { name: "ResourceNotFoundException" });
      const credentials = { accessKeyId: "AKIANOBODY0000000000", secretAccessKey: "wrong" };
      await assert.rejects(
        client({ credentials }).send(new ConverseCommand({ modelId: models.haiku, messages: ask("x") })),
        { name: "UnrecognizedClientException", message: "The security token included in the request is invalid." },
      );
    });

    test("retries: throttled calls and nothing else", () =>
      withEmulator({ settings: "requests_per_minute = 1\n" }, emulator, async (own) => {
        const patient = client({ maxAttempts: 3 });
        const send = (modelId) => patient.send(new ConverseCommand({ modelId, messages: ask("x") }));
        await send(models.haiku);
        await assert.rejects(send(models.haiku), { name: "ThrottlingException" });
        await assert.rejects(send("no.such-model"), { name: "ValidationException" });
        const [, ...rest] = await own.requests(5);
        assert.deepEqual(rest.map((e) => [e.status, e.attempt]), [[429, 1], [429, 2], [429, 3], [400, 1]]);
        assert.equal(new Set(rest.slice(0, 3).map((e) => e.invocation)).size, 1);
      }));

    test("caching: writes, then reads", async () => {
      const system = [{ text: longText(models.cache_minimum, handlerName) }, { cachePoint: { type: "default" } }];
      const first = (await converse("One?", { system })).usage;
      const second = (await converse("Two?", { system })).usage;
      assert.ok(first.cacheWriteInputTokens > 0);
      assert.equal(second.cacheReadInputTokens, first.cacheWriteInputTokens);
    });

    test("thinking: signatures verify", async () => {
      const thinking = {
        inferenceConfig: { maxTokens: 2000 },
        additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 1024 } },
        toolConfig: tools,
      };
      const question = "Use the weather tool for the city Lisbon.";
      const { message } = (await converse(question, thinking)).output;
      assert.ok(message.content[0].reasoningContent.reasoningText.signature);
      const results = message.content
        .filter((block) => block.toolUse)
        .map(({ toolUse }) => ({ toolResult: { toolUseId: toolUse.toolUseId, content: [{ text: "hail" }] } }));
      const next = () =>
        converse("", { ...thinking, messages: [...ask(question), message, { role: "user", content: results }] });
      assert.equal((await next()).stopReason, "end_turn");
      message.content[0].reasoningContent.reasoningText.text += " But no.";
      await assert.rejects(next(), { name: "ValidationException" });
    });

    test("counting: is what usage says", async () => {
      const input = { converse: { messages: ask("Name one river.") } };
      const { inputTokens } = await client().send(new CountTokensCommand({ modelId: models.base, input }));
      assert.equal(inputTokens, (await converse("Name one river.")).usage.inputTokens);
    });

    if (handlerName === "NodeHttp2Handler") {
      test("plain: the TypeScript shown in the posts has its types and runs as it stands", () => {
        const here = realpathSync(fileURLToPath(import.meta.url));
        const cwd = fileURLToPath(new URL("../../../content/snippets/ts/", `file://${here}`));
        const env = { ...process.env, MODEL_ID: models.haiku };
        // Throws, with what it printed, where types do not fit; writes target/*.js otherwise.
        execFileSync(process.execPath, ["node_modules/typescript/bin/tsc"], { cwd, encoding: "utf8", env });
        const out = execFileSync(process.execPath, ["target/direct.js", "Say hello"], { cwd, encoding: "utf8", env });
        assert.match(out, /hello/i);
        // Throws, with what it printed, when a test of it fails. Without the mark of the outer runner, or it
        // would report in the runner's own format.
        delete env.NODE_TEST_CONTEXT;
        execFileSync(process.execPath, ["--test", "target/patterns.test.js", "target/services.test.js"], { cwd, encoding: "utf8", env });
      });
    }
  });
}

suite("AWS SDK for JavaScript, HTTP/2", "NodeHttp2Handler", () => ({}));
suite("AWS SDK for JavaScript, HTTP/1.1", "NodeHttpHandler", () => ({ requestHandler: new NodeHttpHandler() }));
