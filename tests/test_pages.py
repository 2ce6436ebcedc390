"""Every page as a browser draws it, in both languages, wide and on a phone: no barrier, nothing too wide, no complaint.

Which pages there are and who opens them is read from tests/routes.py, where every address has a row.
"""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db.models.functions import Length
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chains.models import Condition, Question, Segment
from events.models import Draw, Event
from events.permissions import link_for
from tests import routes, walk, world
from tests.factories.chains import RequirementLineFactory
from tests.factories.events import EventFactory
from tests.routes import Row

VENDOR = Path(__file__).parent / "vendor"
FOLDER = os.environ.get("SCREENSHOTS", "")  # a folder to look at the pages in
WIDE, PHONE, HEIGHT = 1440, 390, 900
# Each page is examined in full once, by turns wide in English and on a phone in Chinese, and in all four in the night
# (`AXE=all`), in the dark as well; what is too wide and what the console says is looked at in all four.
FULL = (("en", WIDE), ("zh-hans", PHONE))
IS_NIGHT = os.environ.get("AXE") == "all"
THEMES = ("light", "dark") if IS_NIGHT else ("light",)
NOT_OURS = "#swagger-ui"
FRAME = ("header.band", "footer.foot")  # the same around all pages of one person
EXAMINE = """async exclude => {
  const found = await axe.run(
    {exclude}, {resultTypes: ['violations'], preload: false, selectors: false, elementRef: false})
  return found.violations.map(one => `${one.id} ${one.nodes[0].html.slice(0, 150)}`)
}"""
MEASURE = """() => {
  const width = document.scrollingElement.scrollWidth
  const out = [...document.querySelectorAll('main *')].filter(one => one.getBoundingClientRect().right > innerWidth)
  const widest = width > innerWidth && out.length ? out.at(-1).outerHTML.slice(0, 150) : ''
  return [width, widest, document.documentElement.lang, document.documentElement.dataset.bsTheme]
}"""
# What stands between two things and lacks one of them.
LONELY = """() => (document.querySelector('main')?.innerText ?? '').split('\\n')
  .filter(line => /^\\s*·|· ·|·\\s*$/.test(line)).map(line => line.slice(0, 150))"""

