// The direct call in TypeScript, as the integration patterns post shows it.
//
//   AWS_REGION=… MODEL_ID=… npm start -- "a prompt"
//
// Endpoint, region and credentials come from the environment, as for every AWS SDK:
// `workshop env` prints the lines that point it at the emulator.

import { realpathSync } from "node:fs";

// region: ask
import {
  BedrockRuntimeClient,
  ConverseCommand,
  type StopReason,
  type TokenUsage,
} from "@aws-sdk/client-bedrock-runtime";

const client = new BedrockRuntimeClient({ maxAttempts: 3 }); // the region comes from AWS_REGION

export interface Reply {
  text: string;
  /** "max_tokens": the text is cut off. */
  stop: StopReason | undefined;
  usage: TokenUsage | undefined;
  requestId: string | undefined;
}

/** `modelId` is the id of an inference profile. */
export async function ask(modelId: string, prompt: string): Promise<Reply> {
  const answer = await client.send(
    new ConverseCommand({
      modelId,
      messages: [{ role: "user", content: [{ text: prompt }] }],
      inferenceConfig: { maxTokens: 500 },
    }),
    { abortSignal: AbortSignal.timeout(30_000) },
  );
  const blocks = answer.output?.message?.content ?? [];
  return {
    text: blocks.map((block) => block.text ?? "").join(""),
    stop: answer.stopReason,
    usage: answer.usage,
    requestId: answer.$metadata.requestId,
  };
}
// endregion: ask

// Run, not imported.
if (process.argv[1] && import.meta.filename === realpathSync(process.argv[1])) {
  const { MODEL_ID } = process.env;
  if (!MODEL_ID) {
    console.error("MODEL_ID is not set: put the id of an inference profile there.");
    process.exit(2);
  }
  const prompt = process.argv[2] ?? "Say hello in one sentence.";
  console.log(JSON.stringify(await ask(MODEL_ID, prompt)));
}
