"""Anthropic's Python SDK on Anthropic's own paths on Bedrock (`bedrock-mantle`)."""

import anthropic
import pytest
from anthropic import (
    AnthropicBedrockMantle,
    AsyncAnthropicBedrockMantle,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
)
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from emulator import MODELS, long_text

CLIENT = "anthropic (Python), AnthropicBedrockMantle"
# This host takes the bare id.
MODEL = MODELS["current_base"]

WEATHER = {
    "name": "weather",
    "description": "The weather in a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
        "required": ["city", "days"],
    },
}
KEY = "ABSKa-key-of-this-test-only"


def client(**options):
    return AnthropicBedrockMantle(**({"max_retries": 0} | options))


def ask(text):
    return [{"role": "user", "content": text}]


def create(**options):
    return client().messages.create(**({"model": MODEL, "max_tokens": 300} | options))


def test_plain(own_emulator):
    own = own_emulator()
    message = create(messages=ask("Name one river."), system="You are brief.")
    assert message.stop_reason == "end_turn"
    assert message.content[0].text
    assert message._request_id.startswith("req_")
    [entry] = own.requests(1)
    assert (entry["operation"], entry["model"]) == ("Messages", MODEL)
    assert entry["caller"]["service"] == "bedrock-mantle"


def test_plain_short_names_of_dated_models():
    short = MODELS["base"].rsplit("-", 2)[0]
    assert create(model=short, messages=ask("Hello")).content[0].text


async def test_plain_asynchronous():
    async with AsyncAnthropicBedrockMantle(max_retries=0) as asynchronous:
        message = await asynchronous.messages.create(model=MODEL, max_tokens=50, messages=ask("Hello"))
    assert message.content[0].text


def test_plain_api_keys(own_emulator):
    own = own_emulator(f'[[api_key]]\ntoken = "{KEY}"\narn = "arn:aws:iam::123456789012:user/key"\n')
    assert client(api_key=KEY).messages.create(model=MODEL, max_tokens=50, messages=ask("Hello")).content
    # The same key under Anthropic's own header, as its first-party client sends it.
    first_party = anthropic.Anthropic(api_key=KEY, base_url=own.url + "/anthropic", max_retries=0)
    assert first_party.messages.create(model=MODEL, max_tokens=50, messages=ask("Hello")).content
    with pytest.raises(AuthenticationError):
        client(api_key="ABSKwrong").messages.create(model=MODEL, max_tokens=50, messages=ask("Hello"))


def test_stream_accumulates_to_a_message():
    with client().messages.stream(model=MODEL, max_tokens=200, messages=ask("Tell me about tides.")) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    assert message.content[0].text == text
    assert message.stop_reason == "end_turn"


def test_stream_is_server_sent_events_with_a_ping():
    options = {"model": MODEL, "max_tokens": 50, "messages": ask("Hello"), "stream": True}
    with client().messages.with_streaming_response.create(**options) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in response.iter_lines() if line.startswith("event: ")]
    kinds = list(dict.fromkeys(line.removeprefix("event: ") for line in lines))
    assert kinds == ["message_start", "content_block_start", "ping", "content_block_delta",
                     "content_block_stop", "message_delta", "message_stop"]


def test_tools_forced_whole_and_in_a_stream():
    options = {"messages": ask("Lisbon, 3 days"), "tools": [WEATHER], "tool_choice": {"type": "any"}}
    message = create(**options)
    assert message.stop_reason == "tool_use"
    Draft202012Validator(WEATHER["input_schema"]).validate(message.content[-1].input)
    with client().messages.stream(model=MODEL, max_tokens=200, **options) as stream:
        streamed = stream.get_final_message()
    Draft202012Validator(WEATHER["input_schema"]).validate(streamed.content[-1].input)


class Person(BaseModel):
    name: str
    age: int


def test_structured_output_is_parsed():
    message = client().messages.parse(
        model=MODEL, max_tokens=400, messages=ask("Describe Ada, 36."), output_format=Person
    )
    assert isinstance(message.parsed_output, Person)


def test_errors_are_anthropics():
    with pytest.raises(BadRequestError) as caught:
        create(messages=[{"role": "user", "content": ""}])
    body = caught.value.body
    assert body["type"] == "error" and body["error"]["type"] == "invalid_request_error"
    assert body["request_id"] == caught.value.request_id
    assert body["request_id"].startswith("req_")
    with pytest.raises(NotFoundError, match="no-such-model"):
        create(model="anthropic.no-such-model", messages=ask("x"))
    with pytest.raises(NotFoundError, match="reached the end of its life"):
        create(model=MODELS["ended"], messages=ask("x"))
    with pytest.raises(AuthenticationError):
        wrong = client(aws_access_key="AKIANOBODY0000000000", aws_secret_key="wrong")
        wrong.messages.create(model=MODEL, max_tokens=10, messages=ask("x"))


def test_errors_of_permission(own_emulator):
    policy = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"bedrock:*",'
              '"Resource":"*"}]}')
    own_emulator(f"[[policy]]\ndocument = '''{policy}'''\n")
    with pytest.raises(PermissionDeniedError, match="not authorized to perform: bedrock-mantle:CreateInference"):
        create(messages=ask("x"))


def test_retries_of_throttled_calls_and_of_nothing_else(own_emulator):
    own = own_emulator("requests_per_minute = 1\n")
    patient = client(max_retries=1)
    patient.messages.create(model=MODEL, max_tokens=10, messages=ask("x"))
    with pytest.raises(RateLimitError):
        patient.messages.create(model=MODEL, max_tokens=10, messages=ask("x"))
    with pytest.raises(NotFoundError):
        patient.messages.create(model="no.such-model", max_tokens=10, messages=ask("x"))
    assert [e["status"] for e in own.requests(4)] == [200, 429, 429, 404]


def test_caching_writes_then_reads():
    block = {"type": "text", "text": long_text(MODELS["current_cache_minimum"], "mantles"),
             "cache_control": {"type": "ephemeral"}}
    first, second = (create(system=[block], messages=ask(q)).usage for q in ("One?", "Two?"))
    assert first.cache_creation_input_tokens == second.cache_read_input_tokens > 0


def test_thinking_in_a_stream():
    with client().messages.stream(
        model=MODEL, max_tokens=2000, messages=ask("How many legs have two cats? Think hard."),
        thinking={"type": "adaptive", "display": "summarized"}, output_config={"effort": "high"},
    ) as stream:
        message = stream.get_final_message()
    thought, text = message.content
    assert thought.thinking and thought.signature and text.text


def test_counting_is_what_usage_says():
    request = {"model": MODEL, "system": "You are brief.", "tools": [WEATHER], "messages": ask("Say hello.")}
    counted = client().messages.count_tokens(**request).input_tokens
    assert counted == create(**request).usage.input_tokens