# Addresses without a page of their own: a new name stands in tests/routes.py and is looked at, or here with the reason.
ANSWER = "what a form sends: its answer is another page, or the page of the form"
PIECE = "a piece that htmx puts into a page"
FILE = "a file"
PROBE = "for machines"
LEADS_ON = "leads on to another page"
NO_PAGE = {
    "start": LEADS_ON,
    "set_theme": ANSWER,
    "set_language": ANSWER,
    "healthz": PROBE,
    "readyz": PROBE,
    "api-schema": FILE,
    "account_set_password": LEADS_ON,
    "account_confirm_login_code": LEADS_ON,
    "account_change_phone": LEADS_ON,
    "account_verify_phone": LEADS_ON,
    "chains:mailbox_restore": ANSWER,
    "chains:consent_give": ANSWER,
    "chains:consent_withdraw": ANSWER,
    "matchmaking:own_data_file": FILE,
    "matchmaking:account_erase": LEADS_ON,
    "mfa_authenticate": LEADS_ON,
    "mfa_reauthenticate": LEADS_ON,
    "mfa_activate_totp": LEADS_ON,
    "mfa_deactivate_totp": LEADS_ON,
    "mfa_view_recovery_codes": LEADS_ON,
    "mfa_generate_recovery_codes": LEADS_ON,
    "mfa_download_recovery_codes": FILE,
    "mfa_add_webauthn": LEADS_ON,
    "mfa_reauthenticate_webauthn": LEADS_ON,
    "mfa_remove_webauthn": LEADS_ON,
    "mfa_edit_webauthn": LEADS_ON,
    "mfa_login_webauthn": LEADS_ON,
    "chains:name_check": PIECE,
    "chains:region_search": PIECE,
    "chains:province_logo": FILE,
    "chains:province_style": FILE,
    "chains:requirement_row": PIECE,
    "chains:evidence_download": FILE,
    "chains:proof_export": FILE,
    "chains:capability_export": FILE,
    "chains:title_misfits": FILE,
    "chains:import_rows": FILE,
    "chains:import_template": FILE,
    "chains:requirement_template": FILE,
    "chains:requirement_submit": ANSWER,
    "chains:requirement_copy": ANSWER,
    "chains:role_end": ANSWER,
    "chains:membership_decide": ANSWER,
    "chains:capability_withdraw": ANSWER,
    "chains:capability_photo": FILE,
    "events:event_calendar": FILE,
    "events:event_feed": FILE,
    "events:badge_file": FILE,
    "events:registration_badge_file": FILE,
    "events:answer_file": FILE,
    "events:document": FILE,
    "events:document_remove": ANSWER,
    "events:letters_again": ANSWER,
    "events:staff_release": ANSWER,
    "events:event_publish": ANSWER,
    "events:registration_cancel": ANSWER,
    "events:registration_naming": ANSWER,
    "events:registration_accept": ANSWER,
    "events:registration_give_back": ANSWER,
    "events:check_in_roll": FILE,
    "events:check_in_worker": FILE,
    "events:registration_decide": ANSWER,
    "matchmaking:requirement_export": FILE,
    "matchmaking:enterprise_export": FILE,
    "matchmaking:contact_log_export": FILE,
    "matchmaking:requirement_desk_export": FILE,
    "matchmaking:category_suggest": PIECE,
    "matchmaking:interest_send": ANSWER,
    "matchmaking:interest_answer": ANSWER,
    "matchmaking:attachment_download": FILE,
    "matchmaking:attachment_remove": ANSWER,
    "matchmaking:requirement_want": ANSWER,
    "matchmaking:requirement_file": FILE,
    "chains:invitation_withdraw": ANSWER,
    "matchmaking:search_suggest": PIECE,
    "matchmaking:search_save": ANSWER,
    "matchmaking:calendar_renew": ANSWER,
    "matchmaking:deadlines": FILE,
    "matchmaking:requirement_feed": FILE,
    "matchmaking:search_delete": ANSWER,
    "matchmaking:interest_withdraw": ANSWER,
    "matchmaking:interest_reply": ANSWER,
    "matchmaking:interest_contact": ANSWER,
    "matchmaking:contact_reveal": ANSWER,
    "matchmaking:dismiss": ANSWER,
    "matchmaking:line_filled": ANSWER,
    "matchmaking:line_withdrawn": ANSWER,
    "matchmaking:line_match": ANSWER,
    "matchmaking:run_start": ANSWER,
    "matchmaking:run_cancel": ANSWER,
    "matchmaking:calibration_learn": ANSWER,
    "matchmaking:review_decide": ANSWER,
    "matchmaking:review_bulk": ANSWER,
    "matchmaking:review_add": ANSWER,
}
# Who looks: of each group the first one who may open the page.
GROUPS = (("visitor",), ("supplier", "owner", "newcomer"), ("organiser", "administrator"))
# Pages that differ by what a person is: all groups look at them. The others are looked at once, by who uses them.
DIFFER = {
    "home",
    "matchmaking:requirement_detail",
    "matchmaking:enterprise_detail",
    "events:event_detail",
    "events:series_detail",
    "matchmaking:for_you",
    "matchmaking:match_why",
    "matchmaking:run_list",
    "chains:requirement_history",
}
# What needs an answer beside the table's own rows: filters, an enterprise found and not found, forms of the owner.
MORE = (
    (Row("chains:enterprise_register", query={"scheme": "uscc", "country": "CN", "number": ""}), "newcomer"),
    (Row("matchmaking:requirement_list", query={"q": "Qnothinglikeit"}), "visitor"),
    (Row("matchmaking:chain_map", args={"code": "PV"}, query={"position": "upstream"}), "organiser"),
)  # fmt: skip
# Pages whose address is a key that the table cannot know; looked at by a stranger.
KEYED = {
    "matchmaking:alert_stop": lambda place: place.digest.stop_path.split("/")[-2],
    "events:badge": lambda place: place.registration.delegates.get().token,
    "events:invitation": lambda place: place.invitation.code,
    "events:event_draw": lambda place: place.drawn.public_id,
    "events:registration_answer": lambda place: link_for(
        place.registration, place.people["supplier"].pk
    ),
}
# Forms sent empty: the page says what is missing.
SENT_EMPTY = {
    "account_login",
    "account_signup",
    "chains:enterprise_join",
    "chains:requirement_create",
    "chains:capability_create",
    "chains:contact_edit",
    "chains:qualification_claim",
    "events:event_create",
    "events:event_cancel",
    "events:programme_create",
}


