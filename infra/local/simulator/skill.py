"""A skill: instructions and code for a model, in numbered versions."""

import io
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from zipfile import BadZipFile, ZipFile

from infra.local.simulator.errors import ApiError, MissingResource
from infra.local.simulator.items import Json, new_id
from infra.local.simulator.multipart import FormFile

MANIFEST = re.compile(r"(?:[^/]+/)?SKILL\.md")  # at the top, or in the only folder there
MAX_MANIFEST_BYTES = 64 * 1024
FIELD = re.compile(r"(?m)^(name|description):\s*(\S.*?)\s*$")
ZIP_TYPES = {"application/zip", "application/x-zip-compressed"}


@dataclass(frozen=True)
class SkillVersion:
    """The content of a skill, as a zip file, and what its manifest says about it."""

    skill_id: str
    number: str
    content: bytes
    name: str
    description: str
    id: str = field(default_factory=lambda: new_id("skillver"))
    created_at: float = field(default_factory=time.time)

    def describe(self) -> Json:
        """Returns the version in the format of the API."""
        return {
            "id": self.id,
            "object": "skill.version",
            "skill_id": self.skill_id,
            "version": self.number,
            "created_at": int(self.created_at),
            "name": self.name,
            "description": self.description,
        }


@dataclass(eq=False)
class Skill:
    """Its versions by number, oldest first."""

    id: str = field(default_factory=lambda: new_id("skill"))
    created_at: float = field(default_factory=time.time)
    versions: dict[str, SkillVersion] = field(default_factory=dict)
    default_version: str = "1"
    version_count: int = 0  # also those that are deleted

    @property
    def weight(self) -> int:
        return sum(len(version.content) for version in self.versions.values())

    def add_version(self, files: Sequence[FormFile]) -> SkillVersion:
        """Adds a version that was sent as a zip file, or as files with paths for names."""
        content = files[0].content if _is_zip(files) else _pack(files)
        name, description = _read_manifest(content)
        self.version_count += 1
        number = str(self.version_count)
        version = SkillVersion(self.id, number, content, name, description)
        self.versions[number] = version
        return version

    def find_version(self, number: str) -> SkillVersion:
        if number not in self.versions:
            raise MissingResource(f"Version '{number}' of skill '{self.id}' not found.")
        return self.versions[number]

    def set_default(self, number: str) -> None:
        self.default_version = self.find_version(number).number

    def delete_version(self, number: str) -> None:
        version = self.find_version(number)
        if version.number == self.default_version:
            raise ApiError(400, "The default version of a skill cannot be deleted.")
        self.versions.pop(number)

    def describe(self) -> Json:
        """Returns the skill in the format of the API."""
        default = self.versions[self.default_version]
        return {
            "id": self.id,
            "object": "skill",
            "created_at": int(self.created_at),
            "name": default.name,
            "description": default.description,
            "default_version": self.default_version,
            "latest_version": list(self.versions)[-1],
        }


def _is_zip(files: Sequence[FormFile]) -> bool:
    is_zip = files[0].type in ZIP_TYPES or files[0].filename.endswith(".zip")
    return len(files) == 1 and is_zip


def _pack(files: Sequence[FormFile]) -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        for file in files:
            archive.writestr(file.filename, file.content)
    return buffer.getvalue()


def _read_manifest(content: bytes) -> tuple[str, str]:
    """Returns name and description from the first lines of SKILL.md."""
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            paths = [path for path in archive.namelist() if MANIFEST.fullmatch(path)]
            if len(paths) != 1:
                raise ApiError(400, "A skill must have exactly one SKILL.md.", param="files")
            with archive.open(paths[0]) as manifest:
                text = manifest.read(MAX_MANIFEST_BYTES).decode(errors="replace")
    except (BadZipFile, RuntimeError) as exc:  # RuntimeError: encrypted
        raise ApiError(400, "The file is no zip file.", param="files") from exc
    _, _, after = text.partition("---\n")
    fields = dict(FIELD.findall(after.partition("\n---")[0]))
    if len(fields) != 2:  # noqa: PLR2004  # name and description
        raise ApiError(400, "SKILL.md must begin with a name and a description.", param="files")
    return fields["name"], fields["description"]
