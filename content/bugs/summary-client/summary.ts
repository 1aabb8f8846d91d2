import {
  BedrockRuntimeClient,
  InvokeModelCommand,
} from "@aws-sdk/client-bedrock-runtime";

const WISH = "Sum up this article in three sentences.";

// One client for the whole process: connections are reused.
const bedrock = new BedrockRuntimeClient({ region: "us-west-2" });

/** Three sentences about an article. */
export async function summarise(article: string) {
  const call = new InvokeModelCommand({
    modelId: "anthropic.claude-instant-v1",
    contentType: "application/json",
    accept: "application/json",
    body: JSON.stringify({
      prompt: `${WISH}\n\n${article}`,
      max_tokens: 300,
    }),
  });
  const reply = await bedrock.send(call, {
    abortSignal: AbortSignal.timeout(30_000),
  });
  return reply.body;
}
