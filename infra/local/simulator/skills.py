"""The endpoints of skills, which only OpenAI has.

https://platform.openai.com/docs/api-reference/skills: a skill is sent as a form, with one zip file
or with files that have their paths for names.
"""

from aiohttp import web

from infra.local.simulator.api_request import ApiRequest, Route
from infra.local.simulator.errors import missing_parameter
from infra.local.simulator.file import Content
from infra.local.simulator.items import Json
from infra.local.simulator.multipart import Form, FormFile
from infra.local.simulator.pages import list_page
from infra.local.simulator.request_body import ExpectedType, check_types
from infra.local.simulator.resource_delivery import Download, reply_created
from infra.local.simulator.resource_scenarios import NORMAL, find_resource_scenario
from infra.local.simulator.skill import Skill, SkillVersion

TYPES: dict[str, ExpectedType] = {"default_version": (str, "a string")}
FILES = {"files", "files[]"}


async def create_skill(request: ApiRequest) -> web.StreamResponse:
    """The name in SKILL.md may be that of a scenario."""
    skill = Skill()
    version = skill.add_version(_read_files(await request.read_form()))

    def create() -> Json:
        request.account.skills.put(skill.id, skill, skill.weight)
        return skill.describe()

    return await reply_created(request, find_resource_scenario(version.name), create)


def _read_files(form: Form) -> list[FormFile]:
    files = [file for file in form.files if file.name in FILES]
    if not files:
        raise missing_parameter("files")
    return files


async def list_skills(request: ApiRequest) -> web.StreamResponse:
    skills = [skill.describe() for skill in request.account.skills.values()]
    return request.reply(list_page(skills, request.query))


async def retrieve_skill(request: ApiRequest) -> web.StreamResponse:
    return request.reply(_path_skill(request).describe())


async def update_skill(request: ApiRequest) -> web.StreamResponse:
    skill, body = _path_skill(request), await request.read_json()
    check_types(body, TYPES)
    if not body.get("default_version"):
        raise missing_parameter("default_version")
    skill.set_default(body["default_version"])
    return request.reply(skill.describe())


async def delete_skill(request: ApiRequest) -> web.StreamResponse:
    skill = _path_skill(request)
    request.account.skills.remove(skill.id)
    return request.reply({"id": skill.id, "object": "skill.deleted", "deleted": True})


async def download_skill(request: ApiRequest) -> web.StreamResponse:
    skill = _path_skill(request)
    return await _send(request, skill.find_version(skill.default_version))


async def create_version(request: ApiRequest) -> web.StreamResponse:
    skill, form = _path_skill(request), await request.read_form()
    version = skill.add_version(_read_files(form))
    if form.fields.get("default") == "true":
        skill.set_default(version.number)
    request.account.skills.put(skill.id, skill, skill.weight)
    return request.reply(version.describe())


async def list_versions(request: ApiRequest) -> web.StreamResponse:
    versions = [version.describe() for version in _path_skill(request).versions.values()]
    return request.reply(list_page(versions, request.query))


async def retrieve_version(request: ApiRequest) -> web.StreamResponse:
    return request.reply(_path_version(request).describe())


async def delete_version(request: ApiRequest) -> web.StreamResponse:
    skill, version = _path_skill(request), _path_version(request)
    skill.delete_version(version.number)
    deleted = {"id": version.id, "object": "skill.version.deleted", "deleted": True}
    return request.reply({**deleted, "version": version.number})


async def download_version(request: ApiRequest) -> web.StreamResponse:
    return await _send(request, _path_version(request))


async def _send(request: ApiRequest, version: SkillVersion) -> web.StreamResponse:
    content = Content(version.content, len(version.content))
    return await Download(version.id, f"{version.name}.zip", content, NORMAL).send(request)


def _path_skill(request: ApiRequest) -> Skill:
    return request.account.find_skill(request.path_parameter("id"))


def _path_version(request: ApiRequest) -> SkillVersion:
    return _path_skill(request).find_version(request.path_parameter("version"))


ROUTES: list[Route] = [
    ("POST", "/skills", create_skill),
    ("GET", "/skills", list_skills),
    ("GET", "/skills/{id}", retrieve_skill),
    ("POST", "/skills/{id}", update_skill),
    ("DELETE", "/skills/{id}", delete_skill),
    ("GET", "/skills/{id}/content", download_skill),
    ("POST", "/skills/{id}/versions", create_version),
    ("GET", "/skills/{id}/versions", list_versions),
    ("GET", "/skills/{id}/versions/{version}", retrieve_version),
    ("DELETE", "/skills/{id}/versions/{version}", delete_version),
    ("GET", "/skills/{id}/versions/{version}/content", download_version),
]
