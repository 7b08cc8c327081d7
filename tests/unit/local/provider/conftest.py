"""A MiniStack process of the tests' own, and a way to drive the provider as an engine does."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.protobuf import json_format
from provider_world import REGION, World
from pulumi.runtime.proto import provider_pb2

from toolkit.emulator import Emulator
from toolkit.local.provider import EmulatorProvider
from toolkit.local.provider.clients import Clients
from toolkit.local.provider.wire import from_struct, to_struct


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    made = Emulator(tmp_path_factory.mktemp("emulator"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def clients(emulator: Emulator) -> Clients:
    return Clients(emulator.endpoint, REGION, emulator.key, emulator.secret)


@dataclass
class Engine:
    """Calls the provider as an engine does: inputs in, ids and properties out."""

    provider: Any
    made: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def urn(self, token: str, name: str) -> str:
        return f"urn:pulumi:dev::tfkit::tfkit:index:Foundation${token}::{name}"

    def check(self, token: str, inputs: dict[str, Any], name: str = "it") -> dict[str, str]:
        request = provider_pb2.CheckRequest(urn=self.urn(token, name), news=to_struct(inputs))
        return {failure.property: failure.reason for failure in self.provider.Check(request, None).failures}

    def diff(self, token: str, news: dict[str, Any], olds: dict[str, Any]) -> Any:
        return self.provider.Diff(
            provider_pb2.DiffRequest(
                urn=self.urn(token, "it"), id="x", news=to_struct(news), old_inputs=to_struct(olds)
            ),
            None,
        )

    def create(
        self, token: str, inputs: dict[str, Any], name: str = "it", preview: bool = False
    ) -> tuple[str, dict[str, Any]]:
        assert self.check(token, inputs, name) == {}
        request = provider_pb2.CreateRequest(
            urn=self.urn(token, name), properties=to_struct(inputs), preview=preview
        )
        answer = self.provider.Create(request, None)
        if not preview:
            self.made.append((token, answer.id, from_struct(answer.properties)))
        return answer.id, from_struct(answer.properties)

    def read(
        self, token: str, id_: str, state: dict[str, Any], inputs: dict[str, Any]
    ) -> tuple[str, Any, Any]:
        request = provider_pb2.ReadRequest(
            urn=self.urn(token, "it"), id=id_, properties=to_struct(state), inputs=to_struct(inputs)
        )
        answer = self.provider.Read(request, None)
        return answer.id, from_struct(answer.properties), json_format.MessageToDict(answer.inputs)

    def update(
        self, token: str, id_: str, olds: dict[str, Any], old_inputs: dict[str, Any], news: dict[str, Any]
    ) -> dict[str, Any]:
        assert self.check(token, news) == {}
        request = provider_pb2.UpdateRequest(
            urn=self.urn(token, "it"),
            id=id_,
            olds=to_struct(olds),
            old_inputs=to_struct(old_inputs),
            news=to_struct(news),
        )
        return from_struct(self.provider.Update(request, None).properties)

    def delete(self, token: str, id_: str, state: dict[str, Any]) -> None:
        request = provider_pb2.DeleteRequest(urn=self.urn(token, "it"), id=id_, properties=to_struct(state))
        self.provider.Delete(request, None)


@pytest.fixture
def engine(emulator: Emulator) -> Iterator[Engine]:
    """An engine whose resources are deleted after the test, newest first."""
    made = Engine(EmulatorProvider(emulator.endpoint, REGION, emulator.key, emulator.secret))
    yield made
    for token, id_, state in reversed(made.made):
        made.delete(token, id_, {**state, "forceDestroy": True, "forceDelete": True})


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine, f"tfkit-{uuid.uuid4().hex[:8]}")
