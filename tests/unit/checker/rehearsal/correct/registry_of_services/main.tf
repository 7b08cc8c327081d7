resource "aws_vpc" "main" {
  cidr_block = "10.70.0.0/16"
}

resource "aws_service_discovery_private_dns_namespace" "main" {
  name = "internal.example"
  vpc  = aws_vpc.main.id
}

resource "aws_service_discovery_service" "api" {
  name = "api"
  dns_config {
    namespace_id = aws_service_discovery_private_dns_namespace.main.id
    dns_records {
      ttl  = 10
      type = "A"
    }
  }
}
