"""boto3's `secretsmanager`."""

import json
import unittest

from bench import ACCOUNT, REGION, ServiceTest


class Secrets(ServiceTest):
    def setUp(self):
        super().setUp()
        self.secrets = self.client("secretsmanager")
        self.name = self.id().rpartition(".")[2]

    def value(self, stage="AWSCURRENT"):
        return self.secrets.get_secret_value(SecretId=self.name, VersionStage=stage)["SecretString"]

    def test_a_value_and_the_one_before(self):
        created = self.secrets.create_secret(Name=self.name, SecretString="1")
        self.assertRegex(
            created["ARN"],
            rf"^arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{self.name}-[A-Za-z0-9]{{6}}$",
        )
        self.refused("ResourceNotFoundException", 400, self.secrets.get_secret_value,
                     SecretId=self.name, VersionStage="AWSPREVIOUS")
        self.secrets.put_secret_value(SecretId=created["ARN"], SecretString="2")
        self.assertEqual((self.value(), self.value("AWSPREVIOUS")), ("2", "1"))
        described = self.secrets.describe_secret(SecretId=self.name)
        self.assertEqual(sorted(described["VersionIdsToStages"].values()), [["AWSCURRENT"], ["AWSPREVIOUS"]])

    def test_bytes(self):
        self.secrets.create_secret(Name=self.name, SecretBinary=b"\x00\xff")
        self.assertEqual(self.secrets.get_secret_value(SecretId=self.name)["SecretBinary"], b"\x00\xff")

    def test_a_secret_that_there_is_not(self):
        message = self.refused("ResourceNotFoundException", 400, self.secrets.get_secret_value, SecretId="nowhere")
        self.assertEqual(message, "Secrets Manager can't find the specified secret.")

    def test_a_rotation(self):
        old = self.secrets.create_secret(Name=self.name, SecretString="old")["VersionId"]
        new = self.secrets.put_secret_value(
            SecretId=self.name, SecretString="new", VersionStages=["AWSPENDING"])["VersionId"]
        self.assertEqual((self.value(), self.value("AWSPENDING")), ("old", "new"))
        self.secrets.update_secret_version_stage(
            SecretId=self.name, VersionStage="AWSCURRENT", MoveToVersionId=new, RemoveFromVersionId=old)
        self.assertEqual((self.value(), self.value("AWSPREVIOUS")), ("new", "old"))
        listed = self.secrets.list_secret_version_ids(SecretId=self.name)["Versions"]
        self.assertEqual([v["VersionStages"] for v in listed], [["AWSPREVIOUS"], ["AWSCURRENT", "AWSPENDING"]])

    def test_deleted_and_restored(self):
        self.secrets.create_secret(Name=self.name, SecretString="1")
        self.secrets.delete_secret(SecretId=self.name, RecoveryWindowInDays=7)
        self.refused("InvalidRequestException", 400, self.secrets.get_secret_value, SecretId=self.name)
        self.refused("InvalidRequestException", 400, self.secrets.create_secret, Name=self.name)
        self.secrets.restore_secret(SecretId=self.name)
        self.assertEqual(self.value(), "1")
        self.secrets.delete_secret(SecretId=self.name, ForceDeleteWithoutRecovery=True)
        self.secrets.create_secret(Name=self.name, SecretString="2")

    def test_listed_and_read_at_once(self):
        for n in range(3):
            self.secrets.create_secret(Name=f"{self.name}/{n}", SecretString=str(n),
                                       Tags=[{"Key": "n", "Value": str(n)}])
        filters = [{"Key": "name", "Values": [self.name]}]
        pages = self.secrets.get_paginator("list_secrets").paginate(
            Filters=filters, PaginationConfig={"PageSize": 2})
        names = [secret["Name"] for page in pages for secret in page["SecretList"]]
        self.assertEqual(names, [f"{self.name}/{n}" for n in range(3)])
        batch = self.secrets.batch_get_secret_value(SecretIdList=[names[0], "nowhere"])
        self.assertEqual([v["SecretString"] for v in batch["SecretValues"]], ["0"])
        self.assertEqual([e["ErrorCode"] for e in batch["Errors"]], ["ResourceNotFoundException"])

    def test_passwords(self):
        first = self.secrets.get_random_password(PasswordLength=20, ExcludePunctuation=True)["RandomPassword"]
        self.assertRegex(first, "^[a-zA-Z0-9]{20}$")
        self.assertNotEqual(first, self.secrets.get_random_password()["RandomPassword"])

    def test_the_journal_shows_no_value(self):
        self.secrets.create_secret(Name=self.name, SecretString="hunter2")
        self.assertEqual(self.value(), "hunter2")
        shown = json.dumps(self.control("GET", "/_workshop/requests"))
        self.assertIn(self.name, shown)
        self.assertNotIn("hunter2", shown)


if __name__ == "__main__":
    unittest.main()
