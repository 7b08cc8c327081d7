module "topics" {
  source = "./topics"
  names  = ["orders", "orders"]
}
