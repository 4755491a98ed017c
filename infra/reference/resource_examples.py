"""Example requests and answers of files, vector stores, containers and skills."""

from infra.reference.examples import CREATED, example, list_of
from infra.reference.schemas import Schema

FILE, UPLOAD, STORE = "file-68a1c0ffee", "upload_68a1c0ffee", "vs_68a1c0ffee"
BATCH, CONTAINER, CFILE = "vsfb_68a1c0ffee", "cntr_68a1c0ffee", "cfile_68a1c0ffee"
SKILL, PART = "skill_68a1c0ffee", "part_68a1c0ffee"
COUNTS = {"in_progress": 0, "completed": 1, "failed": 0, "cancelled": 0, "total": 1}

FILE_OBJECT: Schema = {
    "id": FILE,
    "object": "file",
    "bytes": 4096,
    "created_at": CREATED,
    "filename": "report.pdf",
    "purpose": "user_data",
    "status": "processed",
}
UPLOAD_OBJECT: Schema = {
    "id": UPLOAD,
    "object": "upload",
    "bytes": 4096,
    "created_at": CREATED,
    "expires_at": CREATED + 3600,
    "filename": "report.pdf",
    "purpose": "user_data",
    "status": "pending",
}
STORE_OBJECT: Schema = {
    "id": STORE,
    "object": "vector_store",
    "created_at": CREATED,
    "name": "handbook",
    "status": "completed",
    "usage_bytes": 4096,
    "file_counts": COUNTS,
    "last_active_at": CREATED,
    "metadata": {},
}
STORE_FILE_OBJECT: Schema = {
    "id": FILE,
    "object": "vector_store.file",
    "created_at": CREATED,
    "vector_store_id": STORE,
    "status": "completed",
    "usage_bytes": 4096,
    "last_error": None,
}
FILE_BATCH_OBJECT: Schema = {
    "id": BATCH,
    "object": "vector_store.files_batch",
    "created_at": CREATED,
    "vector_store_id": STORE,
    "status": "completed",
    "file_counts": COUNTS,
}
CONTAINER_OBJECT: Schema = {
    "id": CONTAINER,
    "object": "container",
    "created_at": CREATED,
    "name": "analysis",
    "status": "running",
}
CONTAINER_FILE_OBJECT: Schema = {
    "id": CFILE,
    "object": "container.file",
    "bytes": 4096,
    "container_id": CONTAINER,
    "created_at": CREATED,
    "path": "/mnt/data/report.csv",
    "source": "assistant",
}
SKILL_OBJECT: Schema = {
    "id": SKILL,
    "object": "skill",
    "created_at": CREATED,
    "default_version": "1",
    "description": "How to fill in the form.",
    "latest_version": "1",
    "name": "forms",
}
VERSION_OBJECT: Schema = {
    "id": "1",
    "object": "skill.version",
    "created_at": CREATED,
    "description": "How to fill in the form.",
    "name": "forms",
    "skill_id": SKILL,
    "version": "1",
}
BATCH_OBJECT: Schema = {
    "id": "batch_68a1c0ffee",
    "object": "batch",
    "completion_window": "24h",
    "created_at": CREATED,
    "endpoint": "/v1/responses",
    "input_file_id": FILE,
    "status": "completed",
    "output_file_id": "file-68a1c0ffef",
}
TEXTS = [{"type": "text", "text": "Everybody has 30 days of holidays."}]
FOUND_OBJECT: Schema = {
    "attributes": {},
    "content": TEXTS,
    "file_id": FILE,
    "filename": "report.pdf",
    "score": 0.8,
}
NO_BYTES = "…"


def deleted(kind: str, id: str) -> Schema:
    return example({"id": id, "object": kind, "deleted": True})


def text_page(kind: str, *data: Schema) -> Schema:
    page = {"object": kind, "data": list(data), "has_more": False, "next_page": None}
    return example(page)


