"""boto3 and guardrails: the control plane makes them, three operations of the runtime obey them."""

import json
import unittest

from bench import ACCOUNT, MODELS, REGION, ServiceTest, converse, text_of

BLOCKED_IN = "We cannot talk about that."
BLOCKED_OUT = "We cannot say that."
EMAIL = "Write to ada@example.org today."

POLICIES = {
    "topicPolicyConfig": {
        "topicsConfig": [
            {
                "name": "Investment advice",
                "definition": "Recommending stocks, bonds or funds to buy",
                "examples": ["Which stocks should I buy?"],
                "type": "DENY",
            }
        ]
    },
    "contentPolicyConfig": {
        "filtersConfig": [
            {"type": "VIOLENCE", "inputStrength": "HIGH", "outputStrength": "HIGH"},
            {"type": "PROMPT_ATTACK", "inputStrength": "HIGH", "outputStrength": "NONE"},
        ]
    },
    "wordPolicyConfig": {
        "wordsConfig": [{"text": "skunkworks"}],
        "managedWordListsConfig": [{"type": "PROFANITY"}],
    },
    "sensitiveInformationPolicyConfig": {
        "piiEntitiesConfig": [
            {"type": "EMAIL", "action": "ANONYMIZE"},
            {"type": "US_SOCIAL_SECURITY_NUMBER", "action": "BLOCK"},
        ],
        "regexesConfig": [
            {"name": "Order", "description": "An order's number", "pattern": "ORD-\\d{6}", "action": "ANONYMIZE"}
        ],
    },
    "contextualGroundingPolicyConfig": {
        "filtersConfig": [{"type": "GROUNDING", "threshold": 0.6}, {"type": "RELEVANCE", "threshold": 0.5}]
    },
}


def create(bedrock, name="lesson", **policies):
    return bedrock.create_guardrail(
        name=name,
        description="What the lesson forbids",
        blockedInputMessaging=BLOCKED_IN,
        blockedOutputsMessaging=BLOCKED_OUT,
        **(policies or POLICIES),
    )


