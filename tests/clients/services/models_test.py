"""boto3 and the models beside Claude: embeddings, Nova and Titan text, asynchronous invocations."""

import json
import math
import time
import unittest
from datetime import datetime, timedelta, timezone

from bench import ACCOUNT, MODELS, REGION, ServiceTest, converse, text_of

SHIPS = "The ship sailed into the harbour at dawn."
BOATS = "At dawn the ship sailed into a harbour."
TAXES = "Quarterly tax returns are due before Friday."


def length(vector):
    return math.sqrt(sum(x * x for x in vector))


def likeness(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True)) / (length(a) * length(b))


class Embeddings(ServiceTest):
    def setUp(self):
        super().setUp()
        self.runtime = self.client("bedrock-runtime")

    def invoke(self, role, **body):
        answer = self.runtime.invoke_model(modelId=MODELS[role], body=json.dumps(body))
        self.assertEqual(answer["contentType"], "application/json")
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        self.assertGreater(int(headers["x-amzn-bedrock-input-token-count"]), 0)
        return json.load(answer["body"])

    def are_sensible(self, ships, boats, taxes):
        for vector in (ships, boats, taxes):
            self.assertAlmostEqual(length(vector), 1, places=3)
        self.assertGreater(likeness(ships, boats), 0.5)
        self.assertGreater(likeness(ships, boats), likeness(ships, taxes) + 0.2)

    def test_titan_1(self):
        vectors = [self.invoke("titan_embed_1", inputText=t)["embedding"] for t in (SHIPS, BOATS, TAXES)]
        self.assertEqual({len(v) for v in vectors}, {1536})
        self.are_sensible(*vectors)

    def test_titan_2_in_each_size(self):
        for size in (256, 512, 1024):
            with self.subTest(size):
                vectors = [
                    self.invoke("titan_embed", inputText=t, dimensions=size)["embedding"]
                    for t in (SHIPS, BOATS, TAXES)
                ]
                self.assertEqual({len(v) for v in vectors}, {size})
                self.are_sensible(*vectors)

    def test_titan_2_by_type(self):
        answer = self.invoke("titan_embed", inputText=SHIPS, dimensions=256, embeddingTypes=["float", "binary"])
        by_type = answer["embeddingsByType"]
        self.assertEqual(by_type["float"], answer["embedding"])
        self.assertEqual([int(x > 0) for x in by_type["float"]], by_type["binary"])
        self.assertGreater(answer["inputTextTokenCount"], 5)

    def test_the_same_text_has_the_same_vector(self):
        one, two = (self.invoke("titan_embed", inputText=SHIPS)["embedding"] for _ in range(2))
        self.assertEqual(one, two)

    def test_cohere_3_takes_many_texts(self):
        answer = self.invoke("cohere_embed", texts=[SHIPS, BOATS, TAXES], input_type="search_document")
        # Embed 3 gives texts back in lower case (recorded).
        self.assertEqual(answer["texts"], [text.lower() for text in (SHIPS, BOATS, TAXES)])
        self.assertEqual(answer["response_type"], "embeddings_floats")
        self.assertEqual({len(v) for v in answer["embeddings"]}, {1024})
        self.are_sensible(*answer["embeddings"])
        by_type = self.invoke(
            "cohere_embed", texts=[SHIPS], input_type="search_query", embedding_types=["int8", "ubinary"]
        )
        self.assertEqual(by_type["response_type"], "embeddings_by_type")
        self.assertTrue(all(-128 <= x <= 127 for x in by_type["embeddings"]["int8"][0]))
        self.assertEqual(len(by_type["embeddings"]["ubinary"][0]), 1024 // 8)

    def test_cohere_4_in_a_chosen_size(self):
        answer = self.invoke(
            "cohere_embed_4", texts=[SHIPS, BOATS, TAXES], input_type="clustering",
            output_dimension=512, embedding_types=["float"],
        )
        vectors = answer["embeddings"]["float"]
        self.assertEqual({len(v) for v in vectors}, {512})
        self.are_sensible(*vectors)

    def test_nova_embeddings(self):
        def vector(text):
            answer = self.invoke(
                "nova_embed",
                taskType="SINGLE_EMBEDDING",
                singleEmbeddingParams={
                    "embeddingPurpose": "GENERIC_INDEX",
                    "embeddingDimension": 1024,
                    "text": {"truncationMode": "END", "value": text},
                },
            )
            return answer["embeddings"][0]["embedding"]

        self.are_sensible(*map(vector, (SHIPS, BOATS, TAXES)))

    def test_a_malformed_body_is_refused(self):
        for role, body in (("titan_embed", {"text": "x"}), ("cohere_embed", {"texts": "x"})):
            with self.subTest(role):
                message = self.refused(
                    "ValidationException", 400, self.runtime.invoke_model,
                    modelId=MODELS[role], body=json.dumps(body),
                )
                self.assertIn("Malformed input request", message)

    def test_an_embedding_model_does_not_converse(self):
        user = [{"role": "user", "content": [{"text": "Hi"}]}]
        call = self.runtime.converse
        self.refused("ValidationException", 400, call, modelId=MODELS["titan_embed"], messages=user)


class Text(ServiceTest):
    """When Titan Text still lived."""

    SETTINGS = 'today = "2025-06-01"\n'

    def setUp(self):
        super().setUp()
        self.runtime = self.client("bedrock-runtime")

    def test_nova_converses(self):
        answer = converse(self.runtime, "Name one river.", MODELS["nova"], inferenceConfig={"maxTokens": 50})
        self.assertTrue(text_of(answer))
        usage = answer["usage"]
        self.assertEqual(usage["totalTokens"], usage["inputTokens"] + usage["outputTokens"])

    def test_nova_invoked(self):
        body = {
            "schemaVersion": "messages-v1",
            "messages": [{"role": "user", "content": [{"text": "Name one river."}]}],
            "inferenceConfig": {"maxTokens": 60},
        }
        answer = self.runtime.invoke_model(modelId=MODELS["nova"], body=json.dumps(body))
        answer = json.load(answer["body"])
        self.assertTrue(answer["output"]["message"]["content"][0]["text"])
        self.assertLessEqual(answer["usage"]["outputTokens"], 60)
        events = self.runtime.invoke_model_with_response_stream(modelId=MODELS["nova"], body=json.dumps(body))
        chunks = [json.loads(event["chunk"]["bytes"]) for event in events["body"]]
        self.assertIn("messageStart", chunks[0])
        said = "".join(c["contentBlockDelta"]["delta"]["text"] for c in chunks if "contentBlockDelta" in c)
        self.assertEqual(said, answer["output"]["message"]["content"][0]["text"])

    def test_nova_calls_a_tool(self):
        schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
        answer = converse(
            self.runtime, "The weather in Lisbon?", MODELS["nova"],
            toolConfig={
                "tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": schema}}}],
                "toolChoice": {"any": {}},
            },
        )
        self.assertEqual(answer["stopReason"], "tool_use")
        [use] = [b["toolUse"] for b in answer["output"]["message"]["content"] if "toolUse" in b]
        self.assertIsInstance(use["input"]["city"], str)

    def test_titan_text_both_ways(self):
        body = {"inputText": "User: Name one river.\nBot:", "textGenerationConfig": {"maxTokenCount": 40}}
        answer = self.runtime.invoke_model(modelId=MODELS["titan_text"], body=json.dumps(body))
        answer = json.load(answer["body"])
        [result] = answer["results"]
        self.assertTrue(result["outputText"])
        self.assertLessEqual(result["tokenCount"], 40)
        self.assertIn(result["completionReason"], ("FINISH", "LENGTH"))
        events = self.runtime.invoke_model_with_response_stream(
            modelId=MODELS["titan_text"], body=json.dumps(body)
        )
        chunks = [json.loads(event["chunk"]["bytes"]) for event in events["body"]]
        self.assertEqual("".join(c["outputText"] for c in chunks), result["outputText"])
        self.assertEqual(chunks[-1]["completionReason"], result["completionReason"])
        self.assertTrue(text_of(converse(self.runtime, "Name one river.", MODELS["titan_text"])))

    def test_titan_text_has_no_tools(self):
        tool = {"toolSpec": {"name": "weather", "inputSchema": {"json": {"type": "object"}}}}
        message = self.refused(
            "ValidationException", 400, self.runtime.converse, modelId=MODELS["titan_text"],
            messages=[{"role": "user", "content": [{"text": "Hi"}]}], toolConfig={"tools": [tool]},
        )
        self.assertIn("tool", message)


