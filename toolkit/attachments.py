"""What may be attached to a prompt: images and texts, told by their content and never by their names alone.

Images within the limits of Bedrock's Converse (at most 3.75 MB each, png, jpeg, gif or webp):
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ImageBlock.html
"""

from toolkit.contracts import AttachmentKind

MAX_IMAGE_BYTES = 3_750_000
MAX_TEXT_BYTES = 100_000
MAX_ATTACHMENTS = 5

_MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


def media_type(content: bytes) -> str:
    """`image/…`, or `text/plain` for UTF-8 text; empty for anything else."""
    for magic, kind in _MAGIC.items():
        if content.startswith(magic):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    try:
        return "" if b"\0" in content else "text/plain" if content.decode("utf-8") else ""
    except UnicodeDecodeError:
        return ""


def kind_of(content: bytes) -> AttachmentKind | None:
    """Whether it is a text or an image; None where it is neither."""
    media = media_type(content)
    return None if not media else "text" if media == "text/plain" else "image"


def problem(content: bytes, takes: tuple[AttachmentKind, ...]) -> str:
    """Why a model that takes these cannot be given this content; empty where it can."""
    kind = kind_of(content)
    if kind is None:
        return "is neither an image (png, jpeg, gif, webp) nor a text in UTF-8"
    if kind not in takes:
        others = " and ".join(f"{one}s" for one in takes)
        return f"is {'an image' if kind == 'image' else 'a text'}, and the model takes {others or 'neither'}"
    limit = MAX_IMAGE_BYTES if kind == "image" else MAX_TEXT_BYTES
    return f"has {len(content):,} bytes; {limit:,} are allowed" if len(content) > limit else ""
