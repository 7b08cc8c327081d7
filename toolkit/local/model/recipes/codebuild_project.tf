#: title   CodeBuild project
#: words   (?:aws )?code ?build(?: (?:ci )?(?:projects?|jobs?|builds?))?
#: file    codebuild
#: base    build
#: one     yes
#: option  source "" = (https:/@\d+@|https://[\w./@:-]+) | (git@[\w./:-]+)
#: option  image aws/codebuild/amazonlinux-x86_64-standard:5.0 = (aws/codebuild/[\w./:-]*\w) | (@\d+@) image | image(?: of| is| =|:)? (@\d+@)
#: option  compute BUILD_GENERAL1_SMALL = (BUILD_GENERAL1_\w+) | (small|medium|large)(?: sized?)?(?: compute| instances?| machine| build)? => BUILD_GENERAL1_\1
#: option  timeout_minutes 60 = time ?out(?: of| is| to| =|:)? <int>(?: minutes?| mins?)? | <int> min(?:ute)?s? (?:build )?time ?out
#: option  privileged off = privileged(?: mode)? | docker(?: images?)?(?: builds?)? | build\w*(?: an?)? docker
#: option  log_days 30 = <days> log retention | logs?(?: [a-z]+){0,3} <days>
#: option  buildspec "" = buildspec(?: file)?(?: at| in| from| named| called| is| =|:)? <id>
#: takes   artifacts? | builds?(?: from)? | compute | repo(?:sitory)?(?: from)? | sources? | images? | private
#: owns    (?:with|and)(?: an?| its| the)?(?: (?:iam|service|execution|example|cluster|node|required|necessary)){0,3} roles?(?! (?:for|that|which|named|called|to)) | github(?: repo(?:sitory)?)? | gitlab | docker(?: images?)?(?: builds?)? | https:/@\d+@ | https://[\w./@:-]+ | images? | source code | pull requests? | webhooks?
#: actor   yes
#: implies event_rule = every \d+ (?:minutes?|hours?|days?) | every (?:hour|day|night|week|weekday) | nightly | on a(?: [a-z0-9]+)? schedule
#: uses    artifacts s3_bucket
#: implies s3_bucket = (?:build |secondary )?artifacts?
#: uses    covers log_group
#: uses    key kms_key
#: export  arn aws_codebuild_project.__label__.arn
#: export  id aws_codebuild_project.__label__.name
#: fails   CKV_AWS_316 where a build of container images needs privileged mode
#: lacks   the emulator forgets its logs and time-outs, and cannot delete it by its ARN
data "aws_iam_policy_document" "__label___build_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["codebuild.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "__label___build" {
  name               = "__name__-codebuild"
  assume_role_policy = data.aws_iam_policy_document.__label___build_assume.json
}

resource "aws_cloudwatch_log_group" "__label___build" {
  name              = "/aws/codebuild/__name__"
  retention_in_days = __log_days__
  #if key
  kms_key_id = __key_arn__
  #end
}

data "aws_iam_policy_document" "__label___build" {
  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.__label___build.arn}:*"]
  }
  #if artifacts

  statement {
    sid       = "WriteArtifacts"
    actions   = ["s3:PutObject", "s3:GetObject", "s3:GetObjectVersion", "s3:GetBucketLocation"]
    resources = [__artifacts_arn__, "${__artifacts_arn__}/*"]
  }
  #end
}

resource "aws_iam_role_policy" "__label___build" {
  name   = "__name__-codebuild"
  role   = aws_iam_role.__label___build.id
  policy = data.aws_iam_policy_document.__label___build.json
}

resource "aws_codebuild_project" "__label__" {
  name          = "__name__"
  description   = "Builds __name__."
  service_role  = aws_iam_role.__label___build.arn
  build_timeout = __timeout_minutes__
  #if key
  encryption_key = __key_arn__
  #end

  artifacts {
    #if artifacts
    type     = "S3"
    location = __artifacts_id__
    #else
    type = "NO_ARTIFACTS"
    #end
  }

  environment {
    type         = "__environment__"
    image        = "__image__"
    compute_type = "__compute_type__"
    #if privileged
    privileged_mode = true
    #end
  }

  logs_config {
    cloudwatch_logs {
      group_name = aws_cloudwatch_log_group.__label___build.name
    }
  }

  source {
    #if no_source
    type      = "NO_SOURCE"
    buildspec = <<-YAML
      version: 0.2
      phases:
        build:
          commands:
            - echo "No repository was named."
    YAML
    #else
    type            = "__source_type__"
    location        = "__source__"
    git_clone_depth = 1
    #if buildspec
    buildspec = "__buildspec__"
    #end
    #end
  }

  depends_on = [aws_iam_role_policy.__label___build]
}

output "__label___codebuild_project_name" {
  description = "Name of the CodeBuild project __name__."
  value       = aws_codebuild_project.__label__.name
}
