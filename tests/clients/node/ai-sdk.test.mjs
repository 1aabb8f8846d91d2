// Vercel's AI SDK: signs and parses for itself, speaks Converse.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { APICallError, generateObject, generateText, jsonSchema, RetryError, stepCountIs, streamText, tool } from "ai";
import { Emulator, longText, models, notApplicable, weather, withEmulator, assertWeather } from "./workshop.mjs";

describe("Vercel AI SDK", () => {
  let emulator;
  // It reads region and keys from the environment, but not the address.
  const bedrock = (options = {}) =>
    createAmazonBedrock({ baseURL: process.env.AWS_ENDPOINT_URL_BEDROCK_RUNTIME, ...options });
  const ask = (prompt, more = {}) => ({ model: bedrock()(models.haiku), maxRetries: 0, prompt, ...more });
  const asked = [];
  const tools = {
    weather: tool({
      description: "The weather in a city.",
      inputSchema: jsonSchema(weather),
      execute: (input) => {
        asked.push(input);
        return "hail, 7 degrees";
      },
    }),
  };

  before(async () => {
    emulator = (await Emulator.start()).use();
  });
  after(() => emulator.stop());

  test("plain: generateText", async () => {
    const { text, finishReason, usage } = await generateText(ask("Name one river.", { system: "You are brief." }));
    assert.ok(text);
    assert.equal(finishReason, "stop");
    assert.equal(usage.totalTokens, usage.inputTokens + usage.outputTokens);
  });

  test("stream: streamText", async () => {
    const result = streamText(ask("Tell me about tides."));
    const pieces = [];
    for await (const piece of result.textStream) pieces.push(piece);
    assert.ok(pieces.length > 1);
    assert.ok((await result.usage).outputTokens > 0);
  });

  test("tools: called, and their results used", async () => {
    const { text } = await generateText(
      ask("Use the weather tool for the city Lisbon.", { tools, stopWhen: stepCountIs(3) }),
    );
    assert.equal(asked.length, 1);
    assert.equal(asked[0].city, "Lisbon");
    assert.match(text, /hail/);
  });

  test("tools: forced, in a stream", async () => {
    const result = streamText(ask("Lisbon, 3 days", { tools, toolChoice: { type: "tool", toolName: "weather" } }));
    const [call] = await result.toolCalls;
    assertWeather(call.input);
  });

  test("structured: generateObject", async () => {
    const { object } = await generateObject(ask("Lisbon, 3 days", { schema: jsonSchema(weather) }));
    assertWeather(object);
  });

  test("errors: carry status, body and message", async () => {
    const refused = (model, statusCode) =>
      assert.rejects(generateText(ask("x", { model })), (error) => {
        assert.ok(APICallError.isInstance(error));
        assert.equal(error.statusCode, statusCode);
        return true;
      });
    await refused(bedrock()("no.such-model"), 400);
    await refused(bedrock()(models.ended), 404);
    await refused(bedrock({ accessKeyId: "AKIANOBODY0000000000", secretAccessKey: "wrong" })(models.haiku), 403);
  });

  test("retries: throttled calls and nothing else", () =>
    withEmulator({ settings: "requests_per_minute = 1\n" }, emulator, async (own) => {
      await generateText(ask("x"));
      await assert.rejects(generateText(ask("x", { maxRetries: 1 })), (error) => RetryError.isInstance(error));
      await assert.rejects(generateText(ask("x", { model: bedrock()("no.such-model"), maxRetries: 1 })), APICallError.isInstance);
      assert.deepEqual((await own.requests(4)).map((e) => e.status), [200, 429, 429, 400]);
    }));

  test("caching: writes, then reads", async () => {
    const cachePoint = { bedrock: { cachePoint: { type: "default" } } };
    const system = { role: "system", content: longText(models.cache_minimum, "vercel"), providerOptions: cachePoint };
    const run = (content) =>
      generateText({ ...ask(undefined), messages: [system, { role: "user", content }], allowSystemInMessages: true });
    const first = await run("One?");
    const second = await run("Two?");
    const written = first.usage.inputTokenDetails.cacheWriteTokens;
    assert.ok(written > 0);
    assert.equal(second.usage.inputTokenDetails.cacheReadTokens, written);
  });

  test("thinking: comes back signed, and verifies", async () => {
    const providerOptions = { bedrock: { reasoningConfig: { type: "enabled", budgetTokens: 1024 } } };
    const result = await generateText(
      ask("Use the weather tool for the city Lisbon.", { tools, stopWhen: stepCountIs(3), providerOptions }),
    );
    assert.ok(result.steps[0].reasoningText);
    assert.ok(result.steps[0].reasoning[0].providerMetadata.bedrock.signature);
    assert.ok(result.steps.length > 1 && result.text);
  });

  notApplicable("counting", "the AI SDK has no token counting");
});
