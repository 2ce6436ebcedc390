"""Pictures of a running demo: `python scripts/screenshots.py http://127.0.0.1:8000 pictures`.

Every page for each role, in Chinese and English, at 1440 and 390 px. With `--readme` only the two of the README.
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]

PASSWORD = "chain-dock-demo"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip
LANGUAGES, WIDTHS = {"zh": "zh-hans", "en": "en"}, {1440: 900, 390: 844}

EVENT = r"/inbox/ > ^/events/[a-z0-9]{12}/"
# Role → name of the picture → address. "list > pattern" follows the first link of the list that fits.
PAGES: dict[str, dict[str, str]] = {
    "": {
        "home": "/",
        "requirements": "/requirements/",
        "requirement": r"/requirements/ > ^/requirements/[a-z0-9]{12}/$",
        "enterprises": "/enterprises/",
        "enterprise": r"/enterprises/ > ^/enterprises/[a-z0-9]{12}/$",
        "search": "/search/?q=接线盒",
        "chains": "/chains/",
        "chain-map": "/chains/PV/",
        "events": "/events/",
        "event": r"/events/ > ^/events/[a-z0-9]{12}/$",
        "series": "/series/",
        "sign-in": "/accounts/login/",
        "sign-up": "/accounts/signup/",
        "not-found": "/nowhere/",
    },
    "buyer": {
        "my-requirements": "/my/requirements/",
        "my-requirement": r"/my/requirements/ > ^/my/requirements/[a-z0-9]{12}/$",
        "requirement-new": "/my/requirements/new/",
        "requirement-import": "/my/requirements/import/",
        "files": r"/my/requirements/ > ^/my/requirements/[a-z0-9]{12}/ files/",
        "contact-log": r"/my/requirements/ > ^/my/requirements/[a-z0-9]{12}/ contact-log/",
        "invite": r"/start/ > ^/my/enterprises/[a-z0-9]{12}/ members/invite/",
        "notifications": "/notifications/",
    },
    "supplier": {
        "for-you": "/for-you/",
        "my-interests": "/my/interests/",
        "interest": r"/for-you/ > ^/requirements/[a-z0-9]{12}/$ interest/",
        "profile": r"/start/ > ^/my/enterprises/[a-z0-9]{12}/",
        "group": r"/start/ > ^/my/enterprises/[a-z0-9]{12}/ group/",
        "capability": r"/start/ > ^/my/enterprises/[a-z0-9]{12}/ > ^/my/capabilities/[a-z0-9]{12}/$",
        "photos": r"/start/ > ^/my/enterprises/[a-z0-9]{12}/ > ^/my/capabilities/[a-z0-9]{12}/photos/",
        "report": r"/requirements/ > ^/requirements/[a-z0-9]{12}/$ report/",
    },
    "newcomer": {"waiting": "/start/", "join": "/join/"},
    "county": {
        "inbox": "/inbox/",
        "review-queue": "/review/",
        "review": r"/review/ > ^/review/[a-z0-9]{12}/",
        "enterprise-case": r"/inbox/ > ^/desk/enterprises/[a-z0-9]{12}/",
        "moderation": r"/inbox/ > ^/desk/requirements/[a-z0-9]{12}/",
        "event-new": "/events/new/",
        "runs": "/runs/",
    },
    "province": {
        "overview": f"{EVENT} overview/",
        "guests": f"{EVENT} guests/",
        "listing": f"{EVENT} list/",
        "letters": f"{EVENT} letters/",
        "leading": f"{EVENT} leading/",
        "copy": f"{EVENT} copy/",
        "invitations": f"{EVENT} invitations/",
        "answers": f"{EVENT} answers/",
        "hall-screen": f"{EVENT} screen/",
        "check-in": f"{EVENT} check-in/",
        "figures": r"/series/ > ^/series/[a-z0-9]{12}/",
        "titles": "/desk/titles/",
        "roles": "/desk/roles/",
        "token": "/my/token/",
    },
    "analyst": {"chain-map-gaps": "/chains/H2/"},
}
README = {"chain-map": ("", "/chains/PV/"), "review": ("county", r"/review/ > ^/review/[a-z0-9]{12}/")}  # fmt: skip


def sign_in(page: Page, base: str, role: str) -> None:
    page.goto(urljoin(base, "/accounts/login/"))
    page.fill("input[name=login]", f"{role}@example.com")
    page.fill("input[name=password]", PASSWORD)
    page.click("main form button[type=submit]")
    page.wait_for_load_state()


def address(page: Page, base: str, way: str) -> str | None:
    """The address itself, or the first links of the lists that fit, one behind the other, with an ending if one is given."""
    found, *patterns = way.split(" > ")
    for pattern, _space, ending in (one.partition(" ") for one in patterns):
        page.goto(urljoin(base, found))
        links: list[str] = page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")  # fmt: skip
        link = next((link for link in links if re.search(pattern, link)), None)
        if link is None:
            return None
        found = re.sub(f"({pattern}).*", r"\1", link) + ending if ending else link
    return found


def shoot(browser: Browser, base: str, folder: Path, role: str, pages: dict[str, str], language: str, width: int, *, whole: bool = True) -> list[str]:  # fmt: skip
    context = browser.new_context(viewport={"width": width, "height": WIDTHS[width]})
    context.add_cookies([{"name": "django_language", "value": LANGUAGES[language], "url": base}])
    page = context.new_page()
    faults: list[str] = []
    if role:
        sign_in(page, base, role)
    for name, way in pages.items():
        path = address(page, base, way)
        if path is None:
            faults.append(f"{name}: no link of its kind at {way}")
            continue
        answer: Any = page.goto(urljoin(base, path))
        if answer.status >= 400 and name != "not-found":
            faults.append(f"{name} {language} {width}: {answer.status} at {path}")
        page.screenshot(path=folder / f"{name}-{language}-{width}.png", full_page=whole)
    context.close()
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", help="address of the running demo, such as http://127.0.0.1:8000")
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "docs" / "images")
    parser.add_argument("--readme", action="store_true", help="only the README's two pictures")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")  # fmt: skip
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        if options.readme:
            for name, (role, way) in README.items():
                faults += shoot(browser, options.base, options.folder, role, {name: way}, "en", 1440, whole=False)  # fmt: skip
                (options.folder / f"{name}-en-1440.png").replace(options.folder / f"{name}.png")
        else:
            for language in LANGUAGES:
                for width in WIDTHS:
                    for role, pages in PAGES.items():
                        faults += shoot(browser, options.base, options.folder, role, pages, language, width)  # fmt: skip
        browser.close()
    print("\n".join(faults) or f"All pictures are in {options.folder}.")
    return bool(faults)


if __name__ == "__main__":
    raise SystemExit(main())
