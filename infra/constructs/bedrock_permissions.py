"""Which permissions at Amazon Bedrock a target needs: the stack grants them, the doctor tries them.

https://docs.aws.amazon.com/bedrock/latest/userguide/inference.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_bedrock-mantle.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from antiphon.settings.targets import BedrockTarget

RUNTIME_CREATE = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
MANTLE_CREATE = ("bedrock-mantle:CreateInference",)
# By endpoint and by what a target serves beyond a create.
STORED: Mapping[str, Mapping[str, str]] = {
    "runtime": {
        "retrieve": "bedrock:GetInvoke",
        "resume": "bedrock:GetInvoke",
        "input_items": "bedrock:GetInvoke",
        "delete": "bedrock:DeleteInvoke",
    },
    "mantle": {
        "retrieve": "bedrock-mantle:GetInference",
        "resume": "bedrock-mantle:GetInference",
        "input_items": "bedrock-mantle:GetInference",
        "delete": "bedrock-mantle:DeleteInference",
        "background": "bedrock-mantle:CancelInference",
    },
}
# An inference profile, which calls a model in one of several Regions: `eu.`, `global.`, …
PROFILE = re.compile(r"(?:[a-z]{2}|apac|global|us-gov)\.(?P<model>.+)")


@dataclass(frozen=True)
class Permission:
    """Actions on one resource; `condition` is an operator, a key and its value."""

    actions: tuple[str, ...]
    resource: str
    condition: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class BedrockPermissions:
    """What a target needs in an account; partition and account may be tokens of the CDK."""

    target: BedrockTarget
    partition: str
    account: str

    def of_create(self) -> Iterator[Permission]:
        if self.target.endpoint == "mantle":  # its permissions are those of projects, not of models
            yield Permission(MANTLE_CREATE, self._projects)
            return
        models = self.target.models
        for name in dict.fromkeys(models.values() if isinstance(models, dict) else models):
            yield from self._of_model(name)

    def of_stored(self, serves: Iterable[str]) -> Iterator[Permission]:
        """Yield what reads, cancels and deletes responses that Bedrock stores."""
        endpoint = self.target.endpoint
        actions = tuple(sorted({STORED[endpoint].get(each, "") for each in serves} - {""}))
        if actions and endpoint == "mantle":
            yield Permission(actions, self._projects)
        elif actions:  # AWS documents no resource for them
            yield Permission(
                actions, "*", ("StringEquals", "aws:RequestedRegion", self.target.region)
            )

    def _of_model(self, name: str) -> Iterator[Permission]:
        """Yield what calls a model: by itself, or by a profile and then only by that profile."""
        profile = PROFILE.fullmatch(name)
        if profile is None and not name.startswith("arn:"):
            yield Permission(RUNTIME_CREATE, self._model(self.target.region, name))
            return
        place = f"{self.target.region}:{self.account}"
        of_account = f"arn:{self.partition}:bedrock:{place}:inference-profile/{name}"
        arn = name if profile is None else of_account
        yield Permission(RUNTIME_CREATE, arn)
        model = "*" if profile is None else profile["model"]
        condition = ("ArnLike", "bedrock:InferenceProfileArn", arn)
        yield Permission(RUNTIME_CREATE, self._model("*", model), condition)

    def _model(self, region: str, name: str) -> str:
        return f"arn:{self.partition}:bedrock:{region}::foundation-model/{name}"

    @property
    def _projects(self) -> str:
        region = self.target.region
        return f"arn:{self.partition}:bedrock-mantle:{region}:{self.account}:project/*"
