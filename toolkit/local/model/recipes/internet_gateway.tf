#: title   internet gateway
#: words   internet gateways? | igws?
#: file    network
#: base    main
#: one     yes
#: needs   vpc vpc
#: takes   attach\w*(?: it)?(?: to it)?
#: export  id aws_internet_gateway.__label__.id
#: given   id internet_gateway_id = (igw-[0-9a-f]{8,17})
resource "aws_internet_gateway" "__label__" {
  vpc_id = __vpc_id__

  tags = {
    Name = "__name__"
  }
}

output "__label___internet_gateway_id" {
  description = "Id of the internet gateway __name__."
  value       = aws_internet_gateway.__label__.id
}
