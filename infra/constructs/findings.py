"""Findings of cdk-nag that we answer with a reason, written where the thing itself is made."""

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """`rule` is a rule of AwsSolutions, with its finding in brackets where it has several."""
    known = Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason)
    Validations.of(construct).acknowledge(known)


def check(app: App) -> None:
    """Every synthesis fails on a finding that nobody has answered."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
