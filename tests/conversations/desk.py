"""An account manager at the workspace's own interface, without a browser."""

import re
import uuid

import httpx


class Desk:
    """Signed in and on duty."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=30, follow_redirects=True)
        page = self._http.post("/sign-in", data={"email": email, "password": password})
        page.raise_for_status()
        token = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
        assert token, "the workspace shows no CSRF token; is the password right?"
        self._http.headers["X-CSRF-Token"] = token.group(1)
        self.is_on_duty(True)

    def is_on_duty(self, on_duty: bool) -> None:
        self._http.post("/workspace/api/duty", json={"on_duty": on_duty}).raise_for_status()

    def takes_over(self, conversation_id: str) -> None:
        self._http.post(f"/workspace/api/conversations/{conversation_id}/claim").raise_for_status()

    def gives_back(self, conversation_id: str) -> None:
        self._http.post(f"/workspace/api/conversations/{conversation_id}/give-back").raise_for_status()

    def says(self, conversation_id: str, text: str, last_seen_seq: int) -> None:
        body = {"client_id": uuid.uuid4().hex, "text": text, "last_seen_seq": last_seen_seq}
        self._http.post(
            f"/workspace/api/conversations/{conversation_id}/messages", json=body
        ).raise_for_status()
