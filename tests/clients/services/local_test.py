"""A file for `--local`: what it lays out is there, and there again after a reset."""

import json
import tempfile
import unittest
from pathlib import Path

from bench import ServiceTest

LOCAL = """
[[queue]]
name = "jobs"

[[table]]
name = "answers"
partition_key = "job_id"

[[secret]]
name = "pepper"
value = "from the file"

[[state_machine]]
name = "answer"
definition = "answer.asl.json"
"""
DEFINITION = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}


class Local(ServiceTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        path = Path(folder.name)
        (path / "local.toml").write_text(LOCAL)
        (path / "answer.asl.json").write_text(json.dumps(DEFINITION))
        cls.ARGS = ("--local", str(path / "local.toml"))
        super().setUpClass()

    def test_a_reset_gives_back_what_the_file_says(self):
        tables, secrets = self.client("dynamodb"), self.client("secretsmanager")
        queues, machines = self.client("sqs"), self.client("stepfunctions")
        for _ in range(2):
            [machine] = machines.list_state_machines()["stateMachines"]
            arn = machine["stateMachineArn"]
            self.assertEqual(machines.list_executions(stateMachineArn=arn)["executions"], [])
            self.assertEqual(tables.scan(TableName="answers")["Count"], 0)
            self.assertEqual(secrets.get_secret_value(SecretId="pepper")["SecretString"], "from the file")
            [url] = queues.list_queues()["QueueUrls"]
            self.assertNotIn("Messages", queues.receive_message(QueueUrl=url))

            machines.start_execution(stateMachineArn=arn)
            machines.delete_state_machine(stateMachineArn=arn)
            tables.put_item(TableName="answers", Item={"job_id": {"S": "1"}})
            tables.create_table(
                TableName="another", BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
            secrets.put_secret_value(SecretId="pepper", SecretString="another")
            queues.send_message(QueueUrl=url, MessageBody="1")
            self.control("POST", "/_workshop/reset")
            self.assertEqual(tables.list_tables()["TableNames"], ["answers"])


if __name__ == "__main__":
    unittest.main()
