import pytest

from antiphon.settings.table import INDEXES, PARTITION_KEY, SORT_KEY, TTL
from tests.infra.synthesis import function, only, resources, statements, template
from tests.infra.variants import DEV, EVERYTHING, EXISTING, REPLICATED, SECOND_REGION, TABLE


@pytest.fixture(scope="module")
def table():
    return only(template(), "DynamoDB::GlobalTable")


def key(partition, sort):
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]


def test_keys_and_indexes_are_those_of_the_settings(table):
    indexes = {index["IndexName"]: index["KeySchema"] for index in table["GlobalSecondaryIndexes"]}
    assert table["KeySchema"] == key(PARTITION_KEY, SORT_KEY)
    assert indexes == {name: key(*attributes) for name, attributes in INDEXES.items()}


def test_billing_is_on_demand(table):
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_table_has_ttl_and_a_stream(table):
    assert table["TimeToLiveSpecification"] == {"AttributeName": TTL, "Enabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_table_has_point_in_time_recovery(table):
    (replica,) = table["Replicas"]
    assert replica["Region"] == {"Ref": "AWS::Region"}
    assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_each_replica_is_as_safe_as_the_table_of_the_stack():
    made = template(**REPLICATED)
    replicas = only(made, "DynamoDB::GlobalTable")["Replicas"]
    assert {each["Region"] for each in replicas} == {"eu-west-1", "eu-west-3", "eu-central-1"}
    for each in replicas:
        assert each["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert each["DeletionProtectionEnabled"] is True


@pytest.mark.parametrize(("options", "retained"), [({}, True), (DEV, False)], ids=["prod", "dev"])
def test_only_production_stages_retain_data(options, retained):
    made = template(**options)
    (table,) = made.find_resources("AWS::DynamoDB::GlobalTable").values()
    (replica,) = table["Properties"]["Replicas"]
    assert replica["DeletionProtectionEnabled"] is retained
    for kind in ("DynamoDB::GlobalTable", "Logs::LogGroup"):
        policies = {r["DeletionPolicy"] for r in made.find_resources(f"AWS::{kind}").values()}
        assert policies == {"RetainExceptOnCreate" if retained else "Delete"}


def test_an_existing_table_is_used_and_not_owned():
    made = template(**EXISTING)
    assert resources(made, "DynamoDB::GlobalTable") == {}
    assert function(made, "api")["Environment"]["Variables"]["TABLE_NAME"] == TABLE.split("/")[1]
    assert TABLE in [s["Resource"] for s in statements(made, "settle")]
    assert resources(made, "Lambda::EventSourceMapping", EventSourceArn=f"{TABLE}/stream/1")


def test_without_its_stream_another_region_counts():
    made = template(**SECOND_REGION)
    sources = [m["EventSourceArn"] for m in resources(made, "Lambda::EventSourceMapping").values()]
    assert len(sources) == 1  # the queue
    assert "dynamodb:GetRecords" not in str(statements(made, "rollup"))


def test_customer_managed_key_is_rotated_and_encrypts_everything():
    made = template(**EVERYTHING)
    (name,) = resources(made, "KMS::Key", EnableKeyRotation=True)
    key = {"Fn::GetAtt": [name, "Arn"]}
    assert (
        only(made, "DynamoDB::GlobalTable")["Replicas"][0]["SSESpecification"]["KMSMasterKeyId"]
        == key
    )
    assert all(s["KmsKeyId"] == key for s in resources(made, "SecretsManager::Secret").values())
    assert all(g["KmsKeyId"] == key for g in resources(made, "Logs::LogGroup").values())
    assert all(q["KmsMasterKeyId"] == key for q in resources(made, "SQS::Queue").values())


def test_no_key_by_default():
    assert resources(template(), "KMS::Key") == {}
