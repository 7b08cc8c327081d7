"""The Pulumi provider for the emulator: what pulumi-aws is to AWS, this is to MiniStack.

The programs in `stacks/` are written with the pulumi_aws classes and do not know where they run. On the
local target their requests come here, under the same type tokens and property names, and go to the
emulator through boto3. It is a real `ResourceProvider` of Pulumi's protocol:

    engine ──Check, Diff, Create, Read, Update, Delete, Invoke──▶ servicer.EmulatorProvider
                                                                     │  wire.py: Struct ↔ plain data
                                                                     │  compare.py: inputs with inputs
                                                                     ▼
                                    kinds.py: token → Kind (kind.py) ──▶ services/*.py ──boto3──▶ emulator

The embedded engine calls `EmulatorProvider`'s methods in its own process (context None); the Pulumi CLI
starts `serve.py` and calls them over gRPC. Each AWS service is a module of `services/`, each type a
class with a table of the properties it takes (`table.py` explains the notation). A property that no
table names is refused in Check, never ignored; a type that no module has is refused by name.

Create is safe to repeat: what an interrupted run left behind is found by name and adopted, but only
where it carries the same `tfkit:stack` tag.
"""

from toolkit.local.provider.errors import ProviderError
from toolkit.local.provider.servicer import EmulatorProvider

__all__ = ["EmulatorProvider", "ProviderError"]
