"""pydantic-ai: agents whose tools and results are typed."""

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput, ToolOutput
from pydantic_ai.exceptions import ModelHTTPError, UsageLimitExceeded
from pydantic_ai.messages import ThinkingPart, ToolCallPart, UserPromptPart, ModelRequest
from pydantic_ai.models.bedrock import BedrockConverseModel
from pydantic_ai.usage import UsageLimits

from emulator import MODELS, long_text

CLIENT = "pydantic-ai"


class Person(BaseModel):
    name: str
    age: int


def agent(**options):
    return Agent(BedrockConverseModel(MODELS["haiku"]), **options)


async def test_plain():
    result = await agent(instructions="You are brief.").run("Name one river.")
    assert result.output
    assert result.usage.input_tokens > 0 and result.usage.output_tokens > 0


async def test_stream():
    async with agent().run_stream("Tell me about tides.") as result:
        pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
    assert len(pieces) > 1
    assert result.usage.output_tokens > 0


async def test_tools_are_called_and_their_results_used():
    asked = []
    helper = agent()

    @helper.tool_plain
    def weather(city: str) -> str:
        """The weather in a city."""
        asked.append(city)
        return "hail, 7 degrees"

    result = await helper.run("Use the weather tool for the city Lisbon.")
    assert asked == ["Lisbon"]
    assert "hail" in result.output


async def test_tools_in_a_stream():
    asked = []
    helper = agent()

    @helper.tool_plain
    def weather(city: str) -> str:
        """The weather in a city."""
        asked.append(city)
        return "hail, 7 degrees"

    async with helper.run_stream("Use the weather tool for the city Lisbon.") as result:
        assert "hail" in await result.get_output()
    assert asked == ["Lisbon"]


@pytest.mark.parametrize("output", [ToolOutput, NativeOutput])
async def test_structured_output(output):
    result = await agent(output_type=output(Person)).run("Describe Ada, 36.")
    assert isinstance(result.output, Person)


async def test_errors_carry_status_and_body():
    wrong = Agent(BedrockConverseModel("no.such-model"))
    with pytest.raises(ModelHTTPError) as caught:
        await wrong.run("x")
    assert caught.value.status_code == 400
    assert caught.value.body["Error"]["Message"] == "The provided model identifier is invalid."
    ended = Agent(BedrockConverseModel(MODELS["ended"]))
    with pytest.raises(ModelHTTPError) as caught:
        await ended.run("x")
    assert caught.value.status_code == 404


async def test_retries_are_botos(own_emulator, monkeypatch):
    own = own_emulator("requests_per_minute = 1\n")
    monkeypatch.setenv("AWS_RETRY_MODE", "standard")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    await agent().run("x")
    with pytest.raises(ModelHTTPError) as caught:
        await agent().run("x")
    assert caught.value.status_code == 429
    assert [(e["status"], e["attempt"]) for e in own.requests(3)] == [(200, 1), (429, 1), (429, 2)]


async def test_caching_writes_then_reads():
    helper = agent(instructions=long_text(MODELS["cache_minimum"], "agents"),
                   model_settings={"bedrock_cache_instructions": True})
    first, second = [(await helper.run(q)).usage for q in ("One?", "Two?")]
    assert first.cache_write_tokens == second.cache_read_tokens > 0


async def test_thinking_comes_back_signed():
    fields = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    helper = agent(model_settings={"bedrock_additional_model_requests_fields": fields, "max_tokens": 2000})

    @helper.tool_plain
    def weather(city: str) -> str:
        """The weather in a city."""
        return "hail"

    result = await helper.run("Use the weather tool for the city Lisbon.")
    parts = [part for message in result.all_messages() for part in message.parts]
    [thought, *_] = [part for part in parts if isinstance(part, ThinkingPart)]
    assert thought.content and thought.signature
    assert any(isinstance(part, ToolCallPart) for part in parts)


async def test_counting_limits_a_run_before_it_is_paid_for():
    limits = UsageLimits(input_tokens_limit=20, count_tokens_before_request=True)
    with pytest.raises(UsageLimitExceeded):
        await agent().run(long_text(500), usage_limits=limits)
    short = "Name one river."
    result = await agent().run(short, usage_limits=limits)
    model = BedrockConverseModel(MODELS["haiku"])
    _, parameters = model.prepare_request(None, agent_parameters())
    counted = await model.count_tokens([ModelRequest(parts=[UserPromptPart(short)])], None, parameters)
    assert counted.input_tokens == result.usage.input_tokens


def agent_parameters():
    from pydantic_ai.models import ModelRequestParameters

    return ModelRequestParameters()
