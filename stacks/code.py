"""How Lambda gets the code of a function: an image for arm64, or a Zip for whatever the emulator runs on."""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from toolkit.contracts import PlatformConfig

AGENT_HANDLER = "index.handler"


@dataclass(frozen=True)
class Code:
    """The properties of a function that say what it runs; those of the other kind are None."""

    package_type: str
    image_uri: pulumi.Output[str] | None = None
    image_config: aws.lambda_.FunctionImageConfigArgs | None = None
    archive: pulumi.Archive | None = None
    handler: str | None = None
    runtime: str | None = None

    @property
    def architectures(self) -> list[str] | None:
        """What the image is built for; a Zip runs on anything."""
        return ["arm64"] if self.package_type == "Image" else None


def zip_code(config: PlatformConfig, handler: str = AGENT_HANDLER) -> Code:
    """The Zip of the local target, entered at a handler."""
    files: dict[str, pulumi.Asset | pulumi.Archive] = {
        path: pulumi.StringAsset(text) for path, text in config.agent_zip.items()
    }
    return Code("Zip", archive=pulumi.AssetArchive(files), handler=handler, runtime=config.agent_runtime)


def image_code(uri: pulumi.Output[str], handler: str = "") -> Code:
    """The image, entered at a handler, or at its own."""
    entry = aws.lambda_.FunctionImageConfigArgs(commands=[handler]) if handler else None
    return Code("Image", image_uri=uri, image_config=entry)
