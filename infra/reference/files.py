"""The endpoints of files, uploads and vector stores."""

from collections.abc import Mapping, Sequence

from openai import types
from openai.types import uploads, vector_stores

from antiphon.schema.list_queries import FilesQuery, ResourcesQuery
from infra.reference import resource_bodies as bodies
from infra.reference.operation import BINARY
from infra.reference.resource_bodies import ResourceList, TextPage
from infra.reference.resource_row import DOWNLOAD, MAKES, OWN_LIST, PROVIDER_PAGE, Row, of

FILES: Mapping[str, Sequence[Row]] = {
    "Files": (
        Row(
            "createFile",
            "POST /files",
            "Upload a file",
            MAKES,
            types.FileObject,
            body=bodies.FileForm,
        ),
        Row("listFiles", "GET /files", "List files", OWN_LIST, ResourceList, query=of(FilesQuery)),
        Row(
            "getFile",
            "GET /files/{id}",
            "Retrieve a file",
            "Returns a file, without its content.",
            types.FileObject,
        ),
        Row(
            "deleteFile",
            "DELETE /files/{id}",
            "Delete a file",
            "Deletes it at its provider, and from all vector stores.",
            types.FileDeleted,
        ),
        Row("getFileContent", "GET /files/{id}/content", "Download a file", DOWNLOAD, BINARY),
    ),
    "Uploads": (
        Row(
            "createUpload",
            "POST /uploads",
            "Begin an upload",
            MAKES,
            types.Upload,
            body=bodies.NewUpload,
        ),
        Row(
            "addUploadPart",
            "POST /uploads/{id}/parts",
            "Send a part",
            "Sends a part; several may be sent at once.",
            uploads.UploadPart,
            body=bodies.PartForm,
        ),
        Row(
            "completeUpload",
            "POST /uploads/{id}/complete",
            "Complete an upload",
            "Makes a file of the parts; the file belongs to the tenant.",
            types.Upload,
            body=bodies.UploadEnd,
        ),
        Row(
            "cancelUpload",
            "POST /uploads/{id}/cancel",
            "Cancel an upload",
            "Gives up an upload; its parts are gone.",
            types.Upload,
        ),
    ),
    "Vector stores": (
        Row(
            "createVectorStore",
            "POST /vector_stores",
            "Create a vector store",
            MAKES,
            bodies.VectorStore,
            body=bodies.StoreBody,
        ),
        Row(
            "listVectorStores",
            "GET /vector_stores",
            "List vector stores",
            OWN_LIST,
            ResourceList,
            query=of(ResourcesQuery),
        ),
        Row(
            "getVectorStore",
            "GET /vector_stores/{id}",
            "Retrieve a vector store",
            "Returns a vector store, without its files.",
            bodies.VectorStore,
        ),
        Row(
            "updateVectorStore",
            "POST /vector_stores/{id}",
            "Update a vector store",
            "Changes its name, its expiry or its metadata.",
            bodies.VectorStore,
            body=bodies.StoreBody,
        ),
        Row(
            "deleteVectorStore",
            "DELETE /vector_stores/{id}",
            "Delete a vector store",
            "Deletes it at its provider; its files stay.",
            types.VectorStoreDeleted,
        ),
        Row(
            "searchVectorStore",
            "POST /vector_stores/{id}/search",
            "Search a vector store",
            "Returns the parts of files that fit a query.",
            TextPage,
            body=bodies.SearchBody,
        ),
        Row(
            "addVectorStoreFile",
            "POST /vector_stores/{id}/files",
            "Add a file",
            "Indexes an own file in an own vector store.",
            vector_stores.VectorStoreFile,
            body=bodies.StoreFileBody,
        ),
        Row(
            "listVectorStoreFiles",
            "GET /vector_stores/{id}/files",
            "List the files of a store",
            "Lists its files, page by page.",
            ResourceList,
            query=PROVIDER_PAGE,
        ),
        Row(
            "getVectorStoreFile",
            "GET /vector_stores/{id}/files/{file_id}",
            "Retrieve a file of a store",
            "Returns its state in the store.",
            vector_stores.VectorStoreFile,
        ),
        Row(
            "updateVectorStoreFile",
            "POST /vector_stores/{id}/files/{file_id}",
            "Update a file of a store",
            "Changes its attributes.",
            vector_stores.VectorStoreFile,
            body=bodies.StoreFileBody,
        ),
        Row(
            "deleteVectorStoreFile",
            "DELETE /vector_stores/{id}/files/{file_id}",
            "Remove a file from a store",
            "Removes it from the store; the file itself stays.",
            vector_stores.VectorStoreFileDeleted,
        ),
        Row(
            "getVectorStoreFileContent",
            "GET /vector_stores/{id}/files/{file_id}/content",
            "Read a file of a store",
            "Returns the text that was indexed.",
            TextPage,
        ),
        Row(
            "createFileBatch",
            "POST /vector_stores/{id}/file_batches",
            "Add several files",
            "Indexes own files in an own vector store.",
            vector_stores.VectorStoreFileBatch,
            body=bodies.FileBatchBody,
        ),
        Row(
            "getFileBatch",
            "GET /vector_stores/{id}/file_batches/{batch_id}",
            "Retrieve a file batch",
            "Returns its state.",
            vector_stores.VectorStoreFileBatch,
        ),
        Row(
            "cancelFileBatch",
            "POST /vector_stores/{id}/file_batches/{batch_id}/cancel",
            "Cancel a file batch",
            "Stops what is not indexed yet.",
            vector_stores.VectorStoreFileBatch,
        ),
        Row(
            "listFileBatchFiles",
            "GET /vector_stores/{id}/file_batches/{batch_id}/files",
            "List the files of a batch",
            "Lists its files, page by page.",
            ResourceList,
            query=PROVIDER_PAGE,
        ),
    ),
}
