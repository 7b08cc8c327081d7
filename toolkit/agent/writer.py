"""The pydantic-ai agent that writes Terraform: instructions, tools and hooks put together."""

from opentelemetry.sdk.trace import TracerProvider
from pydantic_ai import Agent
from pydantic_ai.capabilities import AbstractCapability, Instrumentation
from pydantic_ai.models import Model
from pydantic_ai.models.instrumented import InstrumentationSettings

from toolkit.agent.deps import Deps
from toolkit.agent.farewell import ENDING
from toolkit.agent.hooks import RunHooks
from toolkit.agent.prompts import instructions
from toolkit.agent.tools import TOOLS

RETRIES = 5


def make_writer(
    model: Model,
    tracing: TracerProvider | None = None,
    *,
    include_content: bool = True,
    brought: bool = False,
    follows: bool = False,
    chat: bool = False,
) -> Agent[Deps, str]:
    """An agent over the model (`Lineup.as_one`); its spans go to the given provider and nowhere else.

    Without `include_content` they do not say what the model and the tools said. Images are never in them:
    they lie in the runs bucket, and each request would repeat them. `brought` says that the workspace holds
    files of the user's, `follows` that the run goes on from an earlier one, `chat` that somebody may answer:
    then the model may end the conversation.
    """
    capabilities: list[AbstractCapability[Deps]] = [RunHooks()]
    if tracing is not None:
        settings = InstrumentationSettings(
            tracer_provider=tracing,
            include_content=include_content,
            include_binary_content=False,
            version=5,
        )
        capabilities.append(Instrumentation(settings))
    return Agent(
        model,
        name="writer",
        deps_type=Deps,
        output_type=[str, ENDING] if chat else str,
        instructions=instructions(brought=brought, follows=follows, chat=chat),
        tools=TOOLS,
        retries={"tools": RETRIES, "output": 1},
        capabilities=capabilities,
    )