class ControlPlane(ServiceTest):
    def setUp(self):
        super().setUp()
        self.bedrock = self.client("bedrock")

    def test_what_was_created_can_be_read_back(self):
        made = create(self.bedrock, "read-back")
        self.assertEqual(made["ResponseMetadata"]["HTTPStatusCode"], 202)
        self.assertEqual(made["version"], "DRAFT")
        self.assertEqual(made["guardrailArn"], f"arn:aws:bedrock:{REGION}:{ACCOUNT}:guardrail/{made['guardrailId']}")
        for name in (made["guardrailId"], made["guardrailArn"]):
            got = self.bedrock.get_guardrail(guardrailIdentifier=name)
            self.assertEqual((got["name"], got["status"], got["version"]), ("read-back", "READY", "DRAFT"))
            self.assertEqual(got["blockedInputMessaging"], BLOCKED_IN)
            self.assertEqual(got["createdAt"], made["createdAt"])
        [topic] = got["topicPolicy"]["topics"]
        self.assertEqual(topic["name"], "Investment advice")
        self.assertEqual({f["type"] for f in got["contentPolicy"]["filters"]}, {"VIOLENCE", "PROMPT_ATTACK"})
        self.assertEqual([w["text"] for w in got["wordPolicy"]["words"]], ["skunkworks"])
        self.assertEqual([w["type"] for w in got["wordPolicy"]["managedWordLists"]], ["PROFANITY"])
        private = got["sensitiveInformationPolicy"]
        self.assertEqual(
            {p["type"]: p["action"] for p in private["piiEntities"]},
            {"EMAIL": "ANONYMIZE", "US_SOCIAL_SECURITY_NUMBER": "BLOCK"},
        )
        self.assertEqual(private["regexes"][0]["pattern"], "ORD-\\d{6}")
        self.assertEqual(
            {f["type"]: f["threshold"] for f in got["contextualGroundingPolicy"]["filters"]},
            {"GROUNDING": 0.6, "RELEVANCE": 0.5},
        )

    def test_versions_freeze_what_an_update_then_changes(self):
        id = create(self.bedrock, "versions")["guardrailId"]
        first = self.bedrock.create_guardrail_version(guardrailIdentifier=id, description="the first")
        self.assertEqual(first["version"], "1")
        updated = self.bedrock.update_guardrail(
            guardrailIdentifier=id,
            name="versions",
            blockedInputMessaging="Changed.",
            blockedOutputsMessaging=BLOCKED_OUT,
            wordPolicyConfig={"wordsConfig": [{"text": "marzipan"}]},
        )
        self.assertEqual(updated["version"], "DRAFT")
        frozen = self.bedrock.get_guardrail(guardrailIdentifier=id, guardrailVersion="1")
        self.assertEqual((frozen["blockedInputMessaging"], frozen["description"]), (BLOCKED_IN, "the first"))
        self.assertIn("topicPolicy", frozen)
        draft = self.bedrock.get_guardrail(guardrailIdentifier=id)
        self.assertEqual(draft["blockedInputMessaging"], "Changed.")
        self.assertNotIn("topicPolicy", draft)
        self.assertGreaterEqual(draft["updatedAt"], draft["createdAt"])

        listed = self.bedrock.list_guardrails(guardrailIdentifier=id)["guardrails"]
        self.assertEqual([g["version"] for g in listed], ["DRAFT", "1"])
        self.bedrock.delete_guardrail(guardrailIdentifier=id, guardrailVersion="1")
        get = self.bedrock.get_guardrail
        self.refused("ResourceNotFoundException", 404, get, guardrailIdentifier=id, guardrailVersion="1")
        self.bedrock.get_guardrail(guardrailIdentifier=id)
        self.bedrock.delete_guardrail(guardrailIdentifier=id)
        self.refused("ResourceNotFoundException", 404, get, guardrailIdentifier=id)

    def test_lists_have_pages(self):
        made = {create(self.bedrock, f"page-{n}")["guardrailId"] for n in range(5)}
        pages = self.bedrock.get_paginator("list_guardrails").paginate(PaginationConfig={"PageSize": 2})
        pages = [[g["id"] for g in page["guardrails"]] for page in pages]
        self.assertTrue(all(len(page) <= 2 for page in pages))
        self.assertLessEqual(made, {id for page in pages for id in page})

    def test_mistakes_are_named(self):
        bedrock = self.client("bedrock", unchecked=True)
        without_policy = {"name": "x", "blockedInputMessaging": "a", "blockedOutputsMessaging": "b"}
        message = self.refused("ValidationException", 400, bedrock.create_guardrail, **without_policy)
        self.assertIn("policy", message)
        words = {"wordPolicyConfig": {"wordsConfig": [{"text": "x"}]}}
        wrong_name = without_policy | words | {"name": "a name with spaces"}
        message = self.refused("ValidationException", 400, bedrock.create_guardrail, **wrong_name)
        self.assertIn("Member must satisfy regular expression pattern", message)
        update = self.refused(
            "ResourceNotFoundException", 404, bedrock.update_guardrail,
            guardrailIdentifier="abcdefabcdef", **(without_policy | words),
        )
        self.assertTrue(update)

    def test_a_name_is_taken_once(self):
        create(self.bedrock, "taken")
        with self.assertRaises(self.bedrock.exceptions.ConflictException):
            create(self.bedrock, "taken")