def is_page(row: Row) -> bool:
    """A row of the table that may be a page: asked for, and nothing that is known to be none."""
    return (
        row.method == "get"
        and not {"export", "part"} & row.query.keys()
        and row.name not in NO_PAGE
        and (row.name == "api-docs" or not row.name.startswith("api-"))
        and "200" in row.expected.split()
    )


def who_looks(row: Row) -> list[str]:
    opens = {
        role
        for role, status in zip(row.roles, row.expected.split(), strict=True)
        if status == "200"
    }
    found = [next((role for role in group if role in opens), None) for group in GROUPS]
    found = [role for role in found if role] or sorted(opens)[:1]
    return found if row.name in DIFFER else found[:1]


def looks() -> list[tuple[Row, str]]:
    return [(row, role) for row in routes.TABLE if is_page(row) for role in who_looks(row)] + [
        *MORE
    ]


def test_every_address_is_looked_at_or_is_no_page():
    seen = {row.name for row, _role in looks()}
    known = {name for name, _args in routes.patterns() if not name.startswith(("admin:", "api-"))}
    known |= {"api-docs", "api-schema"}

    assert sorted(known - seen - set(NO_PAGE) - set(KEYED)) == []
    assert sorted(set(NO_PAGE) - known) == []


def market():
    """The market of the other walks, with texts that do not break by themselves: a page must still fit a phone."""
    place = world.build()
    long = "Zwischenverbindungsdosenbaugruppenprüfvorrichtungen-1500VDC/25A/IP68"
    text = f"三分体接线盒，25 A，直流 1500 V，IP68，{long}，二极管结温低于 200 °C，阻燃 V-0。" * 3
    for number in range(2, 5):
        RequirementLineFactory(requirement=place.published, number=number, text=text)
    for strength in Condition.Strength:
        Condition.objects.create(
            requirement=place.published, kind="other", strength=strength, text=long
        )
    Question.objects.create(requirement=place.published, order=1, text=text[:200])
    # The longest names that the register knows.
    segment = Segment.objects.order_by(Length("name_en").desc()).first()
    place.published.lines.update(segment=segment)
    place.published.chain = segment.chain
    place.published.is_urgent = True
    place.published.save()
    place.capability.text_zh = text
    place.capability.save()
    place.drawn = EventFactory(
        waiting_rule=Event.WaitingRule.SEEDED_DRAW,
        draws_at=timezone.now(),
        draw_source_zh=text[:300],
        draw_source_en=long,
    )
    Draw.objects.create(
        event=place.drawn, seed=long, last_no=2, numbers=["bcdfghjkmnpq", long[:12]]
    )
    return place


