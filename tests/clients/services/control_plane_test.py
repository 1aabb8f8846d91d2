"""boto3's `bedrock`: models, inference profiles, invocation logging."""

import unittest

from bench import ACCOUNT, MODELS, REGION, ServiceTest, converse, text_of


class Models(ServiceTest):
    def setUp(self):
        super().setUp()
        self.bedrock = self.client("bedrock")

    def ids(self, **filters):
        return [m["modelId"] for m in self.bedrock.list_foundation_models(**filters)["modelSummaries"]]

    def test_the_list_has_what_lives_and_not_what_ended(self):
        ids = self.ids()
        self.assertEqual(len(ids), len(set(ids)))
        self.assertIn(MODELS["base"], ids)
        self.assertIn(MODELS["nova"], ids)
        self.assertNotIn(MODELS["ended"].removeprefix("us."), ids)

    def test_filters_narrow_the_list(self):
        everything = set(self.ids())
        vectors = set(self.ids(byOutputModality="EMBEDDING"))
        self.assertLessEqual({MODELS["titan_embed"], MODELS["cohere_embed"]}, vectors)
        self.assertNotIn(MODELS["base"], vectors)
        anthropic = set(self.ids(byProvider="Anthropic"))
        self.assertEqual(anthropic, set(self.ids(byProvider="anthropic")))
        self.assertIn(MODELS["base"], anthropic)
        on_demand = set(self.ids(byInferenceType="ON_DEMAND"))
        self.assertIn(MODELS["nova"], on_demand)
        self.assertNotIn(MODELS["current_base"], on_demand)
        tuned = set(self.ids(byCustomizationType="FINE_TUNING"))
        for some in (vectors, anthropic, on_demand, tuned):
            self.assertTrue(some and some < everything)
        self.assertEqual(set(self.ids(byProvider="Cohere", byOutputModality="EMBEDDING")), vectors - {
            id for id in vectors if id.startswith("amazon.")
        })
        self.assertEqual(self.ids(byProvider="Nobody"), [])

    def test_an_unknown_filter_value_is_refused(self):
        message = self.refused(
            "ValidationException", 400, self.bedrock.list_foundation_models, byInferenceType="SOMETIMES"
        )
        self.assertIn("Value 'SOMETIMES' at 'byInferenceType' failed to satisfy constraint", message)

    def test_every_listed_model_can_be_had_alone(self):
        for listed in self.bedrock.list_foundation_models()["modelSummaries"]:
            one = self.bedrock.get_foundation_model(modelIdentifier=listed["modelId"])["modelDetails"]
            self.assertEqual(one, listed)
        arn = self.bedrock.get_foundation_model(
            modelIdentifier=f"arn:aws:bedrock:{REGION}::foundation-model/{MODELS['base']}"
        )
        self.assertEqual(arn["modelDetails"]["modelId"], MODELS["base"])
        self.assertTrue(arn["modelDetails"]["responseStreamingSupported"])
        self.assertEqual(arn["modelDetails"]["modelLifecycle"]["status"], "ACTIVE")

    def test_a_model_that_nobody_makes(self):
        call = self.bedrock.get_foundation_model
        self.refused("ResourceNotFoundException", 404, call, modelIdentifier="nobody.makes-this-v1:0")

    def test_availability(self):
        answer = self.bedrock.get_foundation_model_availability(modelId=MODELS["base"])
        self.assertEqual(answer["authorizationStatus"], "AUTHORIZED")
        self.assertEqual(answer["regionAvailability"], "AVAILABLE")

    def test_the_use_case_form_is_kept(self):
        form = b'{"companyName": "Example"}'
        self.bedrock.put_use_case_for_model_access(formData=form)
        self.assertEqual(self.bedrock.get_use_case_for_model_access()["formData"], form)

    def test_another_region_has_other_models(self):
        elsewhere = self.client("bedrock", region="eu-central-1").list_foundation_models()
        arns = {model["modelArn"].split(":")[3] for model in elsewhere["modelSummaries"]}
        self.assertEqual(arns, {"eu-central-1"})
        self.assertNotEqual({m["modelId"] for m in elsewhere["modelSummaries"]}, set(self.ids()))


