// The patterns around the direct call, in JavaScript, as the posts show them: a Lambda proxy, a
// queue's consumer, and one line for each call. `patterns.test.mjs` runs all of it against the
// emulator.

// region: handler
import { ask } from "./direct.mjs";

const MAX_BODY = 20_000;

/** Answers a proxy event of API Gateway or of a function URL. */
export async function handler(event) {
  if ((event.body?.length ?? 0) > MAX_BODY) return answer(413, { error: "the body is too long" });
  let prompt;
  try {
    const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
    prompt = JSON.parse(body)?.prompt; // no body, or none that is JSON: throws
  } catch {
    return answer(400, { error: "the body is not JSON" });
  }
  if (typeof prompt !== "string" || prompt.trim() === "") {
    return answer(422, { error: "there is no prompt" });
  }
  try {
    const { text, stop } = await ask(process.env.MODEL_ID, prompt);
    return answer(200, { text, stopReason: stop });
  } catch (error) {
    // The name and the id are for the log; the message names ARNs and stays out of the answer.
    console.error(JSON.stringify({ error: error.name, requestId: error.$metadata?.requestId }));
    if (error.name === "ThrottlingException") {
      return answer(429, { error: "busy, try again" }, { "retry-after": "2" });
    }
    const tooSlow = error.name === "AbortError" || error.name === "TimeoutError";
    return answer(tooSlow ? 504 : 502, { error: "the model could not be asked" });
  }
}

function answer(statusCode, body, headers = {}) {
  return {
    statusCode,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}
// endregion: handler

// region: consume
/** Works through a batch of SQS; only the messages that failed come again. */
export async function consume(event, work) {
  // `async`, so that what throws at once is a failure of its message as well.
  const results = await Promise.allSettled(event.Records.map(async (record) => work(record)));
  const failed = event.Records.filter((_, i) => results[i].status === "rejected");
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}
// endregion: consume

// region: observed
/** Asks, and writes one line in the embedded metric format, however it ends. */
export async function observed(model, prompt, log = console.log) {
  const begin = Date.now();
  const line = { Model: model, Operation: "Converse", Failures: 0, Throttles: 0 };
  try {
    const reply = await ask(model, prompt);
    line.InputTokens = reply.usage.inputTokens;
    line.OutputTokens = reply.usage.outputTokens;
    line.RequestId = reply.requestId;
    return reply;
  } catch (error) {
    line.Failures = 1;
    line.Throttles = Number(error.name === "ThrottlingException");
    line.Error = error.name;
    line.RequestId = error.$metadata?.requestId;
    throw error;
  } finally {
    line.DurationMs = Date.now() - begin;
    const metric = (Name) => ({ Name, Unit: Name === "DurationMs" ? "Milliseconds" : "Count" });
    const names = ["DurationMs", "Failures", "Throttles", "InputTokens", "OutputTokens"];
    const directive = {
      Namespace: "TicketTriage/Bedrock",
      Dimensions: [["Model", "Operation"]],
      Metrics: names.filter((name) => name in line).map(metric),
    };
    log(JSON.stringify({ _aws: { Timestamp: Date.now(), CloudWatchMetrics: [directive] }, ...line }));
  }
}
// endregion: observed
