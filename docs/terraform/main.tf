# Deploys what `make template OUT=package` wrote. The stack stays CloudFormation's: Terraform uploads
# the two files and passes the parameters.

terraform {
  required_version = ">= 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "package" {
  type        = string
  description = "The folder that `make template` wrote."
}

variable "stage" {
  type        = string
  default     = "prod"
  description = "The stage that the template was written for; the commands of antiphon find the stack by it."
}

locals {
  prefix   = "antiphon/"
  asset    = one(fileset(var.package, "*.zip"))
  template = "${var.package}/template.json"
}

resource "aws_s3_bucket" "assets" {
  bucket_prefix = "antiphon-assets-"
}

resource "aws_s3_bucket_public_access_block" "assets" {
  bucket                  = aws_s3_bucket.assets.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_object" "asset" {
  bucket = aws_s3_bucket.assets.id
  key    = "${local.prefix}${local.asset}"
  source = "${var.package}/${local.asset}"

  lifecycle {
    create_before_destroy = true # an update that fails rolls back to the previous asset
  }
}

resource "aws_s3_object" "template" {
  bucket = aws_s3_bucket.assets.id
  key    = "${local.prefix}${filemd5(local.template)}.template.json"
  source = local.template

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudformation_stack" "antiphon" {
  name         = "Antiphon-${var.stage}"
  template_url = "https://${aws_s3_bucket.assets.bucket_regional_domain_name}/${aws_s3_object.template.key}"
  capabilities = ["CAPABILITY_IAM"]
  depends_on   = [aws_s3_object.asset]

  parameters = {
    AssetBucket = aws_s3_bucket.assets.id
    AssetPrefix = local.prefix
  }

  timeouts {
    create = "30m"
    update = "60m"
  }
}

output "function_url" {
  value = aws_cloudformation_stack.antiphon.outputs["FunctionUrl"]
}

output "rest_url" {
  value = aws_cloudformation_stack.antiphon.outputs["RestUrl"]
}

output "table_name" {
  value = aws_cloudformation_stack.antiphon.outputs["TableName"]
}