class Profiles(ServiceTest):
    def setUp(self):
        super().setUp()
        self.bedrock = self.client("bedrock")

    def test_pages_add_up_to_the_whole(self):
        whole = self.bedrock.list_inference_profiles()["inferenceProfileSummaries"]
        paginator = self.bedrock.get_paginator("list_inference_profiles")
        pages = list(paginator.paginate(PaginationConfig={"PageSize": 7}))
        self.assertGreater(len(pages), 2)
        self.assertTrue(all(len(page["inferenceProfileSummaries"]) == 7 for page in pages[:-1]))
        self.assertEqual([p for page in pages for p in page["inferenceProfileSummaries"]], whole)
        self.assertEqual({p["type"] for p in whole}, {"SYSTEM_DEFINED"})
        self.assertIn(MODELS["haiku"], [p["inferenceProfileId"] for p in whole])

    def test_a_page_token_of_nobody_is_refused(self):
        self.refused("ValidationException", 400, self.bedrock.list_inference_profiles, nextToken="xyz")

    def test_every_listed_profile_can_be_had_by_id_and_by_arn(self):
        for listed in self.bedrock.list_inference_profiles()["inferenceProfileSummaries"]:
            for name in ("inferenceProfileId", "inferenceProfileArn"):
                one = self.bedrock.get_inference_profile(inferenceProfileIdentifier=listed[name])
                one.pop("ResponseMetadata")
                self.assertEqual(one, listed)
        haiku = self.bedrock.get_inference_profile(inferenceProfileIdentifier=MODELS["haiku"])
        regions = {model["modelArn"].split(":")[3] for model in haiku["models"]}
        self.assertIn(REGION, regions)
        self.assertGreater(len(regions), 1)

    def test_a_profile_that_is_not_there(self):
        call = self.bedrock.get_inference_profile
        self.refused("ResourceNotFoundException", 404, call, inferenceProfileIdentifier="us.nobody.x-v1:0")

    def test_an_application_profile_is_made_used_and_deleted(self):
        source = self.bedrock.get_inference_profile(inferenceProfileIdentifier=MODELS["haiku"])
        made = self.bedrock.create_inference_profile(
            inferenceProfileName="billing team",
            description="Costs of billing",
            modelSource={"copyFrom": source["inferenceProfileArn"]},
            tags=[{"key": "team", "value": "billing"}],
        )
        self.assertEqual(made["status"], "ACTIVE")
        arn = made["inferenceProfileArn"]
        self.assertRegex(arn, f"^arn:aws:bedrock:{REGION}:{ACCOUNT}:application-inference-profile/[a-z0-9]+$")

        one = self.bedrock.get_inference_profile(inferenceProfileIdentifier=arn)
        self.assertEqual((one["type"], one["description"]), ("APPLICATION", "Costs of billing"))
        self.assertEqual(one["models"], source["models"])
        listed = self.bedrock.list_inference_profiles(typeEquals="APPLICATION")["inferenceProfileSummaries"]
        self.assertIn(arn, [p["inferenceProfileArn"] for p in listed])
        self.assertTrue(text_of(converse(self.client("bedrock-runtime"), model=arn)))

        create = self.bedrock.create_inference_profile
        again = {"inferenceProfileName": "billing team", "modelSource": {"copyFrom": one["inferenceProfileArn"]}}
        self.refused("ConflictException", 400, create, **again)
        self.bedrock.delete_inference_profile(inferenceProfileIdentifier=arn)
        get = self.bedrock.get_inference_profile
        self.refused("ResourceNotFoundException", 404, get, inferenceProfileIdentifier=arn)
        runtime = self.client("bedrock-runtime")
        user = [{"role": "user", "content": [{"text": "Hi"}]}]
        self.refused("ValidationException", 400, runtime.converse, modelId=arn, messages=user)


class Logging(ServiceTest):
    def test_logging_is_configured_read_used_and_switched_off(self):
        bedrock, logs = self.client("bedrock"), self.client("logs")
        self.assertNotIn("loggingConfig", bedrock.get_model_invocation_logging_configuration())
        config = {
            "cloudWatchConfig": {
                "logGroupName": "/lesson/invocations",
                "roleArn": f"arn:aws:iam::{ACCOUNT}:role/BedrockLogging",
                "largeDataDeliveryS3Config": {"bucketName": "lesson-large", "keyPrefix": "large"},
            },
            "s3Config": {"bucketName": "lesson-logs", "keyPrefix": "all"},
            "textDataDeliveryEnabled": True,
            "imageDataDeliveryEnabled": False,
            "embeddingDataDeliveryEnabled": True,
        }
        bedrock.put_model_invocation_logging_configuration(loggingConfig=config)
        got = bedrock.get_model_invocation_logging_configuration()["loggingConfig"]
        self.assertLessEqual(config.items(), got.items())

        answer = converse(self.client("bedrock-runtime"), "A word to be logged: marzipan.")
        found = logs.filter_log_events(logGroupName="/lesson/invocations", filterPattern="marzipan")
        [event] = found["events"]
        self.assertIn(answer["ResponseMetadata"]["RequestId"], event["message"])
        self.assertEqual(event["logStreamName"], "aws/bedrock/modelinvocations")

        bedrock.delete_model_invocation_logging_configuration()
        self.assertNotIn("loggingConfig", bedrock.get_model_invocation_logging_configuration())
        converse(self.client("bedrock-runtime"), "A word not to be logged: nougat.")
        found = logs.filter_log_events(logGroupName="/lesson/invocations", filterPattern="nougat")
        self.assertEqual(found["events"], [])

    def test_a_bucket_of_two_letters_is_refused(self):
        # botocore checks lengths before it sends; other clients do not.
        put = self.client("bedrock", unchecked=True).put_model_invocation_logging_configuration
        message = self.refused(
            "ValidationException", 400, put, loggingConfig={"s3Config": {"bucketName": "no"}}
        )
        self.assertIn("loggingConfig.s3Config.bucketName", message)
        self.assertIn("Member must have length greater than or equal to 3", message)


if __name__ == "__main__":
    unittest.main()
