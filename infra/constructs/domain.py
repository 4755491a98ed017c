"""The REST API's address, under a name of your own where you want one (`domain_name`)."""

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from constructs import Construct

from infra.constructs.options import Options


def base_url(scope: Construct, api: apigateway.RestApi, options: Options) -> str:
    if not (options.domain_name and options.certificate_arn):
        return f"{api.url}v1"
    domain = apigateway.DomainName(
        scope,
        "Domain",
        domain_name=options.domain_name,
        certificate=acm.Certificate.from_certificate_arn(
            scope, "Certificate", options.certificate_arn
        ),
        endpoint_type=apigateway.EndpointType.REGIONAL,
        security_policy=apigateway.SecurityPolicy.TLS_1_2,
        mapping=api,
    )
    if options.hosted_zone_id:
        _record(scope, domain, options.domain_name, options.hosted_zone_id)
    return f"https://{options.domain_name}/v1"


def _record(scope: Construct, domain: apigateway.DomainName, name: str, zone: str) -> None:
    route53.CfnRecordSet(
        scope,
        "Record",
        hosted_zone_id=zone,
        name=name,
        type="A",
        alias_target=route53.CfnRecordSet.AliasTargetProperty(
            dns_name=domain.domain_name_alias_domain_name,
            hosted_zone_id=domain.domain_name_alias_hosted_zone_id,
        ),
    )
