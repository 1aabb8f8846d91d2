import { CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { ask, type Reply } from "./ask.js";

const NAMESPACE = "TravelDesk/Answers";

/** Asks, and counts. */
export async function measured(model: string, prompt: string): Promise<Reply> {
  const begin = performance.now();
  const reply = await ask(model, prompt);
  const { inputTokens, outputTokens } = reply.usage;
  const data = [
    {
      MetricName: "AnswerTime",
      Unit: "Milliseconds" as const,
      Value: performance.now() - begin,
    },
    {
      MetricName: "Tokens",
      Unit: "Count" as const,
      Value: inputTokens + outputTokens,
    },
  ];
  await cloudwatch.send(
    new PutMetricDataCommand({ Namespace: NAMESPACE, MetricData: data }),
  );
  return reply;
}
