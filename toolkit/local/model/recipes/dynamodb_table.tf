#: title   DynamoDB table
#: words   dynamo ?db tables? | tables? | dynamo ?db | dynamo
#: file    dynamodb
#: base    items
#: option  hash_key id = state lock(?:s|ing)? => LockID | locks?(?: table)? => LockID | locking => LockID | (?:partition|hash|primary) key(?: of| is| named| called| =|:|,)? <id>
#: option  hash_type S = (?:partition|hash|primary) key(?: of| is| named| called| =|:|,)? @?[\w-]+@?,? \(?(?:a |of type )?(?:number|numeric|int(?:eger)?|n)\)? => N
#: option  range_key "" = (?:sort|range) key(?: of| is| named| called| =|:|,)? <id>
#: option  range_type S = (?:sort|range) key(?: of| is| named| called| =|:|,)? @?[\w-]+@?,? \(?(?:a |of type )?(?:number|numeric|int(?:eger)?|n)\)? => N
#: option  ttl off = (?:ttl|time to live)(?: enabled)? | sessions? expire
#: option  ttl_attribute expires_at = (?:ttl|time to live)(?: (?:on|attribute|field|in|using|with))+(?: the)?(?: attribute| field)?(?: named| called)? <id> | (?:ttl|expiry) attribute <id>
#: option  pitr on = point in time(?: recovery)? | pitr | backups?
#: option  stream off = (?:dynamodb )?streams?(?: enabled)?
#: option  read_capacity 0 = read capacity(?: units?)?(?: of| =|:)? <int> | <int> read (?:capacity )?units? | <int> rcus?
#: option  write_capacity 0 = write capacity(?: units?)?(?: of| =|:)? <int> | <int> write (?:capacity )?units? | <int> wcus?
#: option  on_demand on = on demand | pay per request
#: option  deletion_protection off = deletion protection
#: option  index_name "" = (?:gsi|(?:global )?secondary index)(?: named| called)? (?!on\b|for\b|with\b|by(?!-)\b|to\b)(@\d+@|[a-z][\w-]*)(?= (?:on|for|with|by) )
#: option  index "" = (?:gsi|global secondary index|secondary index|index)(?: (?:named |called )?(?!on\b|for\b|with\b|by(?!-)\b|to\b)@?[\w-]+@?)?(?: to (?:look|query|find|search)(?: [a-z]+){0,3})?(?: on| for| with| by)(?!-)(?: partition key| key| hash key)? <id>
#: option  encryption on = (?:server side )?(?:encrypted|encryption)(?: at rest)?
#: takes   \(?(?:string|number|numeric)\)? | turned on
#: uses    key kms_key
#: export  arn aws_dynamodb_table.__label__.arn
#: export  id aws_dynamodb_table.__label__.name
resource "aws_dynamodb_table" "__label__" {
  name = "__name__"
  #if read_capacity and write_capacity
  billing_mode   = "PROVISIONED"
  read_capacity  = __read_capacity__
  write_capacity = __write_capacity__
  #else
  billing_mode = "PAY_PER_REQUEST"
  #end
  hash_key = "__hash_key__"
  #if range_key
  range_key = "__range_key__"
  #end
  #if deletion_protection
  deletion_protection_enabled = true
  #end
  #if stream
  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"
  #end

  attribute {
    name = "__hash_key__"
    type = "__hash_type__"
  }
  #if range_key

  attribute {
    name = "__range_key__"
    type = "__range_type__"
  }
  #end
  #if index

  attribute {
    name = "__index__"
    type = "S"
  }

  global_secondary_index {
    name            = "__index_label__"
    hash_key        = "__index__"
    projection_type = "ALL"
    #if read_capacity and write_capacity
    read_capacity  = __read_capacity__
    write_capacity = __write_capacity__
    #end
  }
  #end
  #if ttl

  ttl {
    attribute_name = "__ttl_attribute__"
    enabled        = true
  }
  #end
  #if pitr

  point_in_time_recovery {
    enabled = true
  }
  #end
  #if encryption or key

  server_side_encryption {
    enabled = true
    #if key
    kms_key_arn = __key_arn__
    #end
  }
  #end
}

output "__label___table_name" {
  description = "Name of the DynamoDB table __name__."
  value       = aws_dynamodb_table.__label__.name
}

output "__label___table_arn" {
  description = "ARN of the DynamoDB table __name__."
  value       = aws_dynamodb_table.__label__.arn
}
