#: title   DB subnet group
#: words   (?:(?:rds|db|database|aurora) ){1,5}subnet groups? | subnet groups? for(?: an?| the| my)? (?:rds|aurora|database|db)(?: instances?| databases?| cluster)?
#: file    rds
#: base    main
#: one     yes
#: needs   vpc vpc
#: takes   spanning | spans? | across | subnets?
#: export  name aws_db_subnet_group.__label__.name
resource "aws_db_subnet_group" "__label__" {
  name        = "__lower__"
  description = "Subnets for databases: __name__"
  subnet_ids  = __vpc_private_subnets__

  tags = {
    Name = "__name__"
  }
}

output "__label___db_subnet_group_name" {
  description = "Name of the DB subnet group __name__."
  value       = aws_db_subnet_group.__label__.name
}
