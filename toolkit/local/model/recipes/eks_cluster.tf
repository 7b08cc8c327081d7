#: title   EKS cluster
#: words   (?:(?:amazon|aws|managed|private) ){0,5}(?:eks|kubernetes|k8s)(?: (?:managed|kubernetes|eks)){0,5}(?: (?:clusters?|control planes?))?
#: hints   (?:(?:eks|managed|worker) ){0,5}node ?groups? | control planes? | worker nodes?
#: file    eks
#: base    main
#: one     yes
#: option  version "" = (?:eks|kubernetes|k8s|clusters?|version|v)(?: (?:version|v))? ?(1\.\d\d)
#: option  nodes on = (?:(?:eks|managed|worker) ){0,5}node ?groups? | worker nodes? | nodes? | control plane only => off | only(?: the)?(?: eks)? control plane => off | just(?: the| an?)?(?: eks)? control plane => off
#: option  node_count 2 = <int>(?: [a-z0-9.]+){0,2} nodes? | nodes?(?: [a-z]+){0,3} <int>(?! ?gb) | desired(?: (?:size|capacity|count))?(?: of| =|:)? <int>
#: option  node_min "" = between <int> and \d+ | min(?:imum)?(?: size| of| nodes?| =|:){0,5} <int>
#: option  node_max "" = between \d+ and <int> | max(?:imum)?(?: size| of| nodes?| =|:){0,5} <int>
#: option  node_type t3.medium = ((?:t[234][ag]?|m[5678][a-z]*|c[5678][a-z]*|r[5678][a-z]*|g[456][a-z]*)\.(?:nano|micro|small|medium|(?:\d*)x?large))
#: option  disk_gb 20 = <gb>(?: of)?(?: (?:disk|storage|volume))
#: option  spot off = spot(?: instances?| nodes?)?
#: option  public off = public(?:ly)?(?: accessible| access| api| endpoints?){1,5} | private(?: api)? endpoints?(?: only)? => off
#: option  logs on = control plane log(?:s|ging)? | audit log(?:s|ging)?
#: takes   between | private endpoints?(?: only)? | endpoints? | managed | auto ?scaling
#: owns    (?:with|and)(?: an?| its| the)?(?: (?:iam|service|execution|example|cluster|node|required|necessary)){0,3} roles?(?! (?:for|that|which|named|called|to)) | (?:\d+ )?(?:[a-z0-9.]+ )?(?:worker )?nodes? | node ?groups?(?: with)?(?: \d+)?(?: [a-z0-9.]+)? instances? | spot instances? | auto ?scaling | public subnets?(?= and) | \d+ (?:[a-z0-9.]+ )?(?:ec2 )?instances?
#: needs   vpc vpc
#: uses    covers log_group
#: uses    key kms_key
#: actor   yes
#: export  name aws_eks_cluster.__label__.name
#: export  arn aws_eks_cluster.__label__.arn
#: fails   CKV_AWS_58 secrets under a key of one's own cost money: ask for a KMS key
#: lacks   the emulator forgets the update settings of a node group: the second plan is not empty
data "aws_iam_policy_document" "__label___cluster_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["eks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "__label___cluster" {
  name               = "__name__-eks-cluster"
  assume_role_policy = data.aws_iam_policy_document.__label___cluster_assume.json
}

resource "aws_iam_role_policy_attachment" "__label___cluster" {
  role       = aws_iam_role.__label___cluster.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
}

resource "aws_eks_cluster" "__label__" {
  name     = "__name__"
  role_arn = aws_iam_role.__label___cluster.arn
  #if version
  version = "__version__"
  #end
  #if logs
  enabled_cluster_log_types = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
  #end

  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = true
  }

  vpc_config {
    subnet_ids              = __vpc_private_subnets__
    endpoint_private_access = true
    #if public
    endpoint_public_access = true
    #else
    endpoint_public_access = false
    #end
  }
  #if key

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = __key_arn__
    }
  }
  #end

  # Without the policy EKS could neither make nor take down what belongs to the cluster.
  depends_on = [aws_iam_role_policy_attachment.__label___cluster]
}

#if nodes
data "aws_iam_policy_document" "__label___nodes_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "__label___nodes" {
  name               = "__name__-eks-nodes"
  assume_role_policy = data.aws_iam_policy_document.__label___nodes_assume.json
}

resource "aws_iam_role_policy_attachment" "__label___nodes" {
  for_each = toset([
    "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
    "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy",
    "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly",
  ])

  role       = aws_iam_role.__label___nodes.name
  policy_arn = each.value
}

resource "aws_eks_node_group" "__label__" {
  cluster_name    = aws_eks_cluster.__label__.name
  node_group_name = "__name__"
  node_role_arn   = aws_iam_role.__label___nodes.arn
  subnet_ids      = __vpc_private_subnets__
  instance_types  = ["__node_type__"]
  disk_size       = __disk_gb__
  #if node_arm
  ami_type = "AL2023_ARM_64_STANDARD"
  #else
  ami_type = "AL2023_x86_64_STANDARD"
  #end
  #if spot
  capacity_type = "SPOT"
  #end

  scaling_config {
    desired_size = __node_count__
    min_size     = __node_min__
    max_size     = __node_max__
  }

  update_config {
    max_unavailable = 1
  }

  # Nodes that may not join before their role has its policies would fail.
  depends_on = [aws_iam_role_policy_attachment.__label___nodes]
}

#end
output "__label___cluster_name" {
  description = "Name of the EKS cluster __name__."
  value       = aws_eks_cluster.__label__.name
}

output "__label___cluster_endpoint" {
  description = "Address of the Kubernetes API of __name__."
  value       = aws_eks_cluster.__label__.endpoint
}
