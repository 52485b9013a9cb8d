"""No staff route without a guard, no write without the session's CSRF token."""

import pytest
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from fastapi.testclient import TestClient

from tests.staff.office import Office

OPEN = {("GET", "/sign-in"), ("POST", "/sign-in")}
GUARDED = {
    "/workspace": ("account_manager",),
    "/console": ("marketer",),
    "/operator": ("operator",),
    "/sign-out": ("account_manager", "marketer", "operator"),
    "/staff": ("account_manager", "marketer", "operator"),
}


def _routes(office: Office) -> list[tuple[str, str, RouteContext]]:
    found: list[tuple[str, str, RouteContext]] = []
    for route in iter_route_contexts(office.app.routes):
        if isinstance(route.original_route, APIRoute):
            methods = sorted((route.methods or set()) - {"HEAD"})
            found += [(method, route.path or "", route) for method in methods]
        else:
            path = getattr(route.original_route, "path", "")
            assert not path.startswith(tuple(GUARDED)), f"{path} bypasses the guard"
    return found


def _roles(route: RouteContext) -> tuple[str, ...]:
    guards = [d.call for d in route.dependant.dependencies if hasattr(d.call, "roles")]
    assert len(guards) <= 1
    return tuple(guards[0].roles) if guards else ()


def test_every_staff_route_has_the_guard_of_its_part(office: Office) -> None:
    seen = set()
    for method, path, route in _routes(office):
        if (method, path) in OPEN:
            continue
        part = "/" + path.split("/")[1]
        assert _roles(route) == GUARDED[part], f"{method} {path}"
        seen.add(part)
    assert seen == set(GUARDED), "a part that has no routes any more is not proven"


def test_without_a_session_every_route_refuses(office: Office) -> None:
    client = office.browser()
    for method, path, _ in _routes(office):
        if (method, path) in OPEN:
            continue
        answer = client.request(method, _filled(path))
        assert answer.status_code == 401, f"{method} {path}"
        assert answer.json()["error"]["code"] == "not_signed_in"


def test_with_another_role_every_route_refuses(office: Office) -> None:
    browsers = _browsers(office)
    for method, path, route in _routes(office):
        for role, client in browsers.items():
            if (method, path) in OPEN or role in _roles(route):
                continue
            answer = client.request(method, _filled(path))
            assert answer.status_code == 403, f"{role}: {method} {path}"
            assert answer.json()["error"]["code"] == "wrong_role"


@pytest.mark.parametrize("shown", [None, "", "guessed", "é"])
def test_without_the_csrf_token_every_write_refuses(office: Office, shown: str | None) -> None:
    browsers = _browsers(office)
    for client in browsers.values():
        del client.headers["X-CSRF-Token"]
    headers = {} if shown is None else {b"X-CSRF-Token": shown.encode()}
    for method, path, route in _routes(office):
        if method == "GET" or (method, path) in OPEN:
            continue
        answer = browsers[_roles(route)[0]].request(method, _filled(path), headers=headers)
        assert answer.status_code == 403, f"{method} {path}"
        assert answer.json()["error"]["code"] == "csrf"


def test_the_csrf_token_of_another_session_is_refused(office: Office) -> None:
    mine, other = office.browser_of("Ana"), office.browser_of("Ana")
    answer = mine.post("/staff/heartbeat", headers={"X-CSRF-Token": other.headers["X-CSRF-Token"]})
    assert answer.json()["error"]["code"] == "csrf"


def test_a_page_without_a_session_leads_to_sign_in_and_back(office: Office) -> None:
    answer = office.browser().get("/workspace?view=mine", headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fworkspace%3Fview%3Dmine"


def test_a_person_of_another_role_is_shown_the_way_home(office: Office) -> None:
    answer = office.browser_of("Mara").get("/workspace", headers={"Accept": "text/html"})
    assert answer.status_code == 403
    assert 'href="/console"' in answer.text


def test_pages_carry_a_policy_without_anything_inline_and_are_not_kept(office: Office) -> None:
    for answer in (
        office.browser().get("/sign-in"),
        office.browser_of("Ana").get("/workspace"),
        office.browser_of("Mara").get("/console"),
        office.browser_of("Olu").get("/operator"),
    ):
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert " style=" not in answer.text
        assert " onclick=" not in answer.text


def _browsers(office: Office) -> dict[str, TestClient]:
    """One signed-in browser a role."""
    return {office.members[name].role: office.browser_of(name) for name in ("Ana", "Mara", "Olu")}


def _filled(path: str) -> str:
    return path.replace("{conversation_id}", "cnv_1").replace("{callback_id}", "cb_1")
