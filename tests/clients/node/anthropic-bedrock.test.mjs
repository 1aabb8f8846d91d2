// Anthropic's TypeScript SDK on InvokeModel. It sends its newest API version, so a current model is asked.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import AnthropicBedrock from "@anthropic-ai/bedrock-sdk";
import { assertWeather, Emulator, longText, models, notApplicable, weather, withEmulator } from "./workshop.mjs";

const ask = (content) => [{ role: "user", content }];
const tools = [{ name: "weather", description: "The weather in a city.", input_schema: weather }];
const textOf = (message) => message.content.map((block) => block.text ?? "").join("");

describe("anthropic (TypeScript), AnthropicBedrock", () => {
  let emulator;
  const client = (more = {}) => new AnthropicBedrock({ maxRetries: 0, ...more });
  const params = (content, more) => ({ model: models.current, max_tokens: 300, messages: ask(content), ...more });
  const create = (content, more = {}) => client().messages.create(params(content, more));

  before(async () => {
    emulator = (await Emulator.start()).use();
  });
  after(() => emulator.stop());

  test("plain: messages.create", async () => {
    const message = await create("Name one river.", { system: "You are brief." });
    assert.equal(message.stop_reason, "end_turn");
    assert.ok(textOf(message));
    assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0);
  });

  test("stream: accumulates to a message", async () => {
    const stream = client().messages.stream(params("Tell me about tides."));
    let text = "";
    stream.on("text", (delta) => (text += delta));
    const message = await stream.finalMessage();
    assert.ok(text.length > 10);
    assert.equal(textOf(message), text);
    assert.equal(message.stop_reason, "end_turn");
  });

  test("tools: forced, whole and in a stream", async () => {
    const forced = { tools, tool_choice: { type: "tool", name: "weather" } };
    const message = await create("Lisbon, 3 days", forced);
    assert.equal(message.stop_reason, "tool_use");
    assertWeather(message.content.find((block) => block.type === "tool_use").input);
    const streamed = await client().messages.stream(params("Lisbon, 3 days", forced)).finalMessage();
    assertWeather(streamed.content.find((block) => block.type === "tool_use").input);
  });

  test("tools: the result is used", async () => {
    const question = "Use the weather tool for the city Lisbon.";
    const first = await create(question, { tools });
    const use = first.content.find((block) => block.type === "tool_use");
    const result = { type: "tool_result", tool_use_id: use.id, content: "hail, 7 degrees" };
    const messages = [...ask(question), { role: "assistant", content: first.content }, ...ask([result])];
    assert.match(textOf(await create("", { messages, tools })), /hail/);
  });

  test("structured: by output_config", async () => {
    const schema = { ...weather, additionalProperties: false };
    const message = await create("Lisbon, 3 days", { output_config: { format: { type: "json_schema", schema } } });
    assertWeather(JSON.parse(textOf(message)));
  });

  test("errors: are typed", async () => {
    await assert.rejects(create("x", { model: "no.such-model" }), (error) => {
      assert.ok(error instanceof AnthropicBedrock.BadRequestError);
      assert.match(error.message, /The provided model identifier is invalid\./);
      return true;
    });
    await assert.rejects(create("x", { model: models.ended }), AnthropicBedrock.NotFoundError);
    const stranger = client({ awsAccessKey: "AKIANOBODY0000000000", awsSecretKey: "wrong" });
    await assert.rejects(stranger.messages.create(params("x")), AnthropicBedrock.PermissionDeniedError);
  });

  test("retries: throttled calls and nothing else", () =>
    withEmulator({ settings: "requests_per_minute = 1\n" }, emulator, async (own) => {
      const patient = client({ maxRetries: 1 });
      await patient.messages.create(params("x"));
      await assert.rejects(patient.messages.create(params("x")), AnthropicBedrock.RateLimitError);
      await assert.rejects(
        patient.messages.create(params("x", { model: "no.such-model" })),
        AnthropicBedrock.BadRequestError,
      );
      const entries = await own.requests(4);
      assert.deepEqual(entries.map((e) => e.status), [200, 429, 429, 400]);
      const counts = entries.map((e) => Object.fromEntries(e.headers)["x-stainless-retry-count"]);
      assert.deepEqual(counts, ["0", "0", "1", "0"]);
    }));

  test("caching: writes, then reads", async () => {
    const text = longText(models.current_cache_minimum, "typescript");
    const system = [{ type: "text", text, cache_control: { type: "ephemeral" } }];
    const first = (await create("One?", { system })).usage;
    const second = (await create("Two?", { system })).usage;
    assert.ok(first.cache_creation_input_tokens > 0);
    assert.equal(second.cache_read_input_tokens, first.cache_creation_input_tokens);
  });

  test("thinking: in a stream, signed", async () => {
    const hard = { max_tokens: 2000, thinking: { type: "adaptive", display: "summarized" }, output_config: { effort: "high" } };
    const message = await client().messages.stream(params("How many legs have two cats? Think hard.", hard)).finalMessage();
    const [thought] = message.content;
    assert.equal(thought.type, "thinking");
    assert.ok(thought.thinking && thought.signature);
  });

  notApplicable("counting", "the client has no messages.countTokens for bedrock-runtime");
});
