"""boto3's `sts`, and what its credentials may do afterwards."""

import base64
import json
import os
import tempfile
import unittest
from datetime import datetime, timedelta, timezone
from unittest.mock import patch

import boto3
from bench import ACCOUNT, MODELS, REGION, ServiceTest, converse, text_of

ROLE = f"arn:aws:iam::{ACCOUNT}:role/Caller"
READER = f"arn:aws:iam::{ACCOUNT}:role/path/Reader"
STRANGERS = f"arn:aws:iam::{ACCOUNT}:role/Strangers"
REVIEW = f"arn:aws:iam::{ACCOUNT}:role/Review"
ISSUER = "token.actions.githubusercontent.com"
PARTNER = f"arn:aws:iam::{ACCOUNT}:role/Partner"
HAIKU = MODELS["haiku"]
# As people write it in policies.
PATTERN = "*haiku*"


def trust(principal, condition=None):
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust_pull_requests():
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {
            f"{ISSUER}:aud": "sts.amazonaws.com",
            f"{ISSUER}:sub": "repo:octo-org/octo-repo:pull_request",
        }},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def web_identity(left=300, **claims):
    """A token as a pipeline gets it, without a provider's signature."""
    expires = int(datetime.now(timezone.utc).timestamp()) + left
    claims = {
        "iss": f"https://{ISSUER}", "aud": "sts.amazonaws.com",
        "sub": "repo:octo-org/octo-repo:pull_request", "exp": expires, **claims,
    }
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in [*parts, b"signature"])


def allow(actions, resources="*", **more):
    return json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resources, **more}],
    })


SETTINGS = f"""
[[policy]]
name = "HaikuOnly"
document = '''{allow("bedrock:InvokeModel", [f"arn:aws:bedrock:*:*:inference-profile/{PATTERN}",
                                             f"arn:aws:bedrock:*::foundation-model/{PATTERN}"])}'''
[[policy]]
name = "ReadOnly"
document = '''{allow(["bedrock:Get*", "bedrock:List*", "cloudwatch:List*"])}'''

[[role]]
arn = "{ROLE}"
trust = '''{trust(f"arn:aws:iam::{ACCOUNT}:root")}'''
policies = ["HaikuOnly"]
max_session_seconds = 7200
[[role]]
arn = "{REVIEW}"
trust = '''{trust_pull_requests()}'''
policies = ["HaikuOnly"]
[[role]]
arn = "{READER}"
trust = '''{trust([f"arn:aws:iam::{ACCOUNT}:root"])}'''
policies = ["ReadOnly"]
[[role]]
arn = "{PARTNER}"
trust = '''{trust(f"arn:aws:iam::{ACCOUNT}:root", {"StringEquals": {"sts:ExternalId": "agreed"}})}'''
policies = ["Climber"]
[[policy]]
name = "Climber"
document = '''{allow("sts:AssumeRole", ROLE)}'''
[[role]]
arn = "{STRANGERS}"
trust = '''{trust("arn:aws:iam::999999999999:root")}'''
policies = ["ReadOnly"]
"""


