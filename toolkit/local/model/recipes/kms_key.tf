#: title   KMS key
#: words   (?:aws )?kms (?:cmks?|keys?|encryption) | customer managed (?:kms )?keys? | cmks? | encryption keys? | kms
#: hints   sse kms | key polic(?:y|ies) | key rotation | rotat(?:ion|e|ed|ing)
#: file    kms
#: base    main
#: option  rotation on = (?:automatic |yearly |annual |key )?(?:rotation|rotate[ds]?|rotating)
#: option  rotation_days 0 = rotat\w+(?: [a-z]+){0,2} <days>
#: option  deletion_days 30 = deletion(?: |_)?window(?:_in_days)?(?: of| is| =|:)? <days> | <days> deletion(?: window| waiting period)?
#: option  alias on = alias(?:es)?
#: takes   (?:en|de)crypt(?:s|ing)?
#: export  arn aws_kms_key.__label__.arn
data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_iam_policy_document" "__label___key" {
  statement {
    sid       = "AccountAdministersKey"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }
  #slot statements
}

resource "aws_kms_key" "__label__" {
  description             = "Key __name__"
  deletion_window_in_days = __deletion_days__
  #if rotation
  enable_key_rotation = true
  #if rotation_days
  rotation_period_in_days = __rotation_days__
  #end
  #end
  policy = data.aws_iam_policy_document.__label___key.json
}

#if alias
resource "aws_kms_alias" "__label__" {
  name          = "alias/__alias_name__"
  target_key_id = aws_kms_key.__label__.key_id
}

#end
output "__label___key_arn" {
  description = "ARN of the KMS key __name__."
  value       = aws_kms_key.__label__.arn
}
