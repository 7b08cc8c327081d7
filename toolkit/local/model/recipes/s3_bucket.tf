#: title   S3 bucket
#: words   s3 buckets? | buckets? | s3 storage | s3
#: hints   bucket polic(?:y|ies) | bucket notifications? | object storage
#: file    s3
#: base    data
#: option  versioning on = (?:object |bucket )?(?:versioning|versioned)
#: option  public_block on = block(?:ing|s|ed)?(?: all)? public access | public access block(?:ed)? | private | not public(?:ly accessible)?
#: option  expire_days 0 = <days> (?:lifecycle|expiration|expiry|retention)(?: (?:rule|policy|expiration))? | (?:lifecycle|expir\w+|delet\w+|retention|retain\w*|keep\w*|kept)(?: (?!versions?\b)[a-z]+){0,4} <days> | older than <days>
#: option  old_version_days 90 = (?:delet\w+|expir\w+|remov\w+|keep\w*|kept)(?: the| all)? (?:old|older|previous|non ?current)(?: object)? versions?(?: [a-z]+){0,3} <days> | (?:old|previous|non ?current)(?: object)? versions?(?: [a-z]+){0,4} <days>
#: option  glacier_days 0 = (?:glacier|archive[ds]?|archiving)(?: [a-z]+){0,4} <days> | <days> (?:to|in) glacier
#: option  lifecycle on = lifecycle(?: (?:rules?|polic(?:y|ies)|configuration))?
#: option  encryption on = (?:server side )?(?:encrypted|encryption)(?: at rest)? | sse s3 | aes ?256
#: option  force_destroy off = force destroy
#: option  logging_target "" = access log(?:s|ging)?(?: bucket)?(?: in| to) <id>
#: takes   (?:must |should |may )?(?:not|never) be public | keep(?: its| the)? names? | and(?: then)? delet\w+ | remote(?: state)? | send
#: uses    key kms_key
#: export  arn aws_s3_bucket.__label__.arn
#: given   id bucket_name = (?:s3 )?buckets?(?: (?:named|called))? <name>
#: export  id aws_s3_bucket.__label__.id
#: export  versioning aws_s3_bucket_versioning.__label__
resource "aws_s3_bucket" "__label__" {
  #if named
  bucket = "__name__"
  #else
  bucket_prefix = "__name__-"
  #end
  #if force_destroy
  force_destroy = true
  #end
}

resource "aws_s3_bucket_ownership_controls" "__label__" {
  bucket = aws_s3_bucket.__label__.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

#if public_block
resource "aws_s3_bucket_public_access_block" "__label__" {
  bucket = aws_s3_bucket.__label__.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

#end
resource "aws_s3_bucket_versioning" "__label__" {
  bucket = aws_s3_bucket.__label__.id

  versioning_configuration {
    #if versioning
    status = "Enabled"
    #else
    status = "Disabled"
    #end
  }
}

#if encryption
resource "aws_s3_bucket_server_side_encryption_configuration" "__label__" {
  bucket = aws_s3_bucket.__label__.id

  rule {
    #if key
    bucket_key_enabled = true

    #end
    apply_server_side_encryption_by_default {
      #if key
      sse_algorithm     = "aws:kms"
      kms_master_key_id = __key_arn__
      #else
      sse_algorithm = "AES256"
      #end
    }
  }
}

#end
#if lifecycle or expire_days or glacier_days
resource "aws_s3_bucket_lifecycle_configuration" "__label__" {
  bucket = aws_s3_bucket.__label__.id

  #if versioning
  # Rules about old versions need versioning to be set up first.
  depends_on = [aws_s3_bucket_versioning.__label__]

  #end
  rule {
    id     = "tidy-up"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
    #if versioning

    noncurrent_version_expiration {
      #if expire_days and old_version_days == 90
      noncurrent_days = __expire_days__
      #else
      noncurrent_days = __old_version_days__
      #end
    }
    #end
    #if glacier_days

    transition {
      days          = __glacier_days__
      storage_class = "GLACIER"
    }
    #end
    #if expire_days

    expiration {
      days = __expire_days__
    }
    #end
  }
}

#end
data "aws_iam_policy_document" "__label___bucket" {
  statement {
    sid     = "DenyInsecureTransport"
    effect  = "Deny"
    actions = ["s3:*"]
    resources = [
      aws_s3_bucket.__label__.arn,
      "${aws_s3_bucket.__label__.arn}/*",
    ]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "__label__" {
  bucket = aws_s3_bucket.__label__.id
  policy = data.aws_iam_policy_document.__label___bucket.json
}

#if notifications
resource "aws_s3_bucket_notification" "__label__" {
  bucket = aws_s3_bucket.__label__.id

  #slot notifications

  # S3 tries the destination when the notification is made, so the permission must be there.
  depends_on = [
    #slot permissions
  ]
}

#end
output "__label___bucket_name" {
  description = "Name of the S3 bucket __name__."
  value       = aws_s3_bucket.__label__.id
}

output "__label___bucket_arn" {
  description = "ARN of the S3 bucket __name__."
  value       = aws_s3_bucket.__label__.arn
}
