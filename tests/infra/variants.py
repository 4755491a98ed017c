"""Few variants of the stack, which have all options and all parts of gateway.toml between them.

A synthesis takes a second, so what does not change each other's resources is in one variant.
"""

from tests.infra.synthesis import CONFIG

BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/acme"
COLLECTOR = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:otlp-AbCdEf"
JUDGE = "arn:aws:lambda:eu-west-1:123456789012:function:judge:live"
TABLE = "arn:aws:dynamodb:eu-west-3:123456789012:table/Antiphon-prod-Table-1"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:ops"
APP = 'tenant_id = "acme.example", client_id = "1-2-3"'
DOMAIN = {
    "domain_name": "ai.example.com",
    "certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/1-2-3",
}

# Each option with a value that is not its default, but for those of the variants below.
EVERYTHING = {
    "customer_managed_key": True,
    "region": "eu-west-1",
    "firewall": True,
    "firewall_rate": 300,
    "url": False,  # as the firewall requires
    "docs": False,
    "arch": "x86_64",
    "memory": 1024,
    "log_level": "DEBUG",
    "log_days": 90,
    "account_log_role": False,
    "throttle_rate": 7.5,
    "throttle_burst": 9,
    "reserved_concurrency": 50,
    "settle_concurrency": 50,
    "provisioned_concurrency": 2,
    "canary": "10 percent 5 minutes",
    **DOMAIN,
    "hosted_zone_id": "Z0123456789",
    "alarm_email": "ops@example.com",
}
DEV = {"stage": "dev", "customer_managed_key": True, "region": "eu-west-1"}
SNAP_START = {"snap_start": True}
RESERVED = {"reserved_concurrency": 5, "provisioned_concurrency": 5}
REPLICATED = {"region": "eu-west-1", "replicas": "eu-west-3, eu-central-1"}
# In a Region that has a replica of the table; without its stream.
SECOND_REGION = {"table_arn": TABLE, **DOMAIN}
# With a table and a topic that exist already, and without what EVERYTHING needs.
EXISTING = {
    "table_arn": TABLE,
    "table_stream_arn": f"{TABLE}/stream/1",
    "alarm_topic_arn": TOPIC,
    "rest": False,
    "arch": "x86_64",
    "snap_start": True,
}


def azure(name, entra):
    return f"""
[targets.{name}]
provider = "azure"
endpoint = "https://{name}.openai.azure.com"
models = {{ "gpt-5" = "gpt-5-prod" }}
auth = "entra"
entra = {{ {entra} }}
"""


def bedrock(name, models, more=""):
    return f"""
[targets.{name}]
provider = "bedrock"
region = "us-west-2"
models = {models}
{more}
"""


# Texts of gateway.toml: with all parts, with another choice for some, and without any secret.
PARTS = f"""
[gateway]
cors_origins = ["https://a.test"]
{CONFIG.replace('"openai"\n', '"openai"\nreceives_webhooks = true\n', 1)}
{azure("by-secret", APP)}
{azure("by-identity", f'{APP}, identity = "aws"')}
{azure("elsewhere", f'{APP}, identity = "aws", audience = "api://AzureADTokenExchangeUSGov"')}
{
    bedrock(
        "runtime",
        '{ a = "openai.gpt-a", b = "eu.openai.gpt-b", c = "openai.gpt-a" }',
        'serves = ["retrieve", "input_items"]',
    )
}
{bedrock("patterns", '["openai.*"]')}
{
    bedrock(
        "mantle",
        '["*"]',
        'endpoint = "mantle"\nserves = ["background", "delete", "retrieve"]',
    )
}
[telemetry]
headers_secret = "{COLLECTOR}"

[guardrail]
function = "{JUDGE}"

[events]
bus = "{BUS}"

[webhooks]
"""
OTHER_PARTS = f"""
[gateway]
cors_origins = ["x://a", "x://b"]
{CONFIG}
{azure("by-secret", APP)}
[guardrail]
bedrock = "abc123:1"
"""
KEYLESS = """
[gateway]
cors_origins = ["*"]

[targets.keyless]
provider = "openai"
models = ["gpt-*"]
auth = "workload_identity"
workload_identity = { identity_provider_id = "idp_1", service_account_id = "user-1" }
"""
