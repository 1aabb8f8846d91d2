import {
  BedrockRuntimeClient,
  ConverseCommand,
} from "@aws-sdk/client-bedrock-runtime";

const bedrock = new BedrockRuntimeClient({ maxAttempts: 2 });

const SYSTEM = "Explain the error message to a beginner, in two sentences.";

async function explain(message) {
  const reply = await bedrock.send(
    new ConverseCommand({
      modelId: process.env.MODEL_ID, // an inference profile id
      system: [{ text: SYSTEM }],
      messages: [{ role: "user", content: [{ text: message }] }],
      inferenceConfig: { maxTokens: 200 },
    }),
  );
  const blocks = reply.output?.message?.content ?? [];
  const text = blocks.map((block) => block.text ?? "").join("");
  return { text, stop: reply.stopReason };
}

export const handler = async (event) => {
  const { message } = JSON.parse(event.body);

  // The page has no login, so the API has no authorizer.
  const explained = await explain(message);

  return {
    statusCode: 200,
    body: JSON.stringify(explained),
  };
};
