"""The functions' code: one asset, uploaded once, for all of them."""

from aws_cdk import AssetHashType
from aws_cdk import aws_lambda as lambda_

from infra.bundle import Bundle


def code(bundle: Bundle) -> lambda_.Code:
    return lambda_.Code.from_asset(
        str(bundle.built()), asset_hash=bundle.fingerprint, asset_hash_type=AssetHashType.CUSTOM
    )
