#: title   instance profile
#: words   (?:(?:ec2|iam) ){0,5}instance profiles?
#: file    iam
#: base    app
#: needs   role iam_role
#: export  name aws_iam_instance_profile.__label__.name
resource "aws_iam_instance_profile" "__label__" {
  name = "__profile_name__"
  role = __role_id__
}

output "__label___instance_profile_arn" {
  description = "ARN of the instance profile __profile_name__."
  value       = aws_iam_instance_profile.__label__.arn
}