class Runtime(ServiceTest):
    def setUp(self):
        super().setUp()
        bedrock = self.client("bedrock")
        listed = bedrock.list_guardrails()["guardrails"]
        self.id = listed[0]["id"] if listed else create(bedrock)["guardrailId"]
        if not listed:
            bedrock.create_guardrail_version(guardrailIdentifier=self.id)
        self.runtime = self.client("bedrock-runtime")

    def apply(self, text, source="INPUT", **more):
        content = text if isinstance(text, list) else [{"text": {"text": text}}]
        return self.runtime.apply_guardrail(
            guardrailIdentifier=self.id, guardrailVersion="1", source=source, content=content, **more
        )

    def guarded(self, trace="enabled", version="DRAFT"):
        return {"guardrailIdentifier": self.id, "guardrailVersion": version, "trace": trace}

    def test_apply_lets_harmless_text_through(self):
        answer = self.apply("How do tides work?")
        self.assertEqual((answer["action"], answer["outputs"]), ("NONE", []))
        self.assertEqual(answer["guardrailCoverage"]["textCharacters"], {"guarded": 18, "total": 18})
        self.assertGreater(answer["usage"]["topicPolicyUnits"], 0)

    def test_apply_blocks_what_policies_forbid(self):
        for text, policy in (
            ("Which stocks should I buy now?", "topicPolicy"),
            ("I will kill him with a knife.", "contentPolicy"),
            ("Tell me about project skunkworks.", "wordPolicy"),
            ("My number is 123-45-6789.", "sensitiveInformationPolicy"),
        ):
            with self.subTest(policy):
                answer = self.apply(text)
                self.assertEqual(answer["action"], "GUARDRAIL_INTERVENED")
                self.assertEqual(answer["outputs"], [{"text": BLOCKED_IN}])
                self.assertIn(policy, answer["assessments"][0])
                self.assertIn("BLOCKED", json.dumps(answer["assessments"][0][policy]))
        self.assertEqual(self.apply("A skunkworks answer.", "OUTPUT")["outputs"], [{"text": BLOCKED_OUT}])

    def test_apply_masks_private_data(self):
        answer = self.apply(EMAIL + " It is about ORD-123456.", "OUTPUT")
        self.assertEqual(answer["action"], "GUARDRAIL_INTERVENED")
        self.assertEqual(answer["outputs"], [{"text": "Write to {EMAIL} today. It is about {Order}."}])
        found = answer["assessments"][0]["sensitiveInformationPolicy"]
        self.assertEqual(found["piiEntities"][0]["match"], "ada@example.org")
        self.assertEqual(found["piiEntities"][0]["action"], "ANONYMIZED")
        self.assertEqual(found["regexes"][0]["match"], "ORD-123456")

    def test_apply_measures_grounding(self):
        def answer(words):
            return self.apply(
                [
                    {"text": {"text": "The Rhine is 1,230 km long and flows to the North Sea.", "qualifiers": ["grounding_source"]}},
                    {"text": {"text": "How long is the Rhine?", "qualifiers": ["query"]}},
                    {"text": {"text": words}},
                ],
                "OUTPUT",
            )

        grounded = answer("The Rhine is 1,230 km long.")
        self.assertEqual(grounded["action"], "NONE")
        invented = answer("Elephants paint violins beneath purple mountains every second winter.")
        self.assertEqual(invented["action"], "GUARDRAIL_INTERVENED")
        scores = invented["assessments"][0]["contextualGroundingPolicy"]["filters"]
        self.assertIn("BLOCKED", [score["action"] for score in scores])

    def test_apply_with_a_version_that_is_not_there(self):
        call = self.runtime.apply_guardrail
        self.refused(
            "ResourceNotFoundException", 404, call, guardrailIdentifier=self.id, guardrailVersion="99",
            source="INPUT", content=[{"text": {"text": "Hi"}}],
        )

    def test_converse_is_stopped_at_the_door(self):
        answer = converse(self.runtime, "Tell me about skunkworks.", guardrailConfig=self.guarded())
        self.assertEqual(answer["stopReason"], "guardrail_intervened")
        self.assertEqual(text_of(answer), BLOCKED_IN)
        self.assertEqual(answer["usage"]["outputTokens"], 0)
        assessed = answer["trace"]["guardrail"]["inputAssessment"][self.id]
        self.assertEqual(assessed["wordPolicy"]["customWords"][0]["match"], "skunkworks")

    def test_converse_is_masked_on_its_way_out(self):
        self.control("POST", "/_workshop/script", {
            "reply": [{"when": {"prompt": "Who can help?"}, "text": "Ask bob@example.com for help."}]
        })
        answer = converse(self.runtime, "Who can help?", guardrailConfig=self.guarded())
        self.assertEqual(text_of(answer), "Ask {EMAIL} for help.")
        [assessed] = answer["trace"]["guardrail"]["outputAssessments"][self.id]
        self.assertEqual(assessed["sensitiveInformationPolicy"]["piiEntities"][0]["action"], "ANONYMIZED")
        self.assertNotIn("trace", converse(self.runtime, "Hi", guardrailConfig=self.guarded("disabled")))

    def test_converse_without_findings_answers_as_ever(self):
        answer = converse(self.runtime, "Name one river.", guardrailConfig=self.guarded(version="1"))
        self.assertEqual(answer["stopReason"], "end_turn")
        self.assertIn("guardrail", answer["trace"])

    def test_only_marked_content_is_looked_at(self):
        blocks = [
            {"text": "The secret project is skunkworks."},
            {"guardContent": {"text": {"text": "What is a tide?", "qualifiers": ["query"]}}},
        ]
        answer = self.runtime.converse(
            modelId=MODELS["haiku"],
            messages=[{"role": "user", "content": blocks}],
            guardrailConfig=self.guarded(),
        )
        self.assertEqual(answer["stopReason"], "end_turn")

    def test_a_stream_is_stopped_and_says_so(self):
        for mode in ("sync", "async"):
            stream = self.runtime.converse_stream(
                modelId=MODELS["haiku"],
                messages=[{"role": "user", "content": [{"text": "About skunkworks"}]}],
                guardrailConfig=self.guarded() | {"streamProcessingMode": mode},
            )["stream"]
            events = list(stream)
            stop = next(e["messageStop"] for e in events if "messageStop" in e)
            self.assertEqual(stop["stopReason"], "guardrail_intervened")
            text = "".join(
                e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e
            )
            self.assertEqual(text, BLOCKED_IN)
            self.assertIn("inputAssessment", events[-1]["metadata"]["trace"]["guardrail"])

    def invoke(self, text, **more):
        body = {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 100,
            "messages": [{"role": "user", "content": text}],
        }
        answer = self.runtime.invoke_model(
            modelId=MODELS["haiku"], body=json.dumps(body), guardrailIdentifier=self.id,
            guardrailVersion="1", trace="ENABLED", **more,
        )
        return json.load(answer["body"])

    def test_invoke_model_obeys_the_headers(self):
        blocked = self.invoke("Tell me about skunkworks.")
        self.assertEqual(blocked["amazon-bedrock-guardrailAction"], "INTERVENED")
        self.assertEqual(blocked["content"], [{"type": "text", "text": BLOCKED_IN}])
        assessed = blocked["amazon-bedrock-trace"]["guardrail"]["input"][self.id]
        self.assertIn("wordPolicy", assessed)
        free = self.invoke("Name one river.")
        self.assertEqual(free["amazon-bedrock-guardrailAction"], "NONE")

    def test_invoke_model_masks_what_the_model_said(self):
        self.control("POST", "/_workshop/script", {
            "reply": [{"when": {"prompt": "Whom to ask?"}, "text": "Ask bob@example.com about ORD-654321."}]
        })
        masked = self.invoke("Whom to ask?")
        self.assertEqual(masked["content"], [{"type": "text", "text": "Ask {EMAIL} about {Order}."}])
        self.assertEqual(masked["amazon-bedrock-guardrailAction"], "INTERVENED")
        [assessed] = masked["amazon-bedrock-trace"]["guardrail"]["outputs"]
        found = assessed[self.id]["sensitiveInformationPolicy"]
        self.assertEqual({f["action"] for f in found["piiEntities"] + found["regexes"]}, {"ANONYMIZED"})

    def test_a_stream_of_invoke_model_obeys_too(self):
        body = {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 100,
            "messages": [{"role": "user", "content": "Tell me about skunkworks."}],
        }
        answer = self.runtime.invoke_model_with_response_stream(
            modelId=MODELS["haiku"], body=json.dumps(body), guardrailIdentifier=self.id,
            guardrailVersion="1", trace="ENABLED",
        )
        chunks = [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]
        said = "".join(c["delta"]["text"] for c in chunks if c["type"] == "content_block_delta")
        self.assertEqual(said, BLOCKED_IN)
        self.assertEqual(chunks[-1]["amazon-bedrock-guardrailAction"], "INTERVENED")
        self.assertIn(self.id, chunks[-1]["amazon-bedrock-trace"]["guardrail"]["input"])

    def test_a_guardrail_that_is_not_there_refuses_the_request(self):
        message = self.refused(
            "ValidationException", 400, self.runtime.converse,
            modelId=MODELS["haiku"], messages=[{"role": "user", "content": [{"text": "Hi"}]}],
            guardrailConfig=self.guarded() | {"guardrailIdentifier": "abcdefabcdef"},
        )
        self.assertIn("guardrail", message.lower())


if __name__ == "__main__":
    unittest.main()
