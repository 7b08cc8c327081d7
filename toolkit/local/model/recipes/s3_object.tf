#: title   S3 object
#: words   s3(?: bucket)? objects?(?! (?:created?|events?|notif\w+|lock|storage|is|are|gets?|arrives?|lands?)) | (?:how (?:do i|can i|to|do you|do we|can we)|(?:want|need|like) to|please) (?:upload|put|store|copy|add) (?:an? |the |my |local |this |text |json ){0,5}(?:[\w.@/-]+ )?(?:files?|objects?)(?: @\d+@| [\w/-]+\.\w+)? | upload (?:an? |the |my ){0,5}local (?:files?|folder)(?: @\d+@| [\w/-]+\.\w+)? | (?<!i )(?<!you )(?<!we )(?<!they )(?<!users )(?<!someone )(?<!can )upload(?:ing)? (?:an? |the |my |this ){0,5}(?:file|object|@\d+@|[\w/-]+\.[a-z]+)(?: @\d+@| [\w/-]+\.[a-z]+)? | (?:object|file) (?:uploaded |stored |placed )?(?:in|into|to) (?:the |that |this |an? |my ){0,5}(?:s3 )?(?=bucket)
#: file    s3
#: base    object
#: option  key "" = (?:(?:object|s3) )?keys?(?: name)?(?: (?:should|must|be|is|of|named|called|as|=|:)){0,5} (@\d+@|[\w./-]*\w)
#: option  path "" = upload(?:ing)? (?:the |my |this ){0,5}(@\d+@|[\w/-]+\.[a-z]+) | (?:files?|from|source)(?: (?:named|called|at|from|in|path)){0,5} (@\d+@|[\w/-]+\.\w+)
#: option  content "" = (?:content|body|text)s?(?: (?:of|is|should be|=|:|with)){0,5} (?:@(\d+)@|"([^"]{1,80})"|'([^']{1,80})')
#: option  content_type "" = content type(?: of| is| =|:)? (@\d+@|[a-z]+/[\w.+-]+)
#: takes   upload\w* | local | files? | keys? | objects? | content
#: needs   bucket s3_bucket
#: uses    cmk kms_key
#: export  key aws_s3_object.__label__.key
#: fails   CKV_AWS_186 a key of one's own costs money: ask for a KMS key
#if path
variable "__label___source" {
  description = "File on this machine that becomes the object __object_key__."
  type        = string
  default     = "__path__"
}

#end
resource "aws_s3_object" "__label__" {
  bucket = __bucket_id__
  key    = "__object_key__"
  #if path
  source = var.__label___source
  #else
  content = "__content__"
  #end
  #if content_type
  content_type = "__content_type__"
  #end
  #if cmk
  kms_key_id = __cmk_arn__
  #else
  server_side_encryption = "AES256"
  #end
  #if not bucket_exists

  # One that is there before versioning would leave a version behind that keeps the bucket from going.
  depends_on = [__bucket_versioning__]
  #end
}

output "__label___object_key" {
  description = "Key of the S3 object."
  value       = aws_s3_object.__label__.key
}
