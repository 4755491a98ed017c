"""The endpoints of containers and skills."""

from collections.abc import Mapping, Sequence

from openai import types
from openai.types import containers, skills

from antiphon.schema.list_queries import ContainersQuery, ResourcesQuery
from antiphon.schema.other_bodies import CreateBatch
from infra.reference import parameters
from infra.reference import resource_bodies as bodies
from infra.reference.operation import BINARY
from infra.reference.resource_bodies import ResourceList
from infra.reference.resource_row import DOWNLOAD, MAKES, OWN_LIST, PROVIDER_PAGE, Row, of

BATCHES = (
    "Creates the responses of all lines of an own file within a day. Served where the gateway's "
    "operators enable it. Every line is checked before as a create of its own is: its ids, which "
    "must be at the target of the file, and its model, which must have the same name there. A key "
    "or tenant with a budget is refused."
)
CONTAINERS: Mapping[str, Sequence[Row]] = {
    "Containers": (
        Row(
            "createContainer",
            "POST /containers",
            "Create a container",
            MAKES,
            types.ContainerCreateResponse,
            body=bodies.ContainerBody,
        ),
        Row(
            "listContainers",
            "GET /containers",
            "List containers",
            OWN_LIST,
            ResourceList,
            query=of(ContainersQuery),
        ),
        Row(
            "getContainer",
            "GET /containers/{id}",
            "Retrieve a container",
            "Returns a container, without its files.",
            types.ContainerRetrieveResponse,
        ),
        Row(
            "deleteContainer",
            "DELETE /containers/{id}",
            "Delete a container",
            "Deletes it at its provider, with its files.",
            bodies.DeletedContainer,
        ),
        Row(
            "addContainerFile",
            "POST /containers/{id}/files",
            "Add a file to a container",
            "Copies an own file into an own container; or sends one, as the part `file` of a form.",
            containers.FileCreateResponse,
            body=bodies.ContainerFileBody,
        ),
        Row(
            "listContainerFiles",
            "GET /containers/{id}/files",
            "List the files of a container",
            "Lists its files, page by page.",
            ResourceList,
            query=PROVIDER_PAGE,
        ),
        Row(
            "getContainerFile",
            "GET /containers/{id}/files/{file_id}",
            "Retrieve a file of a container",
            "Returns a file, without its content.",
            containers.FileRetrieveResponse,
        ),
        Row(
            "deleteContainerFile",
            "DELETE /containers/{id}/files/{file_id}",
            "Delete a file of a container",
            "Deletes it in the container.",
            bodies.DeletedContainerFile,
        ),
        Row(
            "getContainerFileContent",
            "GET /containers/{id}/files/{file_id}/content",
            "Download a file of a container",
            DOWNLOAD,
            BINARY,
        ),
    ),
    "Batches": (
        Row(
            "createBatch",
            "POST /batches",
            "Create a batch",
            BATCHES,
            types.Batch,
            body=CreateBatch,
            query=(parameters.IDEMPOTENCY_KEY,),
        ),
        Row(
            "listBatches",
            "GET /batches",
            "List batches",
            OWN_LIST,
            ResourceList,
            query=of(ResourcesQuery),
        ),
        Row(
            "getBatch",
            "GET /batches/{id}",
            "Retrieve a batch",
            "Returns a batch; the files with its results belong to its tenant.",
            types.Batch,
        ),
        Row(
            "cancelBatch",
            "POST /batches/{id}/cancel",
            "Cancel a batch",
            "Stops a batch; what is done is charged.",
            types.Batch,
        ),
    ),
    "Skills": (
        Row(
            "createSkill",
            "POST /skills",
            "Create a skill",
            MAKES,
            types.Skill,
            body=bodies.SkillForm,
        ),
        Row(
            "listSkills",
            "GET /skills",
            "List skills",
            OWN_LIST,
            ResourceList,
            query=of(ResourcesQuery),
        ),
        Row(
            "getSkill",
            "GET /skills/{id}",
            "Retrieve a skill",
            "Returns a skill, without its content.",
            types.Skill,
        ),
        Row(
            "updateSkill",
            "POST /skills/{id}",
            "Update a skill",
            "Sets the version that is used where none is named.",
            types.Skill,
            body=bodies.SkillBody,
        ),
        Row(
            "deleteSkill",
            "DELETE /skills/{id}",
            "Delete a skill",
            "Deletes it at its provider, with its versions.",
            types.DeletedSkill,
        ),
        Row("getSkillContent", "GET /skills/{id}/content", "Download a skill", DOWNLOAD, BINARY),
        Row(
            "createSkillVersion",
            "POST /skills/{id}/versions",
            "Add a version",
            "Adds a version to a skill.",
            skills.SkillVersion,
            body=bodies.SkillForm,
        ),
        Row(
            "listSkillVersions",
            "GET /skills/{id}/versions",
            "List versions",
            "Lists the versions of a skill, page by page.",
            ResourceList,
            query=PROVIDER_PAGE,
        ),
        Row(
            "getSkillVersion",
            "GET /skills/{id}/versions/{version_id}",
            "Retrieve a version",
            "Returns a version of a skill.",
            skills.SkillVersion,
        ),
        Row(
            "deleteSkillVersion",
            "DELETE /skills/{id}/versions/{version_id}",
            "Delete a version",
            "Deletes a version of a skill.",
            skills.DeletedSkillVersion,
        ),
        Row(
            "getSkillVersionContent",
            "GET /skills/{id}/versions/{version_id}/content",
            "Download a version",
            DOWNLOAD,
            BINARY,
        ),
    ),
}