class Looker:
    """A browser tab that goes from page to page as one person after the other, and what was wrong there."""

    def __init__(self, browser, base, language, theme):
        self.context = browser.new_context(viewport={"width": WIDE, "height": HEIGHT})
        self.base, self.language, self.theme = base, language, theme
        self.tab = self.context.new_page()
        self.screen, self.width = self.context.new_cdp_session(self.tab), WIDE
        if not FOLDER:
            self.hide()
        self.tab.on("console", self.heard)
        self.tab.on("pageerror", lambda error: self.found.append(f"{self.at}: {error}"))
        self.at, self.found, self.pages, self.framed = "", [], 0, set()

    def hide(self):
        """Laid out and measured as ever, never painted: nobody looks, and it is a third of what a page costs."""
        window = self.screen.send("Browser.getWindowForTarget")["windowId"]
        bounds = {"windowId": window, "bounds": {"windowState": "minimized"}}
        self.screen.send("Browser.setWindowBounds", bounds)

    def heard(self, message):
        # A browser reports a page that answers 404 or 422 as well; that is what was asked for.
        of_the_page = (
            "Failed to load resource" in message.text and message.location["url"] == self.url
        )
        if message.type in ("error", "warning") and not of_the_page:
            self.found.append(f"{self.at}: {message.text}")

    def become(self, person):
        client = Client()
        cookies = {"django_language": self.language, "theme": self.theme}
        if person.is_authenticated:
            client.force_login(person)
            cookies["sessionid"] = client.cookies["sessionid"].value
        self.framed = set()
        self.context.clear_cookies()
        self.context.add_cookies(
            [{"name": key, "value": value, "url": self.base} for key, value in cookies.items()]
        )

    def look(self, at, path, *, status=200):
        self.at, self.url = f"{at} {self.language}", self.base + path
        self.pages += 1
        answer = self.tab.goto(self.url)
        if answer.status != status:
            self.found.append(f"{self.at}: {answer.status}, not {status}")
        # As it stands, then the other way: the next page is opened on a phone if this one was opened wide.
        for width in (self.width, WIDE + PHONE - self.width):
            look = (self.language, width)
            self.judge(width, examine=IS_NIGHT or look == FULL[self.pages % 2])
        self.found += [f"{self.at}: {line}" for line in self.tab.evaluate(LONELY)]

    def send_empty(self):
        self.at += " sent empty"
        with self.tab.expect_event("load"):
            self.tab.evaluate(
                """() => {
                  const form = [...document.querySelectorAll('main form[method=post]:not([data-passkey])')].at(-1)
                  form.noValidate = true
                  form.requestSubmit([...form.querySelectorAll('[type=submit]')].at(-1))
                }"""
            )
        self.judge(PHONE, examine=IS_NIGHT or self.language == FULL[self.pages % 2][0])

    def resize(self, width):
        """Only what the page is told: a resized window would draw its own frame anew, which costs more than the page."""
        if width != self.width:
            metrics = {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
            if FOLDER:  # a picture is taken at the size that Playwright knows of
                self.tab.set_viewport_size({"width": width, "height": HEIGHT})
            else:
                self.screen.send("Emulation.setDeviceMetricsOverride", metrics)
            self.width = width

    def judge(self, width, *, examine):
        self.resize(width)
        if FOLDER:
            name = "".join(c if c.isalnum() else "-" for c in self.at)
            self.tab.screenshot(path=f"{FOLDER}/{name}-{self.theme}-{width}.png", full_page=True)
        if examine:
            # Where it is needed only: it is half a megabyte to read.
            self.tab.add_script_tag(url="/static/tests/axe.min.js")
            exclude = [NOT_OURS, *(FRAME if width in self.framed else ())]
            self.framed.add(width)
            barriers = self.tab.evaluate(EXAMINE, exclude)
            self.found += [f"{self.at} {width}: {line}" for line in barriers]
        wide, widest, language, theme = self.tab.evaluate(MEASURE)
        if wide > width:
            self.found.append(f"{self.at}: {wide} px wide at {width}, by {widest}")
        if language != {"en": "en", "zh-hans": "zh-Hans"}[self.language]:
            self.found.append(f"{self.at}: says it is in {language}")
        if theme != self.theme:
            self.found.append(f"{self.at}: is {theme}")


@pytest.mark.browser
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_pages_have_no_barrier_fit_a_phone_and_are_quiet(
    committed, live_server, browser, language, theme, settings
):
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, ("tests", VENDOR)]
    place = market()
    looker = Looker(browser, live_server.url, language, theme)

    for role, person in place.people.items():
        looker.become(person)
        for row, _role in [look for look in looks() if look[1] == role]:
            query = f"?{urlencode(row.query)}" if row.query else ""
            looker.look(f"{role} {row.label}", walk.address_of(row, place) + query)
            if row.name in SENT_EMPTY:
                looker.send_empty()
    looker.become(AnonymousUser())
    for name, key in KEYED.items():
        looker.look(name, reverse(name, args=[key(place)]))
    looker.look("no page", "/no-such-page/", status=404)
    looker.become(place.people["owner"])
    looker.look("not allowed", reverse("matchmaking:inbox"), status=403)
    with mock.patch("matchmaking.statistics.home_figures", side_effect=ZeroDivisionError):
        looker.look("broken", "/", status=500)
    looker.context.close()

    assert looker.found == []
