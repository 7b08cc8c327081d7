"""The agent's image: made inside the program, from the repository's URL, when its content is not there yet.

    repository_url ──▶ ImageBuilder ──▶ the URI, REPOSITORY:HASH OF THE CONTENT
                           │ in a preview, or where ECR has the tag: that is all
                           ├──▶ image_buildx     where a Docker engine answers
                           └──▶ image_codebuild  else

The tag says what is in the image, so nothing is built twice and nothing is pushed over another image.
"""

import contextlib
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pulumi
from botocore.exceptions import BotoCoreError, ClientError
from typing_extensions import override

from toolkit.cloud import Cloud
from toolkit.deploy.image_buildx import build_with_docker, has_docker
from toolkit.deploy.image_codebuild import CodeBuild
from toolkit.deploy.image_context import ImageOptions, build_context, content_tag, context_files
from toolkit.deploy.image_pins import COMMAND, load_pins
from toolkit.errors import DeployFailed

OnLine = Callable[[str], None]


class ImageFailed(DeployFailed, pulumi.RunError):
    """The image could not be made. As text it has its hint, because engines pass on nothing but the text.

    It is a `RunError` because of any other exception of a program Pulumi's SDK makes a traceback of itself.
    """

    @override
    def __str__(self) -> str:
        """Message and hint."""
        return f"{self.message}\n{self.hint}".strip()


def in_preview() -> bool:
    """Whether the Pulumi program that is running changes nothing."""
    return pulumi.runtime.is_dry_run()


class ImageBuilder:
    """Called with the repository's URL, gives the image's URI and sees to it that it can be pulled.

    May be called from any thread and more than once: the first call builds, the others wait for it.
    `project` and `bucket` name the CodeBuild project and the bucket for its source, which have to exist when
    it is called. `preview` says whether to build at all. `failed` is why an image could not be made.
    Making it raises `UsageError` for options that cannot be, before any engine has begun.
    """

    failed: ImageFailed | None = None

    def __init__(
        self,
        cloud: Cloud,
        options: ImageOptions,
        on_line: OnLine,
        *,
        project: str,
        bucket: str,
        preview: Callable[[], bool] = in_preview,
        docker: str = "docker",
    ) -> None:
        self._cloud = cloud
        self._options = options
        self._context = context_files(options)
        self._tag = content_tag(self._context, options)
        self._on_line = on_line
        self._project = project
        self._bucket = bucket
        self._preview = preview
        self._docker = docker
        self._lock = threading.Lock()
        self._there: set[str] = set()

    def __call__(self, repository_url: str) -> str:
        """The URI. Raises `ImageFailed` where the image cannot be made."""
        uri = f"{repository_url}:{self._tag}"
        if not self._preview():
            with self._lock, self._told():
                if uri not in self._there and not self._exists(uri):
                    self._build(uri)
                self._there.add(uri)
        return uri

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """What stops a build, and AWS's refusals, as `ImageFailed`."""
        try:
            yield
        except DeployFailed as error:
            self.failed = ImageFailed(error.message, error.hint)
            raise self.failed from error
        except (BotoCoreError, ClientError) as error:
            self.failed = ImageFailed(f"AWS refused a step of the image's build: {error}")
            raise self.failed from error

    def _exists(self, uri: str) -> bool:
        repository, _, tag = uri.partition("/")[2].rpartition(":")
        ecr = self._cloud.client("ecr")
        try:
            found = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
        except ecr.exceptions.ImageNotFoundException:
            return False
        return bool(found["imageDetails"])  # the emulator answers with none instead

    def _build(self, uri: str) -> None:
        if missing := load_pins(self._options.pins).missing(self._options.allow_tags):
            raise DeployFailed(
                "the image is not built from what is not pinned: " + ", ".join(missing),
                f"fill them in: {COMMAND} {self._options.pins}",
            )
        try:
            self._build_somewhere(uri)
        except DeployFailed:
            # Tags are immutable: someone else's push of the same content makes ours fail, and is as good.
            if not self._exists(uri):
                raise
        if not self._exists(uri):
            raise DeployFailed(f"the build ended well, and {uri} is not in the repository")

    def _build_somewhere(self, uri: str) -> None:
        if has_docker(self._docker):
            self._on_line(f"building the agent's image with Docker: {uri}")
            with tempfile.TemporaryDirectory(prefix="tfkit-image-") as folder:
                build_context(Path(folder), self._context)
                build_with_docker(self._cloud, Path(folder), uri, self._on_line, self._docker)
        else:
            self._on_line(f"no Docker engine here; building the agent's image with CodeBuild: {uri}")
            CodeBuild(self._cloud, self._project, self._bucket, self._on_line).build(self._context, uri)
