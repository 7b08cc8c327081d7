resource "aws_s3_bucket" "lake" {
  bucket_prefix = "lake-"
}

resource "aws_glue_catalog_database" "lake" {
  name = "lake"
}

resource "aws_glue_catalog_table" "events" {
  name          = "events"
  database_name = aws_glue_catalog_database.lake.name
  table_type    = "EXTERNAL_TABLE"
  parameters    = { classification = "parquet" }

  partition_keys {
    name = "day"
    type = "string"
  }

  storage_descriptor {
    location      = "s3://${aws_s3_bucket.lake.bucket}/events/"
    input_format  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
    columns {
      name = "id"
      type = "string"
    }
  }
}

resource "aws_athena_workgroup" "analysts" {
  name          = "analysts"
  force_destroy = true
  configuration {
    result_configuration {
      output_location = "s3://${aws_s3_bucket.lake.bucket}/results/"
    }
  }
}

resource "aws_athena_named_query" "daily" {
  name      = "daily"
  workgroup = aws_athena_workgroup.analysts.id
  database  = aws_glue_catalog_database.lake.name
  query     = "SELECT day, count(*) FROM events GROUP BY day"
}
