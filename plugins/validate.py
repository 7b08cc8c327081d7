"""The validator `validate`: does terraform accept the tree."""

from collections.abc import Iterable

from toolkit.checker.findings import to_findings
from toolkit.checker.terraform import installed_terraform
from toolkit.checker.validator import Stage
from toolkit.contracts import Finding, Tool
from toolkit.errors import PlatformError


class Validate:
    """`terraform validate`; after a failed init the findings of init, which say what validate would hide."""

    name = "validate"

    def tool(self) -> Tool | None:
        """terraform and its version; None without it."""
        return installed_terraform()

    def check(self, stage: Stage) -> Iterable[Finding]:
        """Errors (severity high) and warnings (low).

        Raises `TimeoutError` past the deadline and `PlatformError` where init failed without findings.
        """
        if stage.initialised:
            found = to_findings(stage.terraform.validate(stage.deadline_s), self.name, stage.root)
            return found + self._unseen(stage)
        if stage.init is not None and stage.init.findings:
            return stage.init.findings
        raise PlatformError(stage.init.detail if stage.init else "terraform init has not been run")

    def _unseen(self, stage: Stage) -> list[Finding]:
        """Folders with Terraform files that no module calls: validate is silent on them, so we are not."""
        files = [*stage.root.rglob("*.tf"), *stage.root.rglob("*.tf.json")]
        folders = {file.parent.relative_to(stage.root).as_posix() for file in files}
        return [
            Finding(
                validator=self.name,
                rule="folder-not-checked",
                severity="medium",
                message=f"No module calls {folder}/, so its files are not checked.",
                file=folder,
                hint=f'Call it: module "…" {{ source = "./{folder}" }}, or delete it.',
            )
            for folder in sorted(folders - stage.terraform.module_folders())
        ]
