"""Keys and rates hold for the drop-in endpoints as for all others."""

import httpx
import pytest

from executor_service.access.keys import new_token, token_digest
from executor_service.local_server import local_server
from executor_service.settings import Settings

PATHS = (
    "/run_code", "/common_evaluate_batch", "/api/v2/execute", "/reward", "/test_program",
    "/test_program_stdio",
)  # fmt: skip
READ = ("/v1/ping", "/api/v2/runtimes", "/health")


@pytest.fixture(scope="module")
def guarded():
    token = new_token()
    settings = Settings(
        slots=1, keys=f"trainer:{token_digest(token)}", rate_limit=0.001, rate_burst=1
    )
    with local_server(settings) as url:
        yield url, token


def test_without_a_key_nothing_is_answered(guarded):
    url, _ = guarded
    with httpx.Client(base_url=url) as http:
        assert {http.post(path, json={}).status_code for path in PATHS} == {401}
        assert {http.get(path).status_code for path in READ} == {401}


def test_a_client_that_knows_of_no_keys_has_one_in_its_url_and_a_rate(guarded):
    url, token = guarded
    address = url.replace("http://", f"http://any:{token}@") + "/run_code"
    assert httpx.post(address, json={"code": "print(1)"}).json()["status"] == "Success"
    assert httpx.post(address, json={"code": "print(1)"}).status_code == 504
