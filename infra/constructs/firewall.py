"""AWS WAF before the REST API (option `firewall`)."""

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.constructs.options import Options

Rule = waf.CfnWebACL.RuleProperty
Statement = waf.CfnWebACL.StatementProperty


def firewall(scope: Construct, api: apigateway.RestApi, options: Options) -> None:
    # By address alone. AWS's rules about content would read prompts as attacks: they refuse
    # bodies beyond 8 KB, and text that speaks of SQL, scripts or shells.
    acl = waf.CfnWebACL(
        scope,
        "Firewall",
        scope="REGIONAL",
        default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
        visibility_config=_watched("all"),
        rules=[_bad_reputation(), _rate(options.firewall_rate)],
    )
    waf.CfnWebACLAssociation(
        scope,
        "FirewallBeforeRest",
        resource_arn=api.deployment_stage.stage_arn,
        web_acl_arn=acl.attr_arn,
    )


def _bad_reputation() -> Rule:
    known = waf.CfnWebACL.ManagedRuleGroupStatementProperty(
        vendor_name="AWS", name="AWSManagedRulesAmazonIpReputationList"
    )
    return Rule(
        name="reputation",
        priority=0,
        override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
        statement=Statement(managed_rule_group_statement=known),
        visibility_config=_watched("reputation"),
    )


def _rate(limit: int) -> Rule:
    often = waf.CfnWebACL.RateBasedStatementProperty(
        limit=limit, aggregate_key_type="IP", evaluation_window_sec=300
    )
    return Rule(
        name="rate",
        priority=1,
        action=waf.CfnWebACL.RuleActionProperty(block={}),
        statement=Statement(rate_based_statement=often),
        visibility_config=_watched("rate"),
    )


def _watched(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        metric_name=name,
        cloud_watch_metrics_enabled=True,
        sampled_requests_enabled=False,  # samples show headers, and so keys
    )
