"""The machine images that everybody looks up, for an emulator that knows a handful of them.

A program that looks for "the latest Ubuntu" plans only where there is one. Names are of images that the
publishers really have; ids are made up, as all ids of the emulator are. `amazon` as the owner means Amazon
and its verified partners, Canonical, Red Hat and Debian among them:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/usingsharedamis-finding.html
"""

import hashlib
from typing import Any

_AMAZON, _CANONICAL, _RED_HAT = "137112412989", "099720109477", "309956199498"
_DEBIAN, _WINDOWS, _ECS, _EKS = "136693071363", "801119661308", "591542846629", "602401143452"
_UBUNTU = (("hvm-ssd", "focal-20.04"), ("hvm-ssd", "jammy-22.04"), ("hvm-ssd-gp3", "noble-24.04"))

NAMES: tuple[tuple[str, str], ...] = (
    *((_AMAZON, f"amzn2-ami-hvm-2.0.20241014.0-{arch}-gp2") for arch in ("x86_64", "arm64")),
    *((_AMAZON, f"amzn2-ami-kernel-5.10-hvm-2.0.20241014.0-{arch}-gp2") for arch in ("x86_64", "arm64")),
    (_AMAZON, "amzn2-ami-hvm-2.0.20241014.0-x86_64-ebs"),
    *((_AMAZON, f"al2023-ami-2023.6.20241010.0-kernel-6.1-{arch}") for arch in ("x86_64", "arm64")),
    *((_AMAZON, f"al2023-ami-minimal-2023.6.20241010.0-kernel-6.1-{arch}") for arch in ("x86_64", "arm64")),
    *(
        (_CANONICAL, f"ubuntu/images/{disk}/ubuntu-{release}-{arch}-server-20241109")
        for disk, release in _UBUNTU
        for arch in ("amd64", "arm64")
    ),
    *((_DEBIAN, f"debian-{release}-amd64-20241004-1890") for release in ("11", "12")),
    *((_RED_HAT, f"RHEL-{release}_HVM-20241015-x86_64-0-Hourly2-GP3") for release in ("8.10.0", "9.4.0")),
    *((_WINDOWS, f"Windows_Server-{year}-English-Full-Base-2024.10.09") for year in ("2019", "2022")),
    (_ECS, "amzn2-ami-ecs-hvm-2.0.20241010-x86_64-ebs"),
    (_ECS, "al2023-ami-ecs-hvm-2023.0.20241010-kernel-6.1-x86_64"),
    *((_EKS, f"amazon-eks-node-{version}-v20241011") for version in ("1.29", "1.30", "1.31")),
)
"""Owner and name of each image."""


def make_known(ec2: Any) -> None:
    """Let MiniStack's module of EC2 answer for these images as well; an architecture is told by the name."""
    known, view = {stub[1] for stub in ec2._STUB_AMIS}, ec2._stub_image_view

    def with_architecture(*stub: Any) -> dict[str, Any]:
        found: dict[str, Any] = view(*stub)
        return {**found, "Architecture": "arm64" if "arm64" in stub[1] else "x86_64"}

    ec2._stub_image_view = with_architecture
    ec2._STUB_AMIS = [
        # Canonical's own stub has no alias, which AWS gives to a verified partner's.
        *((*stub[:6], "amazon") for stub in ec2._STUB_AMIS),
        *(_stub(owner, name) for owner, name in NAMES if name not in known),
    ]


def _stub(owner: str, name: str) -> tuple[str, str, str, str, str, str, str]:
    """As MiniStack has it: id, name, description, platform, root device, owner, owner's alias."""
    image = f"ami-{hashlib.sha256(name.encode()).hexdigest()[:17]}"
    windows = owner == _WINDOWS
    device = "/dev/xvda" if owner in (_AMAZON, _ECS, _EKS) else "/dev/sda1"
    return image, name, name, "windows" if windows else "", device, owner, "amazon"
