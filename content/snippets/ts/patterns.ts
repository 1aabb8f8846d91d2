// The patterns around the direct call, in TypeScript, as the posts show them: a Lambda proxy, a
// queue's consumer, and one line for each call. `patterns.test.ts` runs all of it against the
// emulator.

import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type { Reply } from "./direct.js";

// region: handler
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { BedrockRuntimeServiceException } from "@aws-sdk/client-bedrock-runtime";
import { ask } from "./direct.js";

const MAX_BODY = 20_000;

/** What the handler reads of a proxy event of API Gateway or of a function URL. */
type ProxyEvent = Partial<Pick<APIGatewayProxyEvent, "body" | "isBase64Encoded">>;

export async function handler(event: ProxyEvent): Promise<APIGatewayProxyResult> {
  const raw = event.body ?? "";
  if (raw.length > MAX_BODY) return answer(413, { error: "the body is too long" });
  let body: unknown;
  try {
    body = JSON.parse(event.isBase64Encoded ? Buffer.from(raw, "base64").toString() : raw);
  } catch {
    return answer(400, { error: "the body is not JSON" }); // an absent one is not, either
  }
  const prompt = promptOf(body);
  if (prompt === undefined) return answer(422, { error: "there is no prompt" });
  const model = process.env.MODEL_ID;
  if (!model) throw new Error("MODEL_ID is not set"); // a mistake of the deployment: loud
  try {
    const { text, stop } = await ask(model, prompt);
    return answer(200, { text, stopReason: stop });
  } catch (error) {
    return refusal(error);
  }
}

/** `JSON.parse` promises nothing: what came is looked at before it is used. */
function promptOf(body: unknown): string | undefined {
  if (typeof body !== "object" || body === null || !("prompt" in body)) return undefined;
  const { prompt } = body;
  return typeof prompt === "string" && prompt.trim() !== "" ? prompt : undefined;
}

function refusal(error: unknown): APIGatewayProxyResult {
  const name = error instanceof Error ? error.name : "unknown";
  const requestId =
    error instanceof BedrockRuntimeServiceException ? error.$metadata.requestId : undefined;
  // The name and the id are for the log; the message names ARNs and stays out of the answer.
  console.error(JSON.stringify({ error: name, requestId }));
  if (name === "ThrottlingException") {
    return answer(429, { error: "busy, try again" }, { "retry-after": "2" });
  }
  const tooSlow = name === "AbortError" || name === "TimeoutError";
  return answer(tooSlow ? 504 : 502, { error: "the model could not be asked" });
}

function answer(
  statusCode: number,
  body: Record<string, unknown>,
  headers: Record<string, string> = {},
): APIGatewayProxyResult {
  return {
    statusCode,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}
// endregion: handler

// region: consume
/** Works through a batch of SQS; only the messages that failed come again. */
export async function consume(
  event: SQSEvent,
  work: (record: SQSRecord) => Promise<void> | void,
): Promise<SQSBatchResponse> {
  // `async`, so that what throws at once is a failure of its message as well.
  const results = await Promise.allSettled(event.Records.map(async (record) => work(record)));
  const failed = event.Records.filter((_, i) => results[i]?.status === "rejected");
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}
// endregion: consume

// region: observed
/** What one call's line says; no prompt, no answer. */
interface Line {
  Model: string;
  Operation: string;
  Failures: 0 | 1;
  Throttles: 0 | 1;
  InputTokens?: number;
  OutputTokens?: number;
  DurationMs?: number;
  Error?: string;
  RequestId?: string | undefined;
}

const METRICS = ["DurationMs", "Failures", "Throttles", "InputTokens", "OutputTokens"] as const;

/** Asks, and writes one line in the embedded metric format, however it ends. */
export async function observed(
  model: string,
  prompt: string,
  log: (line: string) => void = console.log,
): Promise<Reply> {
  const begin = Date.now();
  const line: Line = { Model: model, Operation: "Converse", Failures: 0, Throttles: 0 };
  try {
    const reply = await ask(model, prompt);
    if (reply.usage?.inputTokens !== undefined) line.InputTokens = reply.usage.inputTokens;
    if (reply.usage?.outputTokens !== undefined) line.OutputTokens = reply.usage.outputTokens;
    line.RequestId = reply.requestId;
    return reply;
  } catch (error) {
    line.Failures = 1;
    if (error instanceof Error) line.Error = error.name;
    if (error instanceof BedrockRuntimeServiceException) line.RequestId = error.$metadata.requestId;
    if (line.Error === "ThrottlingException") line.Throttles = 1;
    throw error;
  } finally {
    line.DurationMs = Date.now() - begin;
    const directive = {
      Namespace: "TicketTriage/Bedrock",
      Dimensions: [["Model", "Operation"]],
      Metrics: METRICS.filter((name) => name in line).map((Name) => ({
        Name,
        Unit: Name === "DurationMs" ? "Milliseconds" : "Count",
      })),
    };
    log(JSON.stringify({ _aws: { Timestamp: Date.now(), CloudWatchMetrics: [directive] }, ...line }));
  }
}
// endregion: observed
