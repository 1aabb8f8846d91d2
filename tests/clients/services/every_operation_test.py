"""Every operation that boto3 knows of the emulated services ends in an answer or in an error that boto3
understands, and what is not emulated says so."""

import unittest

from bench import ServiceTest
from botocore import xform_name
from botocore.exceptions import ClientError

# Emulated, by botocore's own models; whatever else these services have is not.
EMULATED = {
    "bedrock": """CreateGuardrail CreateGuardrailVersion CreateInferenceProfile DeleteGuardrail
        DeleteInferenceProfile DeleteModelInvocationLoggingConfiguration GetFoundationModel
        GetFoundationModelAvailability GetGuardrail GetInferenceProfile
        GetModelInvocationLoggingConfiguration GetUseCaseForModelAccess ListFoundationModels ListGuardrails
        ListInferenceProfiles PutModelInvocationLoggingConfiguration PutUseCaseForModelAccess
        UpdateGuardrail""",
    "bedrock-runtime": """ApplyGuardrail Converse ConverseStream CountTokens GetAsyncInvoke InvokeModel
        InvokeModelWithResponseStream ListAsyncInvokes StartAsyncInvoke""",
    "sts": "AssumeRole AssumeRoleWithWebIdentity GetCallerIdentity GetSessionToken",
    "cloudwatch": """DeleteAlarms DescribeAlarmHistory DescribeAlarms DescribeAlarmsForMetric
        DisableAlarmActions EnableAlarmActions GetMetricData GetMetricStatistics ListMetrics
        ListTagsForResource PutMetricAlarm PutMetricData SetAlarmState TagResource UntagResource""",
    "logs": """CreateLogGroup CreateLogStream DeleteLogGroup DeleteLogStream DescribeLogGroups
        DescribeLogStreams FilterLogEvents GetLogEvents PutLogEvents PutRetentionPolicy""",
    "cloudtrail": "LookupEvents",
    "service-quotas": """GetAWSDefaultServiceQuota GetServiceQuota ListAWSDefaultServiceQuotas
        ListServiceQuotas ListServices""",
    "sqs": """CancelMessageMoveTask ChangeMessageVisibility ChangeMessageVisibilityBatch CreateQueue DeleteMessage
        DeleteMessageBatch DeleteQueue GetQueueAttributes GetQueueUrl ListDeadLetterSourceQueues
        ListMessageMoveTasks ListQueueTags ListQueues PurgeQueue ReceiveMessage SendMessage SendMessageBatch
        SetQueueAttributes StartMessageMoveTask TagQueue UntagQueue""",
    "dynamodb": """BatchGetItem BatchWriteItem CreateTable DeleteItem DeleteTable DescribeEndpoints
        DescribeLimits DescribeTable DescribeTimeToLive GetItem ListTables ListTagsOfResource PutItem Query Scan
        TagResource TransactGetItems TransactWriteItems UntagResource UpdateItem UpdateTable
        UpdateTimeToLive""",
    "secretsmanager": """BatchGetSecretValue CreateSecret DeleteSecret DescribeSecret GetRandomPassword
        GetSecretValue ListSecretVersionIds ListSecrets PutSecretValue RestoreSecret TagResource UntagResource
        UpdateSecret UpdateSecretVersionStage""",
    # CreateFunction and UpdateFunctionCode say how a function is given instead.
    "lambda": """CreateEventSourceMapping CreateFunction DeleteEventSourceMapping DeleteFunction
        DeleteFunctionConcurrency GetEventSourceMapping GetFunction GetFunctionConcurrency
        GetFunctionConfiguration Invoke ListEventSourceMappings ListFunctions PutFunctionConcurrency
        UpdateEventSourceMapping UpdateFunctionCode UpdateFunctionConfiguration""",
    "stepfunctions": """CreateStateMachine DeleteStateMachine DescribeExecution DescribeStateMachine
        DescribeStateMachineForExecution GetExecutionHistory ListExecutions ListStateMachines
        ListTagsForResource StartExecution StartSyncExecution StopExecution TagResource UntagResource
        UpdateStateMachine ValidateStateMachineDefinition""",
}


def sample(shape, depth=0):
    """Something in each required member: enough to be sent."""
    kind = shape.type_name
    if kind == "structure":
        members = {n: m for n, m in shape.members.items() if n in shape.required_members and depth < 6}
        return {name: sample(member, depth + 1) for name, member in members.items()}
    if kind == "list":
        return [sample(shape.member, depth + 1)]
    if kind == "map":
        return {"abc": sample(shape.value, depth + 1)}
    if kind == "string":
        return shape.enum[0] if shape.enum else "abc"
    return {"blob": b"abc", "boolean": True}.get(kind, 1)


class EveryOperation(ServiceTest):
    def ask(self, client, operation):
        """The error's code and message; nothing if there was none."""
        model = client.meta.service_model.operation_model(operation)
        members = sample(model.input_shape) if model.input_shape else {}
        try:
            getattr(client, xform_name(operation))(**members)
        except ClientError as error:
            answer = error.response
            self.assertGreaterEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 400)
            self.assertLess(answer["ResponseMetadata"]["HTTPStatusCode"], 500)
            self.assertTrue(answer["ResponseMetadata"].get("RequestId"), answer)
            return answer["Error"]["Code"], answer["Error"]["Message"]
        return None

    def of(self, service):
        client = self.client(service, unchecked=True)
        emulated = set(EMULATED[service].split())
        operations = {o for o in client.meta.service_model.operation_names if hasattr(client, xform_name(o))}
        self.assertLessEqual(emulated, operations)
        for operation in sorted(operations):
            with self.subTest(operation):
                error = self.ask(client, operation)
                if operation in emulated:
                    code, message = error or ("", "")
                    self.assertNotIn(code, ("UnknownOperationException", "InvalidAction"))
                    self.assertNotIn("not emulated", message)
                    continue
                self.assertIsNotNone(error)
                code, message = error
                self.assertIn(code, ("UnknownOperationException", "InvalidAction"))
                # STS has words of its own for an action that it does not know.
                self.assertRegex(message, "not emulated by Bedrock Workshop|^Could not find operation")

    def test_bedrock(self):
        self.of("bedrock")

    def test_bedrock_runtime(self):
        self.of("bedrock-runtime")

    def test_sts(self):
        self.of("sts")

    def test_cloudwatch(self):
        self.of("cloudwatch")

    def test_logs(self):
        self.of("logs")

    def test_cloudtrail(self):
        self.of("cloudtrail")

    def test_service_quotas(self):
        self.of("service-quotas")

    def test_sqs(self):
        self.of("sqs")

    def test_dynamodb(self):
        self.of("dynamodb")

    def test_secrets_manager(self):
        self.of("secretsmanager")

    def test_lambda(self):
        self.of("lambda")

    def test_step_functions(self):
        self.of("stepfunctions")


if __name__ == "__main__":
    unittest.main()
