// Anthropic's TypeScript SDK on Anthropic's own paths on Bedrock (`bedrock-mantle`).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AnthropicBedrockMantle } from "@anthropic-ai/bedrock-sdk";
import { assertWeather, Emulator, longText, models, weather, withEmulator } from "./workshop.mjs";

const ask = (content) => [{ role: "user", content }];
const tools = [{ name: "weather", description: "The weather in a city.", input_schema: weather }];
const textOf = (message) => message.content.map((block) => block.text ?? "").join("");

describe("anthropic (TypeScript), AnthropicBedrockMantle", () => {
  let emulator;
  const client = (more = {}) => new AnthropicBedrockMantle({ maxRetries: 0, ...more });
  const params = (content, more) => ({ model: models.current_base, max_tokens: 300, messages: ask(content), ...more });
  const create = (content, more = {}) => client().messages.create(params(content, more));

  before(async () => {
    emulator = (await Emulator.start()).use();
  });
  after(() => emulator.stop());

  test("plain: messages.create", async () => {
    const message = await create("Name one river.", { system: "You are brief." });
    assert.equal(message.stop_reason, "end_turn");
    assert.ok(textOf(message));
    assert.match(message._request_id, /^req_/);
  });

  test("stream: accumulates to a message", async () => {
    const stream = client().messages.stream(params("Tell me about tides."));
    let text = "";
    stream.on("text", (delta) => (text += delta));
    const message = await stream.finalMessage();
    assert.ok(text.length > 10);
    assert.equal(textOf(message), text);
  });

  test("tools: forced, whole and in a stream", async () => {
    const forced = { tools, tool_choice: { type: "tool", name: "weather" } };
    const message = await create("Lisbon, 3 days", forced);
    assert.equal(message.stop_reason, "tool_use");
    assertWeather(message.content.find((block) => block.type === "tool_use").input);
    const streamed = await client().messages.stream(params("Lisbon, 3 days", forced)).finalMessage();
    assertWeather(streamed.content.find((block) => block.type === "tool_use").input);
  });

  test("structured: by output_config", async () => {
    const schema = { ...weather, additionalProperties: false };
    const message = await create("Lisbon, 3 days", { output_config: { format: { type: "json_schema", schema } } });
    assertWeather(JSON.parse(textOf(message)));
  });

  test("errors: are Anthropic's", async () => {
    await assert.rejects(create(""), (error) => {
      assert.equal(error.status, 400);
      assert.equal(error.error.error.type, "invalid_request_error");
      assert.match(error.requestID, /^req_/);
      return true;
    });
    await assert.rejects(create("x", { model: "anthropic.no-such-model" }), { status: 404 });
    const stranger = client({ awsAccessKey: "AKIANOBODY0000000000", awsSecretAccessKey: "wrong" });
    await assert.rejects(stranger.messages.create(params("x")), { status: 401 });
  });

  test("retries: throttled calls and nothing else", () =>
    withEmulator({ settings: "requests_per_minute = 1\n" }, emulator, async (own) => {
      const patient = client({ maxRetries: 1 });
      await patient.messages.create(params("x"));
      await assert.rejects(patient.messages.create(params("x")), { status: 429 });
      await assert.rejects(patient.messages.create(params("")), { status: 400 });
      assert.deepEqual((await own.requests(4)).map((e) => e.status), [200, 429, 429, 400]);
    }));

  test("caching: writes, then reads", async () => {
    const text = longText(models.current_cache_minimum, "mantle");
    const system = [{ type: "text", text, cache_control: { type: "ephemeral" } }];
    const first = (await create("One?", { system })).usage;
    const second = (await create("Two?", { system })).usage;
    assert.ok(first.cache_creation_input_tokens > 0);
    assert.equal(second.cache_read_input_tokens, first.cache_creation_input_tokens);
  });

  test("thinking: in a stream, signed", async () => {
    const hard = { max_tokens: 2000, thinking: { type: "adaptive", display: "summarized" }, output_config: { effort: "high" } };
    const message = await client().messages.stream(params("How many legs have two cats? Think hard.", hard)).finalMessage();
    assert.equal(message.content[0].type, "thinking");
    assert.ok(message.content[0].thinking && message.content[0].signature);
  });

  test("counting: is what usage says", async () => {
    const { input_tokens: counted } = await client().messages.countTokens({
      model: models.current_base,
      messages: ask("Name one river."),
    });
    assert.equal(counted, (await create("Name one river.")).usage.input_tokens);
  });
});