class AsyncInvokes(ServiceTest):
    def setUp(self):
        super().setUp()
        self.runtime = self.client("bedrock-runtime")

    def start(self, **more):
        return self.runtime.start_async_invoke(
            modelId=MODELS["nova_embed"],
            modelInput={
                "taskType": "SEGMENTED_EMBEDDING",
                "segmentedEmbeddingParams": {
                    "embeddingPurpose": "GENERIC_INDEX",
                    "text": {"truncationMode": "END", "value": "A long text", "segmentationConfig": {"maxLengthChars": 800}},
                },
            },
            outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://lesson-results/embeddings"}},
            **more,
        )["invocationArn"]

    def test_a_job_runs_to_its_end(self):
        arn = self.start(clientRequestToken="one-job")
        self.assertRegex(arn, f"^arn:aws:bedrock:{REGION}:{ACCOUNT}:async-invoke/[a-z0-9]{{12}}$")
        job = self.runtime.get_async_invoke(invocationArn=arn)
        # It takes two seconds: a slow machine sees its end at once.
        self.assertIn(job["status"], ("InProgress", "Completed"))
        self.assertEqual(job["clientRequestToken"], "one-job")
        self.assertTrue(job["modelArn"].endswith("foundation-model/" + MODELS["nova_embed"]))
        s3 = job["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"]
        self.assertTrue(s3.startswith("s3://lesson-results/embeddings/"))
        self.assertEqual(self.start(clientRequestToken="one-job"), arn)
        # As applications wait for it.
        until = time.monotonic() + 20
        while job["status"] == "InProgress" and time.monotonic() < until:
            time.sleep(0.2)
            job = self.runtime.get_async_invoke(invocationArn=arn)
        self.assertEqual(job["status"], "Completed")
        self.assertGreater(job["endTime"], job["submitTime"])
        done = self.runtime.list_async_invokes(statusEquals="Completed")["asyncInvokeSummaries"]
        self.assertIn(arn, [summary["invocationArn"] for summary in done])

    def test_jobs_are_listed_by_time_and_in_pages(self):
        made = [self.start() for _ in range(5)]
        pages = self.runtime.get_paginator("list_async_invokes").paginate(PaginationConfig={"PageSize": 2})
        jobs = [job for page in pages for job in page["asyncInvokeSummaries"]]
        self.assertLessEqual(set(made), {job["invocationArn"] for job in jobs})
        newest_first = [job["submitTime"] for job in jobs]
        self.assertEqual(newest_first, sorted(newest_first, reverse=True))
        oldest_first = self.runtime.list_async_invokes(sortBy="SubmissionTime", sortOrder="Ascending")
        self.assertEqual([j["invocationArn"] for j in oldest_first["asyncInvokeSummaries"]],
                         [job["invocationArn"] for job in reversed(jobs)])
        ahead = datetime.now(timezone.utc) + timedelta(hours=1)
        self.assertEqual(self.runtime.list_async_invokes(submitTimeAfter=ahead)["asyncInvokeSummaries"], [])
        before = self.runtime.list_async_invokes(submitTimeBefore=ahead)["asyncInvokeSummaries"]
        self.assertEqual(len(before), len(jobs))

    def test_what_cannot_be_started_is_refused(self):
        call = self.client("bedrock-runtime", unchecked=True).start_async_invoke
        output = {"s3OutputDataConfig": {"s3Uri": "s3://lesson-results"}}
        asked = {"modelId": MODELS["haiku"], "modelInput": {"a": 1}, "outputDataConfig": output}
        message = self.refused("ValidationException", 400, call, **asked)
        self.assertIn("asynchronous", message)
        wrong = asked | {"modelId": MODELS["nova_embed"],
                         "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "https://x"}}}
        self.assertIn("s3Uri", self.refused("ValidationException", 400, call, **wrong))
        get = self.runtime.get_async_invoke
        arn = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:async-invoke/abcdefabcdef"
        self.refused("ValidationException", 400, get, invocationArn=arn)


if __name__ == "__main__":
    unittest.main()
