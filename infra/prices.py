"""What AWS charges in each Region that is known here, in US dollars: the only table of prices.

From public copies of AWS's price lists, without free tiers and volume discounts. To check them:
https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

AS_OF = "2026-11-29"
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class Prices:
    """Of a million, unless a line has another unit."""

    gb_seconds: float = 13.3334  # Lambda on arm64
    invocations: float = 0.20
    writes: float = 0.625  # request units of DynamoDB, on demand
    reads: float = 0.125
    queue_calls: float = 0.40
    rest_calls: float = 3.50
    traces: float = 5.00  # recorded
    kms_calls: float = 3.00
    inspections: float = 0.60  # by the firewall
    logs: float = 0.50  # a GB ingested
    egress: float = 0.09  # a GB to the internet
    storage: float = 0.25  # a GB and month: table and indexes
    backup: float = 0.20  # a GB and month: point-in-time recovery
    # A month.
    secret: float = 0.40
    metric: float = 0.30
    alarm_metric: float = 0.10
    dashboard: float = 3.00
    kms_key: float = 1.00
    web_acl: float = 5.00
    web_acl_rule: float = 1.00


_VIRGINIA = Prices()
PRICES: Mapping[str, Prices] = {
    DEFAULT_REGION: _VIRGINIA,
    "eu-central-1": replace(
        _VIRGINIA,
        writes=0.7625,
        reads=0.1525,
        rest_calls=3.70,
        logs=0.63,
        storage=0.306,
        backup=0.2448,
    ),
}
