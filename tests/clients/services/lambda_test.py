"""boto3's `lambda`: functions, and queues that invoke them, with the settings of `workshop emulator`."""

import base64
import json
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import ACCOUNT, REGION, ServiceTest

FUNCTION = Path(__file__).with_name("function.py")
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:ask"


class Lambda(ServiceTest):
    ARGS = ("--function", f"ask={FUNCTION},timeout=30", "--function", f"work={FUNCTION},queue=jobs")

    def setUp(self):
        super().setUp()
        self.lambda_ = self.client("lambda")

    def invoke(self, event, **more):
        return self.lambda_.invoke(FunctionName="ask", Payload=json.dumps(event), **more)

    def test_an_answer_comes_back(self):
        for name in ("ask", f"{ACCOUNT}:function:ask", ARN, f"{ARN}:$LATEST"):
            answer = self.lambda_.invoke(FunctionName=name, Payload=b'{"question": 42}')
            self.assertEqual((answer["StatusCode"], answer["ExecutedVersion"]), (200, "$LATEST"))
            self.assertNotIn("FunctionError", answer)
            self.assertEqual(json.load(answer["Payload"]), {"question": 42})

    def test_the_end_of_the_log_comes_along(self):
        answer = self.invoke({"print": "a line of mine"}, LogType="Tail")
        log = base64.b64decode(answer["LogResult"]).decode()
        request = answer["ResponseMetadata"]["RequestId"]
        self.assertRegex(log, f"(?s)START RequestId: {request}.*a line of mine.*REPORT RequestId: {request}")
        logs = self.client("logs").filter_log_events(logGroupName="/aws/lambda/ask")["events"]
        self.assertIn("a line of mine", [event["message"] for event in logs])

    def test_a_function_that_fails(self):
        answer = self.invoke({"do": "fail"})
        self.assertEqual((answer["StatusCode"], answer["FunctionError"]), (200, "Unhandled"))
        told = json.load(answer["Payload"])
        self.assertEqual(told, {"errorType": "ValueError", "errorMessage": "it failed"})

    def test_events_and_dry_runs(self):
        self.assertEqual(self.invoke({}, InvocationType="Event")["StatusCode"], 202)
        self.assertEqual(self.invoke({}, InvocationType="DryRun")["StatusCode"], 204)

    def test_refusals(self):
        call = self.lambda_.invoke
        message = self.refused("ResourceNotFoundException", 404, call, FunctionName="nobody")
        self.assertEqual(message, f"Function not found: arn:aws:lambda:{REGION}:{ACCOUNT}:function:nobody")
        self.refused("InvalidRequestContentException", 400, call, FunctionName="ask", Payload=b"{")
        message = self.refused(
            "InvalidParameterValueException", 400, self.lambda_.create_function,
            FunctionName="new", Role=f"arn:aws:iam::{ACCOUNT}:role/new", Code={"ZipFile": b"zip"},
        )
        self.assertIn("workshop emulator --function", message)

    def test_throttling_says_when_to_come_back(self):
        self.lambda_.put_function_concurrency(FunctionName="ask", ReservedConcurrentExecutions=0)
        try:
            with self.assertRaises(self.lambda_.exceptions.TooManyRequestsException) as raised:
                self.invoke({})
        finally:
            self.lambda_.delete_function_concurrency(FunctionName="ask")
        answer = raised.exception.response
        self.assertEqual(answer["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded")
        self.assertEqual(answer["Type"], "User")
        self.assertEqual(answer["retryAfterSeconds"], "1")
        self.assertEqual(self.invoke({})["StatusCode"], 200)

    def test_functions_are_told_and_changed(self):
        told = self.lambda_.get_function(FunctionName="ask")
        self.assertEqual(told["Configuration"]["FunctionArn"], ARN)
        self.assertEqual(told["Configuration"]["Timeout"], 30)
        pages = self.lambda_.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 1})
        names = [function["FunctionName"] for page in pages for function in page["Functions"]]
        self.assertEqual(names, ["ask", "work"])
        self.lambda_.get_waiter("function_active_v2").wait(FunctionName="ask")
        changed = self.lambda_.update_function_configuration(
            FunctionName="ask", Environment={"Variables": {"COLOUR": "blue"}}, MemorySize=256
        )
        self.assertEqual(changed["MemorySize"], 256)
        environment = json.load(self.invoke({"do": "environment"})["Payload"])
        self.assertEqual(environment["COLOUR"], "blue")
        self.assertEqual(environment["AWS_ENDPOINT_URL"], self.emulator.url)

    def test_the_credentials_are_the_roles(self):
        environment = json.load(self.invoke({"do": "environment"})["Payload"])
        keys = tuple(environment[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"))
        caller = self.client("sts", keys=keys).get_caller_identity()
        self.assertEqual(caller["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/ask-role/ask")

    def test_a_hundred_at_once(self):
        with ThreadPoolExecutor(20) as pool:
            answers = pool.map(lambda n: json.load(self.invoke({"n": n})["Payload"])["n"], range(100))
        self.assertEqual(sorted(answers), list(range(100)))

    def test_a_queue_invokes_a_function(self):
        sqs = self.client("sqs")
        [mapping] = self.lambda_.list_event_source_mappings(FunctionName="work")["EventSourceMappings"]
        self.assertEqual(mapping["State"], "Enabled")
        self.assertEqual(mapping["FunctionResponseTypes"], ["ReportBatchItemFailures"])
        url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
        entries = [{"Id": str(n), "MessageBody": "poison" if n == 3 else str(n)} for n in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        deadline = time.monotonic() + 20
        while True:
            told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            if [told[name] for name in names] == ["0", "1"]:
                break
            self.assertLess(time.monotonic(), deadline, told)
        changed = self.lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False, BatchSize=5)
        self.assertEqual((changed["BatchSize"], changed["State"]), (5, "Disabling"))
        self.assertEqual(self.lambda_.get_event_source_mapping(UUID=mapping["UUID"])["State"], "Disabled")
        again = self.lambda_.create_event_source_mapping
        members = {"EventSourceArn": mapping["EventSourceArn"], "FunctionName": "work"}
        message = self.refused("ResourceConflictException", 409, again, **members)
        self.assertIn(mapping["UUID"], message)
        self.lambda_.delete_event_source_mapping(UUID=mapping["UUID"])
        created = again(**members, MaximumBatchingWindowInSeconds=1, ScalingConfig={"MaximumConcurrency": 2})
        self.assertEqual(created["State"], "Creating")
        self.lambda_.delete_event_source_mapping(UUID=created["UUID"])
        gone = self.lambda_.get_event_source_mapping
        self.refused("ResourceNotFoundException", 404, gone, UUID=created["UUID"])


if __name__ == "__main__":
    unittest.main()
