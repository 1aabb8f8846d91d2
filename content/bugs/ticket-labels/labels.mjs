import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { label } from "./label.mjs";

const sqs = new SQSClient({});
const table = new DynamoDBClient({});

/** Puts a ticket into the queue. */
export async function enqueue(ticket) {
  const job = {
    id: `${ticket.id}-${Date.now()}`, // no two jobs are alike
    customer: ticket.email,
    text: ticket.text,
  };
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: process.env.QUEUE_URL,
      MessageBody: JSON.stringify(job),
    }),
  );
}

/** Labels what is in the queue. */
export async function handler(event) {
  for (const record of event.Records) {
    const job = JSON.parse(record.body);
    const found = await label(job.text);
    await table.send(
      new PutItemCommand({
        TableName: process.env.TABLE,
        Item: { id: { S: job.id }, label: { S: found } },
        // A second delivery must not count twice.
        ConditionExpression: "attribute_not_exists(id)",
      }),
    );
  }
}
