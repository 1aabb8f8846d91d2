"""LangChain's ChatBedrockConverse: LangChain's own published standard tests, and what they leave out."""

import httpx
import pytest
from botocore.exceptions import ClientError
from langchain_aws import ChatBedrockConverse
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from emulator import MODELS, long_text

CLIENT = "LangChain, ChatBedrockConverse"

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001"
    "e221bc330000000049454e44ae426082"
)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"

# Where a standard test belongs whose name does not begin with its behaviour.
BEHAVIOURS = {
    name: behaviour
    for behaviour, names in {
        "plain": """test_init test_init_from_env test_init_streaming test_serdes test_standard_params
            test_standard_params_model_override test_init_time test_invoke test_ainvoke
            test_invoke_with_model_override test_ainvoke_with_model_override test_batch test_abatch
            test_conversation test_double_messages_conversation test_usage_metadata test_stop_sequence
            test_pdf_inputs test_audio_inputs test_image_inputs test_anthropic_inputs
            test_message_with_name""",
        "stream": """test_astream test_astream_events_v3 test_astream_with_model_override
            test_usage_metadata_streaming""",
        "tools": """test_bind_tool_pydantic test_bind_runnables_as_tools test_tool_calling
            test_tool_calling_async test_tool_message_histories_string_content
            test_tool_message_histories_list_content test_tool_choice
            test_tool_calling_with_no_arguments test_tool_message_error_status test_image_tool_message
            test_pdf_tool_message test_agent_loop test_unicode_tool_call_integration""",
        "structured": "test_with_structured_output test_json_mode",
    }.items()
    for name in names.split()
}

# Standard tests that say nothing about an emulator, or cannot run outside LangChain's repository.
NOT_RUN = {
    "test_serdes": "test_serdes compares with a snapshot that only LangChain's own repository has",
    "test_anthropic_inputs": "test_anthropic_inputs sends thinking whose signature only Anthropic can verify",
    "test_init_time": "test_init_time measures LangChain's constructor",
}


@pytest.fixture(autouse=True)
def pictures_from_here(monkeypatch):
    """The standard tests fetch a picture and a document; they get small ones without a network."""
    def get(url, **_):
        content = PDF if url.endswith(".pdf") else PNG
        return httpx.Response(200, content=content, request=httpx.Request("GET", url))

    monkeypatch.setattr(httpx, "get", get)


class TestStandardUnit(ChatModelUnitTests):
    chat_model_class = ChatBedrockConverse
    chat_model_params = {"model": MODELS["haiku"]}
    init_from_env_params = (
        {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
         "AWS_DEFAULT_REGION": "us-east-1"},
        {"model": MODELS["haiku"]},
        {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "aws_session_token": "token"},
    )


class TestStandard(ChatModelIntegrationTests):
    chat_model_class = ChatBedrockConverse
    chat_model_params = {"model": MODELS["haiku"]}
    standard_chat_model_params = {"temperature": 0, "max_tokens": 300, "stop": []}
    supports_image_inputs = True
    supports_image_tool_message = True
    supports_pdf_inputs = True
    supports_pdf_tool_message = True
    supports_anthropic_inputs = True
    supported_usage_metadata_details = {
        "invoke": ["cache_read_input", "cache_creation_input"],
        "stream": ["cache_read_input", "cache_creation_input"],
    }

    def invoke_with_cache_creation_input(self, *, stream=False):
        return self.with_cache("standard creation", times=1, stream=stream)

    def invoke_with_cache_read_input(self, *, stream=False):
        return self.with_cache("standard read", times=2, stream=stream)

    def with_cache(self, about, times, stream):
        messages = [SystemMessage(cached(f"{about} {stream}")), HumanMessage("One?")]
        for _ in range(times):
            if stream:
                pieces = iter(model().stream(messages))
                answer = next(pieces)
                for piece in pieces:
                    answer += piece
            else:
                answer = model().invoke(messages)
        return answer


def model(**options):
    return ChatBedrockConverse(**({"model": MODELS["haiku"], "max_tokens": 2000} | options))


def cached(about):
    return [long_text(MODELS["cache_minimum"], about), {"cachePoint": {"type": "default"}}]


WEATHER = {
    "name": "weather",
    "description": "The weather in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def test_structured_output_by_the_models_own_format():
    schema = {"title": "Person", "type": "object", "additionalProperties": False,
              "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
              "required": ["name", "age"]}
    person = model().with_structured_output(schema, method="json_schema").invoke("Describe Ada, 36.")
    assert isinstance(person["age"], int)


def test_errors_are_botos():
    with pytest.raises(ClientError) as caught:
        model(model="anthropic.no-such-model").invoke("x")
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError) as caught:
        model(model=MODELS["ended"]).invoke("x")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_retries_are_botos(own_emulator, monkeypatch):
    own = own_emulator("requests_per_minute = 1\n")
    monkeypatch.setenv("AWS_RETRY_MODE", "standard")
    chat = model(max_retries=1)
    chat.invoke("x")
    with pytest.raises(ClientError, match="ThrottlingException"):
        chat.invoke("x")
    entries = [e for e in own.requests(3) if e["operation"] == "Converse"]
    assert [(e["status"], e["attempt"]) for e in entries] == [(200, 1), (429, 1), (429, 2)]


def test_caching_writes_then_reads():
    system = SystemMessage(cached("chains"))
    first, second = (
        model().invoke([system, HumanMessage(q)]).usage_metadata["input_token_details"]
        for q in ("One?", "Two?")
    )
    # Writes whose lifetime is known are told by it.
    assert first["ephemeral_5m_input_tokens"] == second["cache_read"] > 0


def test_thinking_round_trip():
    chat = model(additional_model_request_fields={"thinking": {"type": "enabled", "budget_tokens": 1024}})
    chat = chat.bind_tools([WEATHER])
    messages = [HumanMessage("Use the weather tool for the city Lisbon.")]
    first = chat.invoke(messages)
    assert first.content[0]["type"] == "reasoning_content"
    assert first.content[0]["reasoning_content"]["signature"]
    [call] = first.tool_calls
    messages += [first, ToolMessage("hail", tool_call_id=call["id"])]
    assert isinstance(chat.invoke(messages), AIMessage)


def test_counting_is_what_usage_says(own_emulator):
    own = own_emulator()
    messages = [HumanMessage("Name one river.")]
    counted = model(base_model=MODELS["base"]).get_num_tokens_from_messages(messages)
    # LangChain falls back to a guess when the call fails; the journal tells.
    assert own.requests(1)[-1]["operation"] == "CountTokens"
    assert counted == model().invoke(messages).usage_metadata["input_tokens"]
