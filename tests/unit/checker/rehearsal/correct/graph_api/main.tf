resource "aws_appsync_graphql_api" "notes" {
  name                = "notes"
  authentication_type = "API_KEY"
  schema              = <<-GRAPHQL
    type Query {
      note(id: ID!): String
    }
  GRAPHQL
}

resource "aws_appsync_api_key" "web" {
  api_id = aws_appsync_graphql_api.notes.id
}
