"""What a project has besides responses: files, uploads, vector stores and the like."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from infra.local.simulator.batch import Batch
from infra.local.simulator.bounded_store import BoundedStore
from infra.local.simulator.container import Container, ContainerFile
from infra.local.simulator.errors import MissingResource
from infra.local.simulator.file import File
from infra.local.simulator.items import Json
from infra.local.simulator.skill import Skill
from infra.local.simulator.upload import Upload
from infra.local.simulator.vector_store import VectorStore

MAX_RESOURCES = 2_000
MAX_FILES = 20_000  # a page of files may have 10,000
MAX_FILE_BYTES = 256 * 1024 * 1024


def _found[Value](value: Value | None, message: str, param: str | None) -> Value:
    if value is None:
        raise MissingResource(message, param)
    return value


@dataclass
class Project:
    """Each object is visible to all users of the project, and to nobody else."""

    files: BoundedStore[File] = field(
        default_factory=lambda: BoundedStore(MAX_FILES, MAX_FILE_BYTES)
    )
    uploads: BoundedStore[Upload] = field(
        default_factory=lambda: BoundedStore(MAX_RESOURCES, MAX_FILE_BYTES)
    )
    vector_stores: BoundedStore[VectorStore] = field(
        default_factory=lambda: BoundedStore(MAX_RESOURCES)
    )
    containers: BoundedStore[Container] = field(default_factory=lambda: BoundedStore(MAX_RESOURCES))
    container_files: BoundedStore[ContainerFile] = field(
        default_factory=lambda: BoundedStore(MAX_FILES)
    )

    skills: BoundedStore[Skill] = field(default_factory=lambda: BoundedStore(MAX_RESOURCES))
    batches: BoundedStore[Batch] = field(default_factory=lambda: BoundedStore(MAX_RESOURCES))

    def add_file(self, file: File) -> Json:
        for id in self.files.put(file.id, file, len(file.content.data)):
            self._take_out_of_stores(id)
        return file.describe()

    def find_file(self, id: str, param: str = "id") -> File:
        """Returns the file that a parameter of a request names."""
        file = self.files.get(id)
        current = None if file is None or file.is_expired else file
        return _found(current, f"No such File object: {id}", param)

    def delete_file(self, id: str) -> None:
        self.files.remove(id)
        self._take_out_of_stores(id)

    def _take_out_of_stores(self, id: str) -> None:
        for store in self.vector_stores.values():
            store.files.pop(id, None)

    def find_upload(self, id: str) -> Upload:
        return _found(self.uploads.get(id), f"No such Upload object: {id}", "id")

    def find_vector_store(self, id: str, param: str | None = None) -> VectorStore:
        message = f"No vector store found with id '{id}'."
        return _found(self.vector_stores.get(id), message, param)

    def find_container(self, id: str, param: str | None = None) -> Container:
        message = f"Container with id '{id}' not found."
        return _found(self.containers.get(id), message, param)

    def find_skill(self, id: str, param: str | None = None) -> Skill:
        return _found(self.skills.get(id), f"Skill with id '{id}' not found.", param)

    def find_batch(self, id: str) -> Batch:
        return _found(self.batches.get(id), f"No batch found with id '{id}'.", None)

    def add_container(self, container: Container, file_ids: Sequence[str], param: str) -> Container:
        """Creates a container that has copies of files of the project."""
        files = [self.find_file(str(id), f"{param}[{i}]") for i, id in enumerate(file_ids)]
        self.containers.put(container.id, container)
        for file in files:
            self.copy_into(container, file)
        return container

    def copy_into(self, container: Container, file: File) -> ContainerFile:
        copy = ContainerFile(container.id, file.filename, file.content, file.scenario)
        return self.add_container_file(copy)

    def add_container_file(self, file: ContainerFile) -> ContainerFile:
        self.container_files.put(file.id, file, len(file.content.data))
        return file

    def files_in(self, container: Container) -> list[ContainerFile]:
        return [file for file in self.container_files.values() if file.container_id == container.id]

    def find_container_file(self, container: Container, id: str) -> ContainerFile:
        file = self.container_files.get(id)
        if file is None or file.container_id != container.id:
            raise MissingResource(f"File {id} not found on container {container.id}")
        return file

    def delete_container(self, container: Container) -> None:
        self.containers.remove(container.id)
        for file in self.files_in(container):
            self.container_files.remove(file.id)
