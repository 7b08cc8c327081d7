"""Which path of a result may become a file: one rule, whoever writes it."""

import pytest

from toolkit.errors import TfkitError
from toolkit.paths import parts_of, printable


@pytest.mark.parametrize(
    "path",
    [
        "", "/etc/x.tf", "../x.tf", "a/../x.tf", "a//x.tf", "./x.tf", "a/", "a\\x.tf", "x\0.tf", "x\n.tf",
        ".github/workflows/x.yml", "a/.git/config", "terraform.d/p", "terraform.tfstate", "caf\udce9.tf",
    ],
)  # fmt: skip
def test_what_leads_elsewhere_or_is_obeyed_by_tools_is_refused(path: str) -> None:
    with pytest.raises(TfkitError, match="leads elsewhere or is no file of a tree"):
        parts_of(path)


def test_what_a_user_may_bring_is_taken() -> None:
    assert parts_of("in fra ü/dev.auto.tfvars") == ["in fra ü", "dev.auto.tfvars"]


def test_a_name_that_is_no_text_can_be_printed() -> None:
    assert printable("caf\udce9.tf") == "caf\ufffd.tf"
    assert printable("ü.tf") == "ü.tf"