REQUESTS: Schema = {
    "createFile": example({"file": NO_BYTES, "purpose": "user_data"}),
    "createUpload": example(
        {
            "bytes": 4096,
            "filename": "report.pdf",
            "mime_type": "application/pdf",
            "purpose": "vision",
        }
    ),
    "addUploadPart": example({"data": NO_BYTES}),
    "completeUpload": example({"part_ids": [PART]}),
    "createVectorStore": example({"name": "handbook", "file_ids": [FILE]}),
    "updateVectorStore": example({"name": "handbook"}),
    "searchVectorStore": example({"query": "holidays"}),
    "addVectorStoreFile": example({"file_id": FILE}),
    "updateVectorStoreFile": example({"attributes": {"year": 2026}}),
    "createFileBatch": example({"file_ids": [FILE]}),
    "createBatch": example(
        {"input_file_id": FILE, "endpoint": "/v1/responses", "completion_window": "24h"}
    ),
    "createContainer": example({"name": "analysis", "file_ids": [FILE]}),
    "addContainerFile": example({"file_id": FILE}),
    "createSkill": example({"files": NO_BYTES}),
    "updateSkill": example({"default_version": "2"}),
    "createSkillVersion": example({"files": NO_BYTES}),
}
ANSWERS: Schema = {
    "createFile": example(FILE_OBJECT),
    "listFiles": example(list_of(FILE_OBJECT)),
    "getFile": example(FILE_OBJECT),
    "deleteFile": deleted("file", FILE),
    "createUpload": example(UPLOAD_OBJECT),
    "addUploadPart": example(
        {"id": PART, "object": "upload.part", "created_at": CREATED, "upload_id": UPLOAD}
    ),
    "completeUpload": example({**UPLOAD_OBJECT, "status": "completed", "file": FILE_OBJECT}),
    "cancelUpload": example({**UPLOAD_OBJECT, "status": "cancelled"}),
    "createVectorStore": example(STORE_OBJECT),
    "listVectorStores": example(list_of(STORE_OBJECT)),
    "getVectorStore": example(STORE_OBJECT),
    "updateVectorStore": example(STORE_OBJECT),
    "deleteVectorStore": deleted("vector_store.deleted", STORE),
    "searchVectorStore": text_page("vector_store.search_results.page", FOUND_OBJECT),
    "addVectorStoreFile": example(STORE_FILE_OBJECT),
    "listVectorStoreFiles": example(list_of(STORE_FILE_OBJECT)),
    "getVectorStoreFile": example(STORE_FILE_OBJECT),
    "updateVectorStoreFile": example(STORE_FILE_OBJECT),
    "deleteVectorStoreFile": deleted("vector_store.file.deleted", FILE),
    "getVectorStoreFileContent": text_page("vector_store.file_content.page", *TEXTS),
    "createFileBatch": example(FILE_BATCH_OBJECT),
    "getFileBatch": example(FILE_BATCH_OBJECT),
    "cancelFileBatch": example({**FILE_BATCH_OBJECT, "status": "cancelled"}),
    "listFileBatchFiles": example(list_of(STORE_FILE_OBJECT)),
    "createBatch": example({**BATCH_OBJECT, "status": "validating", "output_file_id": None}),
    "listBatches": example(list_of(BATCH_OBJECT)),
    "getBatch": example(BATCH_OBJECT),
    "cancelBatch": example({**BATCH_OBJECT, "status": "cancelling", "output_file_id": None}),
    "createContainer": example(CONTAINER_OBJECT),
    "listContainers": example(list_of(CONTAINER_OBJECT)),
    "getContainer": example(CONTAINER_OBJECT),
    "deleteContainer": deleted("container.deleted", CONTAINER),
    "addContainerFile": example(CONTAINER_FILE_OBJECT),
    "listContainerFiles": example(list_of(CONTAINER_FILE_OBJECT)),
    "getContainerFile": example(CONTAINER_FILE_OBJECT),
    "deleteContainerFile": deleted("container.file.deleted", CFILE),
    "createSkill": example(SKILL_OBJECT),
    "listSkills": example(list_of(SKILL_OBJECT)),
    "getSkill": example(SKILL_OBJECT),
    "updateSkill": example(SKILL_OBJECT),
    "deleteSkill": deleted("skill.deleted", SKILL),
    "createSkillVersion": example(VERSION_OBJECT),
    "listSkillVersions": example(list_of(VERSION_OBJECT)),
    "getSkillVersion": example(VERSION_OBJECT),
    "deleteSkillVersion": example(
        {"id": SKILL, "object": "skill.version.deleted", "deleted": True, "version": "1"}
    ),
}
