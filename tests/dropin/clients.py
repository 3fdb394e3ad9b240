"""Clients of the peers, from what is published of their formats; none of this service's code."""

import base64
import pickle
import zlib
from typing import Any

import httpx


class VerlError(Exception):
    """What verl counts as an API error: a reward of 0."""


class Peers:
    """One method for each thing that a peer's client does."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def verl(self, code: str, stdin: str | None = None, *, timeout: float = 10) -> dict[str, Any]:
        """Call ``/run_code`` as verl does; it tries again on 504 alone, three times in all."""
        payload = {
            "compile_timeout": timeout, "run_timeout": timeout, "code": code, "stdin": stdin,
            "memory_limit_MB": 1024, "language": "python", "files": {}, "fetch_files": [],
        }  # fmt: skip
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        for _ in range(3):
            answer = self.http.post("/run_code", json=payload, headers=headers)
            if answer.status_code == 504:
                continue
            if answer.status_code != 200:
                raise VerlError(answer.status_code)
            return dict(answer.json())
        raise VerlError(504)

    def verl_case(self, code: str, stdin: str, expected: str, *, timeout: float = 10) -> Any:
        """Judge one case as verl does: True, False, -1 sandbox, -2 runtime, -3 timeout."""
        answer = self.verl(code, stdin, timeout=timeout)
        run = answer["run_result"]
        if answer["status"] == "SandboxError":
            return -1
        if answer["status"] == "Success":
            assert run["status"] == "Finished"
            return bool(run["stdout"].rstrip("\n") == expected.rstrip("\n"))
        assert answer["status"] == "Failed"
        return {"TimeLimitExceeded": -3, "Finished": -2, "Error": -2}[run["status"]]

    def tinker(self, code: str, files: dict[str, bytes]) -> bool:
        """Call ``/run_code`` as tinker does; whatever is no success is a failure."""
        encoded = {name: base64.b64encode(data).decode() for name, data in files.items()}
        body = {"code": code, "language": "python", "run_timeout": 10, "files": encoded}
        answer = self.http.post("/run_code", json=body)
        return answer.status_code == 200 and answer.json()["status"] == "Success"

    def run_code(self, code: str, **fields: Any) -> dict[str, Any]:
        """Call ``/run_code`` as the tutorials do, without a language."""
        answer = self.http.post("/run_code", json={"code": code, **fields})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def piston(self, content: str, **fields: Any) -> httpx.Response:
        """Call ``/api/v2/execute`` as open-r1 does."""
        body = {
            "language": "python",
            "version": "*",
            "files": [{"name": "main.py", "content": content}],
            **fields,
        }
        return self.http.post("/api/v2/execute", json=body)

    def scale_box(
        self, completion: str, test_cases: dict[str, Any], **config: Any
    ) -> httpx.Response:
        """Call ``/common_evaluate_batch`` as ScaleBox's clients do."""
        body = {
            "completion": completion,
            "config": {
                "language": "python",
                "compile_timeout": 10,
                "run_timeout": 10,
                "provided_data": {"test_cases": test_cases},
                "extra": {"run_all_cases": True},
                **config,
            },
        }
        return self.http.post("/common_evaluate_batch", json=body)

    def open_instruct(self, path: str, program: str, tests: Any, seconds: float = 1.0) -> Any:
        """Call open-instruct's code API; it raises for every status but a success."""
        body = {"program": program, "tests": tests, "max_execution_time": seconds}
        answer = self.http.post(path, json=body)
        answer.raise_for_status()
        return answer.json()

    def openrlhf(self, queries: list[str], prompts: list[str], labels: list[str]) -> Any:
        """Ask for rewards as OpenRLHF does."""
        answer = self.http.post(
            "/reward", json={"query": queries, "prompts": prompts, "labels": labels}
        )
        answer.raise_for_status()
        return answer.json()

    def slime(self, prompt: Any, response: str, label: Any) -> Any:
        """Ask for a reward as slime does: the whole JSON is the reward."""
        answer = self.http.post(
            "/reward", json={"prompt": prompt, "response": response, "label": label}
        )
        answer.raise_for_status()
        return answer.json()


def packed(tests: Any) -> str:
    """Pack tests as open-instruct does."""
    return base64.b64encode(zlib.compress(pickle.dumps(tests))).decode()
