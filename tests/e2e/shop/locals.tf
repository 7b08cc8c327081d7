locals {
  prefix = "shop-${var.stage}"

  tags = {
    Project = "shop"
    Stage   = var.stage
    Owner   = var.owner
  }
}