class Identity(ServiceTest):
    SETTINGS = SETTINGS

    def setUp(self):
        super().setUp()
        self.sts = self.client("sts")

    def assume(self, role=ROLE, name="lesson", **more):
        return self.sts.assume_role(RoleArn=role, RoleSessionName=name, **more)

    def session(self, *args, **more):
        credentials = self.assume(*args, **more)["Credentials"]
        return (credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])

    def test_who_am_i(self):
        answer = self.sts.get_caller_identity()
        self.assertEqual(answer["Account"], ACCOUNT)
        self.assertTrue(answer["Arn"].startswith(f"arn:aws:iam::{ACCOUNT}:user/"))
        self.assertRegex(answer["UserId"], "^AIDA[A-Z0-9]{17}$")

    def test_a_wrong_secret_is_no_identity(self):
        sts = self.client("sts", keys=(self.keys[0], "wrong", None))
        message = self.refused("SignatureDoesNotMatch", 403, sts.get_caller_identity)
        self.assertIn("does not match the signature you provided", message)
        sts = self.client("sts", keys=("AKIANOBODYHASTHISKEY", "wrong", None))
        self.refused("InvalidClientTokenId", 403, sts.get_caller_identity)

    def test_a_role_gives_credentials_for_an_hour(self):
        answer = self.assume()
        self.assertEqual(answer["AssumedRoleUser"]["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/Caller/lesson")
        self.assertRegex(answer["AssumedRoleUser"]["AssumedRoleId"], "^AROA[A-Z0-9]{17}:lesson$")
        self.assertTrue(answer["Credentials"]["AccessKeyId"].startswith("ASIA"))
        left = answer["Credentials"]["Expiration"] - datetime.now(timezone.utc)
        self.assertTrue(timedelta(minutes=59) < left <= timedelta(minutes=61), left)

    def test_the_session_is_somebody_else_in_each_service(self):
        keys = self.session(READER)
        self.assertEqual(
            self.client("sts", keys).get_caller_identity()["Arn"],
            f"arn:aws:sts::{ACCOUNT}:assumed-role/Reader/lesson",
        )
        self.assertTrue(self.client("bedrock", keys).list_foundation_models()["modelSummaries"])
        self.client("cloudwatch", keys).list_metrics(Namespace="AWS/Bedrock")

    def test_the_session_does_what_its_role_may(self):
        self.assertTrue(text_of(converse(self.client("bedrock-runtime", self.session()))))

    def test_what_the_role_may_not_is_refused_in_words(self):
        runtime = self.client("bedrock-runtime", self.session())
        user = [{"role": "user", "content": [{"text": "Hi"}]}]
        who = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/Caller/lesson is not authorized to perform: "
        message = self.refused(
            "AccessDeniedException", 403, runtime.converse, modelId=MODELS["sonnet"], messages=user
        )
        profile = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:inference-profile/{MODELS['sonnet']}"
        self.assertEqual(
            message,
            f"{who}bedrock:InvokeModel on resource: {profile} because no identity-based policy allows "
            "the bedrock:InvokeModel action",
        )
        # Streams are an action of their own.
        message = self.refused(
            "AccessDeniedException", 403, runtime.converse_stream, modelId=HAIKU, messages=user
        )
        self.assertIn(f"{who}bedrock:InvokeModelWithResponseStream on resource: ", message)

        # Actions that take no resource name none. JSON services answer 400 where REST ones say 403.
        for service, status, code, operation, members, action in (
            ("bedrock", 403, "AccessDeniedException", "list_guardrails", {}, "bedrock:ListGuardrails"),
            ("cloudwatch", 400, "AccessDenied", "list_metrics", {}, "cloudwatch:ListMetrics"),
            ("cloudtrail", 400, "AccessDeniedException", "lookup_events", {}, "cloudtrail:LookupEvents"),
            ("service-quotas", 400, "AccessDeniedException", "list_service_quotas",
             {"ServiceCode": "bedrock"}, "servicequotas:ListServiceQuotas"),
        ):
            with self.subTest(action):
                call = getattr(self.client(service, self.session()), operation)
                message = self.refused(code, status, call, **members)
                because = f" because no identity-based policy allows the {action} action"
                self.assertEqual(message, who + action + because)
        call = self.client("logs", self.session()).describe_log_groups
        message = self.refused("AccessDeniedException", 400, call)
        groups = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:*"
        self.assertTrue(message.startswith(f"{who}logs:DescribeLogGroups on resource: {groups} because "))

    def test_the_journal_says_which_statements_were_looked_at(self):
        runtime = self.client("bedrock-runtime", self.session(name="explained"))
        user = [{"role": "user", "content": [{"text": "Hi"}]}]
        with self.assertRaises(runtime.exceptions.AccessDeniedException):
            runtime.converse(modelId=MODELS["sonnet"], messages=user)
        [entry] = self.control("GET", "/_workshop/requests?operation=Converse&identity=explained")["requests"]
        self.assertIn("HaikuOnly", json.dumps(entry["access"]))

    def test_a_session_policy_narrows_the_role(self):
        policy = allow("bedrock:InvokeModel", "arn:aws:bedrock:*:*:inference-profile/nobody")
        answer = self.assume(Policy=policy)
        self.assertGreater(answer["PackedPolicySize"], 0)
        keys = [answer["Credentials"][name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
        call = self.client("bedrock-runtime", keys).converse
        message = self.refused(
            "AccessDeniedException", 403, call, modelId=HAIKU,
            messages=[{"role": "user", "content": [{"text": "Hi"}]}],
        )
        self.assertIn("because no session policy allows the bedrock:InvokeModel action", message)
        malformed = self.refused(
            "MalformedPolicyDocument", 400, self.sts.assume_role,
            RoleArn=ROLE, RoleSessionName="lesson", Policy="{not json}",
        )
        self.assertTrue(malformed)

    def test_a_token_that_is_missing_or_another_is_refused(self):
        access, secret, token = self.session()
        for other in (None, token[:-6] + "AAAA=="):
            call = self.client("bedrock-runtime", (access, secret, other)).converse
            message = self.refused(
                "UnrecognizedClientException", 403, call, modelId=HAIKU,
                messages=[{"role": "user", "content": [{"text": "Hi"}]}],
            )
            self.assertIn("security token", message)

    def test_roles_that_one_may_not_assume(self):
        for role in (STRANGERS, f"arn:aws:iam::{ACCOUNT}:role/Nobody"):
            message = self.refused(
                "AccessDenied", 403, self.sts.assume_role, RoleArn=role, RoleSessionName="lesson"
            )
            self.assertTrue(message.endswith(f"is not authorized to perform: sts:AssumeRole on resource: {role}"))

    def test_mistakes_are_named_together(self):
        sts = self.client("sts", unchecked=True)
        message = self.refused(
            "ValidationError", 400, sts.assume_role, RoleArn=ROLE, RoleSessionName="a b", DurationSeconds=1
        )
        self.assertTrue(message.startswith("2 validation errors detected: "), message)
        self.refused(
            "ValidationError", 400, sts.assume_role, RoleArn=ROLE, RoleSessionName="ab", DurationSeconds=10_000
        )

    def test_a_partner_has_to_say_what_was_agreed(self):
        for given in ({}, {"ExternalId": "guessed"}):
            call = self.sts.assume_role
            self.refused("AccessDenied", 403, call, RoleArn=PARTNER, RoleSessionName="lesson", **given)
        answer = self.assume(PARTNER, ExternalId="agreed")
        self.assertTrue(answer["AssumedRoleUser"]["Arn"].endswith("assumed-role/Partner/lesson"))

    def test_a_chain_of_roles_lasts_an_hour_at_most(self):
        # The reader's policies do not let it assume anything; the partner's do.
        reader = self.client("sts", self.session(READER))
        self.refused("AccessDenied", 403, reader.assume_role, RoleArn=ROLE, RoleSessionName="chain")
        chained = self.client("sts", self.session(PARTNER, ExternalId="agreed"))
        answer = chained.assume_role(RoleArn=ROLE, RoleSessionName="chain")
        self.assertEqual(answer["AssumedRoleUser"]["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/Caller/chain")
        message = self.refused(
            "ValidationError", 400, chained.assume_role,
            RoleArn=ROLE, RoleSessionName="chain", DurationSeconds=7_200,
        )
        self.assertIn("role chaining", message)

    def test_a_profile_of_the_configuration_file_assumes_its_role(self):
        """What most people have: boto3 asks STS by itself."""
        access_key, secret_key, _ = self.keys
        with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
            file.write(
                f"[profile caller]\nrole_arn = {ROLE}\nsource_profile = me\nrole_session_name = profile\n"
                f"region = {REGION}\n[profile me]\naws_access_key_id = {access_key}\n"
                f"aws_secret_access_key = {secret_key}\n"
            )
            file.flush()
            with patch.dict(os.environ, AWS_CONFIG_FILE=file.name, AWS_ENDPOINT_URL=self.emulator.url):
                session = boto3.session.Session(profile_name="caller")
                who, runtime = session.client("sts"), session.client("bedrock-runtime")
                self.assertEqual(
                    who.get_caller_identity()["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/Caller/profile"
                )
                self.assertTrue(text_of(converse(runtime)))
                who.close()
                runtime.close()

    def test_a_pipeline_needs_no_key(self):
        # boto3 signs no such request, whatever keys it has.
        def asked(**claims):
            return {
                "RoleArn": REVIEW, "RoleSessionName": "GitHubActions", "WebIdentityToken": web_identity(**claims),
            }

        assume = self.sts.assume_role_with_web_identity
        answer = assume(**asked())
        self.assertEqual(
            answer["AssumedRoleUser"]["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/Review/GitHubActions"
        )
        self.assertEqual(answer["SubjectFromWebIdentityToken"], "repo:octo-org/octo-repo:pull_request")
        self.assertEqual(answer["Provider"], f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}")
        keys = [answer["Credentials"][name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
        self.assertEqual(self.client("sts", keys).get_caller_identity()["Arn"], answer["AssumedRoleUser"]["Arn"])
        self.assertTrue(text_of(converse(self.client("bedrock-runtime", keys))))

        message = self.refused("AccessDenied", 403, assume, **asked(sub="repo:octo-org/another:pull_request"))
        self.assertEqual(message, "Not authorized to perform sts:AssumeRoleWithWebIdentity")
        self.refused("AccessDenied", 403, assume, **asked(aud="https://github.com/octo-org"))
        self.refused("ExpiredTokenException", 400, assume, **asked(left=-1))
        self.refused("InvalidIdentityToken", 400, assume, **asked(sub=None))

    def test_a_session_token_of_ones_own(self):
        answer = self.sts.get_session_token(DurationSeconds=900)["Credentials"]
        keys = [answer[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
        who = self.client("sts", keys)
        self.assertEqual(who.get_caller_identity()["Arn"], self.sts.get_caller_identity()["Arn"])
        self.assertTrue(text_of(converse(self.client("bedrock-runtime", keys))))


if __name__ == "__main__":
    unittest.main()
