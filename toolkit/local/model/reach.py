"""What exists already and is reached by what is made: "let the role read my bucket acme-reports".

No block is made for it and nothing of it is looked up, so that a plan needs no account that has it.
"""

from collections.abc import Mapping

from toolkit.local.model.links import Made
from toolkit.local.model.naming import label
from toolkit.local.model.present import Present
from toolkit.local.model.recipe import load_book
from toolkit.local.model.wish import Wish, Wishes

BUCKET = "s3_bucket"


def with_arns(wishes: Wishes) -> Wishes:
    """The wishes with a local for the ARN of a bucket that exists: a prompt gives its name, if anything."""
    if BUCKET not in wishes.present:
        return wishes
    bucket = wishes.present[BUCKET]
    expressions = {**bucket.expressions, "arn": f"local.{_label(bucket)}_bucket_arn"}
    return wishes._replace(present={**wishes.present, BUCKET: bucket._replace(expressions=expressions)})


def there(present: Mapping[str, Present]) -> list[Made]:
    """The instances that exist and that links may reach: a bucket, once it has its ARN."""
    if BUCKET not in present:
        return []
    bucket, recipe = present[BUCKET], load_book().recipes[BUCKET]
    name = _label(bucket)
    camel = "".join(part.capitalize() for part in name.split("_"))
    values = {"label": name, "name": name.replace("_", "-"), "env": name.upper(), "camel": camel}
    wish = Wish(BUCKET, name, True, {}, frozenset())
    return [Made(recipe._replace(exports=bucket.expressions), wish, values)]


def locals_for(present: Mapping[str, Present], text: str) -> str:
    """The locals that `text` speaks of; an ARN of S3 is made of the name alone.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-arn-format.html
    """
    if BUCKET not in present or present[BUCKET].expressions["arn"] not in text:
        return ""
    id_ = present[BUCKET].expressions["id"]
    name = id_.strip('"') if id_.startswith('"') else f"${{{id_}}}"
    return f'locals {{\n  {_label(present[BUCKET])}_bucket_arn = "arn:aws:s3:::{name}"\n}}\n'


def _label(bucket: Present) -> str:
    """The bucket's name as a label; `existing` where a variable stands for it."""
    name = bucket.expressions["id"]
    return label(name.strip('"')) if name.startswith('"') else "existing"
