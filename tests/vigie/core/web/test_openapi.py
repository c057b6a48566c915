"""The OpenAPI document is valid, and says of every route what it may answer."""

import msgspec
import pytest

from tests.support.web import client
from vigie.core.access import PERMISSIONS
from vigie.core.access.api import ROUTES
from vigie.core.runtime import Runtime
from vigie.core.web import build_app


@pytest.fixture(scope="module")
async def document(runtime: Runtime):
    async with client(build_app(runtime, ROUTES, PERMISSIONS)) as browser:
        answer = await browser.get("/api/v1/openapi.json")
        assert answer.status_code == 200
        return answer.json()


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def test_it_is_openapi_3_1_with_security_schemes(document):
    assert document["openapi"].startswith("3.1")
    assert set(document["components"]["securitySchemes"]) == {"session", "token"}


def test_operation_ids_are_unique_and_named_after_their_room(document):
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert all("." in one for one in ids)


def test_every_operation_documents_its_problems(document):
    for method, path, operation in operations(document):
        problems = {s for s in operation["responses"] if s[0] in "45"}
        assert {"400", "422", "500", "503"} <= problems, (method, path)
        for status in problems:
            assert operation["responses"][status] == {"$ref": "#/components/responses/Problem"}
        if "requestBody" in operation:
            assert {"413", "415"} <= problems
            assert operation["requestBody"]["required"] is True
        assert operation["summary"]


def test_every_permission_is_told(document):
    users = document["paths"]["/api/v1/users"]["get"]
    assert users["x-permission"] == "access.read"
    assert users["security"] == [{"session": []}, {"token": []}]
    assert "security" not in document["paths"]["/api/v1/session"]["post"]


def test_every_reference_leads_somewhere(document):
    raw = msgspec.json.encode(document).decode()
    for part in raw.split('"$ref":"')[1:]:
        target = document
        for step in part.partition('"')[0].removeprefix("#/").split("/"):
            target = target[step]
