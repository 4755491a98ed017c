"""The secret of webhooks: there only with the setting, for the functions that sign."""

from tests.infra.synthesis import function, resources, statements, template
from tests.infra.variants import PARTS


def secret_of(made):
    found = resources(made, "SecretsManager::Secret").items()
    return [id for id, secret in found if secret["Description"].startswith("Signs the webhooks")]


def test_what_signs_may_read_one_secret_more():
    made = template(text=PARTS)
    (id,) = secret_of(made)
    for name in ("api", "settle"):
        assert function(made, name)["Environment"]["Variables"]["WEBHOOK_SECRET"] == {"Ref": id}
        (read,) = (each for each in statements(made, name) if id in str(each["Resource"]))
        assert read["Action"] == "secretsmanager:GetSecretValue"
    assert id not in str([statements(made, "rollup"), function(made, "rollup")])
    generated = resources(made, "SecretsManager::Secret")[id]["GenerateSecretString"]
    assert generated == {"PasswordLength": 64, "ExcludePunctuation": True}


def test_without_the_setting_there_is_no_secret():
    assert secret_of(template()) == []
    for name in ("api", "settle", "rollup"):
        assert "WEBHOOK" not in str(function(template(), name))
