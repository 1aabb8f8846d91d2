"""boto3's `stepfunctions`: executions in real time, histories event by event, errors by name and text."""

import json
import time
import unittest

import boto3
from bench import ACCOUNT, MODELS, REGION, ServiceTest
from botocore.config import Config

ROLE = f"arn:aws:iam::{ACCOUNT}:role/workflow"
STATES = f"arn:aws:states:{REGION}:{ACCOUNT}"


def only(**state):
    return {"StartAt": "Only", "States": {"Only": {"End": True, **state}}}


PASS = only(Type="Pass")


class StepFunctions(ServiceTest):
    def setUp(self):
        super().setUp()
        self.sfn = self.client("stepfunctions")
        self.name = self.id().rpartition(".")[2]

    def create(self, definition, suffix="", **more):
        return self.sfn.create_state_machine(
            name=self.name + suffix, definition=json.dumps(definition), roleArn=ROLE, **more
        )["stateMachineArn"]

    def start(self, machine, given=None, **more):
        given = json.dumps({} if given is None else given)
        return self.sfn.start_execution(stateMachineArn=machine, input=given, **more)["executionArn"]

    def ended(self, execution):
        """As the execution is described once it does not run any more."""
        give_up = time.monotonic() + 30
        while True:
            told = self.sfn.describe_execution(executionArn=execution)
            if told["status"] != "RUNNING":
                return told
            self.assertLess(time.monotonic(), give_up, told)
            time.sleep(0.01)

    def run_through(self, definition, given=None):
        return self.ended(self.start(self.create(definition), given))

    def history(self, execution, **more):
        pages = self.sfn.get_paginator("get_execution_history").paginate(executionArn=execution, **more)
        return [event for page in pages for event in page["events"]]

    def types(self, execution):
        return [event["type"] for event in self.history(execution)]

    def test_a_history_tells_each_step(self):
        definition = {
            "StartAt": "Look",
            "States": {
                "Look": {"Type": "Choice", "Default": "Wait", "Choices": [
                    {"Variable": "$.fail", "BooleanEquals": True, "Next": "Stop"}]},
                "Wait": {"Type": "Wait", "Seconds": 0, "Next": "Each"},
                "Each": {"Type": "Map", "ItemsPath": "$.items", "End": True, "ItemProcessor": {
                    "StartAt": "Item", "States": {"Item": {"Type": "Pass", "End": True}}}},
                "Stop": {"Type": "Fail", "Error": "Wanted", "Cause": "it was asked for"},
            },
        }
        machine = self.create(definition)
        told = self.ended(self.start(machine, {"fail": False, "items": [1, 2]}))
        self.assertEqual(told["status"], "SUCCEEDED")
        self.assertEqual(json.loads(told["output"]), [1, 2])
        events = self.history(told["executionArn"])
        self.assertEqual([event["id"] for event in events], list(range(1, len(events) + 1)))
        self.assertEqual(events[0]["type"], "ExecutionStarted")
        self.assertEqual(events[0]["executionStartedEventDetails"]["roleArn"], ROLE)
        self.assertEqual([event["type"] for event in events if "Item" not in str(event)][1:6], [
            "ChoiceStateEntered", "ChoiceStateExited", "WaitStateEntered", "WaitStateExited",
            "MapStateEntered"])
        self.assertEqual(events[-1]["type"], "ExecutionSucceeded")

        failed = self.ended(self.start(machine, {"fail": True}))
        self.assertEqual((failed["status"], failed["error"], failed["cause"]),
                         ("FAILED", "Wanted", "it was asked for"))
        self.assertEqual(self.types(failed["executionArn"])[-2:], ["FailStateEntered", "ExecutionFailed"])

    def test_pages_and_their_order(self):
        told = self.run_through(PASS)
        ids = [1, 2, 3, 4]
        paged = {"PaginationConfig": {"PageSize": 3}}
        self.assertEqual([e["id"] for e in self.history(told["executionArn"], **paged)], ids)
        reverse = self.history(told["executionArn"], reverseOrder=True, **paged)
        self.assertEqual([e["id"] for e in reverse], ids[::-1])
        bare = self.history(told["executionArn"], includeExecutionData=False)
        self.assertNotIn("input", bare[0]["executionStartedEventDetails"])
        machine = told["stateMachineArn"]
        for _ in range(4):
            self.ended(self.start(machine))
        listed = self.sfn.get_paginator("list_executions").paginate(stateMachineArn=machine, **paged)
        dates = [run["startDate"] for page in listed for run in page["executions"]]
        self.assertEqual(len(dates), 5)
        self.assertEqual(dates, sorted(dates, reverse=True))
        message = self.refused("InvalidToken", 400, self.sfn.list_executions, stateMachineArn=machine,
                               nextToken="nonsense")
        self.assertEqual(message, "Invalid Token: 'Invalid token'")

    def test_bedrock_is_asked_as_the_role_and_retried(self):
        self.control("POST", "/_workshop/faults", {"fault": [
            {"when": {"operation": "InvokeModel"}, "error": "ThrottlingException", "count": 1}]})
        body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 20,
                "messages": [{"role": "user", "content": "Name one river."}]}
        definition = only(
            Type="Task",
            Resource="arn:aws:states:::bedrock:invokeModel",
            Parameters={"ModelId": MODELS["haiku"], "Body": body, "ContentType": "application/json"},
            Retry=[{"ErrorEquals": ["Bedrock.ThrottlingException"], "IntervalSeconds": 1,
                    "MaxAttempts": 2, "JitterStrategy": "FULL"}],
        )
        told = self.run_through(definition)
        self.assertEqual(told["status"], "SUCCEEDED", told)
        output = json.loads(told["output"])
        self.assertEqual(output["ContentType"], "application/json")
        self.assertTrue(output["Body"]["content"][0]["text"])
        events = self.history(told["executionArn"])
        [failed] = [e["taskFailedEventDetails"] for e in events if e["type"] == "TaskFailed"]
        self.assertEqual((failed["error"], failed["resourceType"]), ("Bedrock.ThrottlingException", "bedrock"))
        self.assertRegex(failed["cause"], r"\(Service: BedrockRuntime, Status Code: 429, Request ID: ")
        asked = self.control("GET", "/_workshop/requests?operation=InvokeModel")["requests"]
        callers = {entry["identity"] for entry in asked}
        self.assertEqual(callers, {f"arn:aws:sts::{ACCOUNT}:assumed-role/workflow/{told['name']}"})

    def test_a_wait_can_be_stopped(self):
        machine = self.create(only(Type="Wait", Seconds=3600))
        execution = self.start(machine, name="long")
        self.assertEqual(execution, f"{STATES}:execution:{self.name}:long")
        # The same again is the same execution.
        self.assertEqual(self.start(machine, name="long"), execution)
        self.refused("ExecutionAlreadyExists", 400, self.sfn.start_execution, stateMachineArn=machine,
                     name="long", input='{"other": 1}')
        self.sfn.stop_execution(executionArn=execution, error="Enough", cause="by hand")
        told = self.ended(execution)
        self.assertEqual((told["status"], told["error"], told["cause"]), ("ABORTED", "Enough", "by hand"))
        self.assertEqual(told["redriveStatus"], "REDRIVABLE")
        aborted = self.history(execution)[-1]
        self.assertEqual((aborted["type"], aborted["previousEventId"]), ("ExecutionAborted", 0))
        self.assertEqual(aborted["executionAbortedEventDetails"], {"error": "Enough", "cause": "by hand"})

    def test_time_out(self):
        told = self.run_through({**only(Type="Wait", Seconds=60), "TimeoutSeconds": 1})
        self.assertEqual(told["status"], "TIMED_OUT")
        self.assertNotIn("error", told)
        self.assertEqual(round((told["stopDate"] - told["startDate"]).total_seconds()), 1)

    def test_express(self):
        machine = self.create(PASS, type="EXPRESS")
        # boto3 would put `sync-` before the address.
        client = boto3.session.Session().client(
            "stepfunctions", endpoint_url=self.emulator.url, region_name=REGION,
            aws_access_key_id=self.keys[0], aws_secret_access_key=self.keys[1],
            config=Config(inject_host_prefix=False))
        self.addCleanup(client.close)
        told = client.start_sync_execution(stateMachineArn=machine, name="now", input='{"n": 1}')
        self.assertEqual((told["status"], told["output"]), ("SUCCEEDED", '{"n":1}'))
        self.assertEqual(told["billingDetails"]["billedMemoryUsedInMB"], 64)
        self.assertRegex(told["executionArn"], f"^{STATES}:express:{self.name}:now:")
        message = self.refused("InvalidArn", 400, self.sfn.describe_execution,
                               executionArn=told["executionArn"])
        self.assertEqual(message, "Invalid Arn: 'Resource type not valid in this context: express'")
        message = self.refused("StateMachineTypeNotSupported", 400, self.sfn.list_executions,
                               stateMachineArn=machine)
        self.assertEqual(message, "This operation is not supported by this type of state machine")

    def test_invalid_definitions(self):
        for definition, says in (
            ({"StartAt": "A"}, "SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /"),
            (only(Type="Task", Resource="arn:aws:states:::glue:startJobRun"),
             "at /States/Only/Resource"),
        ):
            text = json.dumps(definition)
            message = self.refused("InvalidDefinition", 400, self.sfn.create_state_machine, name=self.name,
                                   roleArn=ROLE, definition=text)
            self.assertTrue(message.startswith("Invalid State Machine Definition: '"), message)
            self.assertIn(says, message)
            told = self.sfn.validate_state_machine_definition(definition=text)
            self.assertEqual((told["result"], told["truncated"]), ("FAIL", False))
        self.assertEqual(self.sfn.validate_state_machine_definition(definition=json.dumps(PASS))["result"], "OK")

    def test_errors(self):
        machine = self.create(PASS)
        for code, says, call, members in (
            ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{machine}x'",
             self.sfn.describe_state_machine, {"stateMachineArn": machine + "x"}),
            ("ExecutionDoesNotExist", f"Execution Does Not Exist: '{STATES}:execution:m:x'",
             self.sfn.get_execution_history, {"executionArn": f"{STATES}:execution:m:x"}),
            ("InvalidArn", "Invalid Arn: 'Invalid ARN prefix: nonsense'",
             self.sfn.stop_execution, {"executionArn": "nonsense"}),
            ("InvalidName", "Invalid Name: 'a b'",
             self.sfn.start_execution, {"stateMachineArn": machine, "name": "a b"}),
            ("InvalidExecutionInput", "Invalid State Machine Execution Input: 'Invalid execution input.'",
             self.sfn.start_execution, {"stateMachineArn": machine, "input": ""}),
            ("StateMachineAlreadyExists", f"State Machine Already Exists: '{machine}'",
             self.sfn.create_state_machine,
             {"name": self.name, "definition": json.dumps(PASS, indent=1), "roleArn": ROLE}),
            ("ValidationException",
             "1 validation error detected: Value 'succeeded' at 'statusFilter' failed to satisfy constraint: "
             "Member must satisfy enum value set: [SUCCEEDED, TIMED_OUT, PENDING_REDRIVE, ABORTED, FAILED, "
             "RUNNING]",
             self.sfn.list_executions, {"stateMachineArn": machine, "statusFilter": "succeeded"}),
            ("MissingRequiredParameter", "Either the definition, the role ARN, the LoggingConfiguration, or "
             "the TracingConfiguration must be specified",
             self.sfn.update_state_machine, {"stateMachineArn": machine}),
            ("ResourceNotFound", f"Resource not found: '{machine}:1'",
             self.sfn.list_tags_for_resource, {"resourceArn": machine + ":1"}),
        ):
            with self.subTest(code):
                self.assertEqual(self.refused(code, 400, call, **members), says)

    def test_machines_change_and_carry_tags(self):
        machine = self.create(PASS, tags=[{"key": "team", "value": "ml"}])
        tags = self.sfn.list_tags_for_resource(resourceArn=machine)["tags"]
        self.assertEqual(tags, [{"key": "team", "value": "ml"}])
        self.assertNotIn("revisionId", self.sfn.describe_state_machine(stateMachineArn=machine))
        updated = self.sfn.update_state_machine(
            stateMachineArn=machine, definition=json.dumps(only(Type="Pass", Result=1)))
        told = self.sfn.describe_state_machine(stateMachineArn=machine)
        self.assertEqual(told["revisionId"], updated["revisionId"])
        self.assertEqual(self.ended(self.start(machine))["output"], "1")
        self.sfn.delete_state_machine(stateMachineArn=machine)
        names = [m["name"] for page in self.sfn.get_paginator("list_state_machines").paginate()
                 for m in page["stateMachines"]]
        self.assertNotIn(self.name, names)


if __name__ == "__main__":
    unittest.main()
