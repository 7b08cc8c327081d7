module "tables" {
  source   = "./table"
  for_each = { orders = "order", people = "person" }
  name     = each.key
  key      = each.value
}

output "tables" {
  value = { for name, table in module.tables : name => table.arn }
}
