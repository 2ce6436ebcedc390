"""The rules of the house that nobody remembers while writing."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from functools import cache
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.test import Client
from django.urls import NoReverseMatch, reverse

import chains.services
import events.services
import matchmaking.services
from scripts import translations
from tests import routes

ROOT = Path(__file__).parents[1]
PACKAGES = ("chains", "events", "matchmaking")
TEMPLATES = ROOT / "templates"
CODE = [
    path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts
]


@cache
def source(path):
    return path.read_text(encoding="utf-8")


@cache
def nodes(path):
    """What a file of the code consists of, in the order of `ast.walk`; read once for all rules."""
    return list(ast.walk(ast.parse(source(path))))


@pytest.fixture(scope="module", autouse=True)
def nothing_stays():
    """The nodes of all files are half a million objects, which nobody needs after this module."""
    yield
    nodes.cache_clear()


# --- Migrations -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_no_migration_is_missing():
    said = StringIO()

    call_command("makemigrations", "--check", "--dry-run", stdout=said)

    assert said.getvalue().strip() == "No changes detected"


def test_every_migration_says_what_it_changes():
    names = [p.stem for package in PACKAGES for p in (ROOT / package / "migrations").glob("0*.py")]

    assert len(names) >= 5
    assert [
        n for n in names if re.search(r"_auto_|_alter_|_remove_\w+_and_more$|_and_more$", n)
    ] == []


# --- Templates ------------------------------------------------------------------------------------------

# Found by Django, allauth or the outbox by their place.
BY_CONVENTION = (
    "403.html",
    "403_csrf.html",
    "404.html",
    "429.html",
    "500.html",
    "503.html",
    "507.html",
    "account/",
    "admin/",
    "emails/",
    "mfa/",
    "usersessions/",
)


def templates():
    return {
        p.relative_to(TEMPLATES).as_posix(): source(p) for p in TEMPLATES.rglob("*") if p.is_file()
    }


def test_every_template_is_used():
    everything = "\n".join([*templates().values(), *map(source, CODE)])
    named = set(re.findall(r"[\"']([\w/.-]+\.(?:html|txt))(?:#[\w-]+)?[\"']", everything))

    stems = set(
        re.findall(r"\"(\w+)\"", "\n".join(map(source, CODE)))
    )  # f"matchmaking/{name}.html"

    unused = [
        name
        for name in templates()
        if name not in named and not name.startswith(BY_CONVENTION) and Path(name).stem not in stems
    ]

    assert unused == []


def test_every_template_that_is_named_exists():
    own = re.compile(
        r"[\"']((?:chains|events|matchmaking|components)/[\w/-]+\.html)(?:#[\w-]+)?[\"']"
    )
    named = {n for text in [*templates().values(), *map(source, CODE)] for n in own.findall(text)}

    assert len(named) > 50
    assert sorted(named - set(templates())) == []


def test_templates_hold_no_style_and_no_script_of_their_own():
    faults = []
    for name, text in templates().items():
        if not name.endswith(".html"):
            continue
        bare = re.sub(r"\{#.*?#\}|\{% comment.*?endcomment %\}", "", text, flags=re.DOTALL)
        faults += [f"{name}: style=" for _ in re.findall(r"<[^>]*\sstyle\s*=", bare)]
        faults += [f"{name}: {tag}" for tag in re.findall(r"<style\b", bare)]
        faults += [f"{name}: {t}" for t in re.findall(r"<script\b(?![^>]*\bsrc=)[^>]*>", bare)]
        faults += [f"{name}: {t}" for t in re.findall(r"\s(?:on\w+|hx-on[\w:-]*|hx-vars|hx-disinherit|hx-inherit)=", bare)]  # fmt: skip

    assert faults == []


def test_every_form_that_posts_holds_its_token():
    forms = re.compile(r"<form\b(?=[^>]*method=\"post\").*?</form>", re.DOTALL | re.IGNORECASE)

    bare = [
        name
        for name, text in templates().items()
        for form in forms.findall(text)
        if "{% csrf_token %}" not in form
    ]

    assert bare == []


def test_every_icon_stands_in_the_sprite():
    sprite = set(
        re.findall(r"<symbol[^>]*\bid=\"([\w-]+)\"", source(next(ROOT.glob("static/**/icons.svg"))))
    )
    used = {
        (name, icon)
        for name, text in templates().items()
        for icon in re.findall(r"\{% icon [\"']([\w-]+)[\"']", text)
    }

    assert len(used) > 20
    assert sorted((n, i) for n, i in used if i not in sprite and f"i-{i}" not in sprite) == []


# --- Addresses ------------------------------------------------------------------------------------------

# Read by everybody without signing in. A new public page is added here on purpose.
PUBLIC = {
    "home", "set_theme", "healthz", "readyz", "set_language", "api-schema", "api-docs",
    "matchmaking:privacy", "account_request_login_code",
    "account_login", "account_logout", "account_inactive", "account_signup",
    "account_email_verification_sent", "account_reset_password", "account_confirm_email",
    "account_reset_password_done", "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "events:event_list", "events:event_feed", "events:event_detail", "events:event_calendar", "events:document", "events:register", "events:registration_answer", "events:badge", "events:series_list",
    "events:event_draw", "events:series_detail", "events:series_counties", "events:programme_detail",
    "matchmaking:requirement_list", "matchmaking:requirement_export", "matchmaking:requirement_detail", "matchmaking:requirement_file",
    "matchmaking:enterprise_list", "matchmaking:enterprise_export", "matchmaking:enterprise_detail", "matchmaking:search", "matchmaking:search_suggest",
    "events:invitation", "matchmaking:open_call", "matchmaking:chain_list", "matchmaking:chain_map", "matchmaking:alert_stop",
    "matchmaking:requirement_feed", "matchmaking:deadlines", "chains:province_logo", "chains:province_style", "chains:capability_photo",
    # The admin's way in leads to the common sign-in; a wrong address below it says so.
    "admin:login", "admin:None",
}  # fmt: skip
ARGUMENTS = {
    "public_id": "222222222222", "enterprise_id": "222222222222", "extension": "csv", "code": "PV",
    "kind": "confirmed", "version": "x", "key": "x", "link": "x", "token": "x", "uidb36": "x", "app_label": "chains", "content_type_id": "1", "object_id": "1", "url": "x",
}  # fmt: skip


@pytest.mark.django_db
def test_stranger_is_sent_to_sign_in_everywhere_else():
    client, open_to_all, asked = Client(), [], 0
    for name, arguments in routes.patterns():
        if name in PUBLIC or name.startswith(
            "api-"
        ):  # the API answers for itself: tests/test_rights.py
            continue
        kwargs = {a: ARGUMENTS[a] for a in arguments if a in ARGUMENTS}
        try:
            address = reverse(name, kwargs=kwargs)
        except NoReverseMatch:
            address = reverse(name, args=["1"])  # the admin's own patterns name no argument
        answer = client.get(address)
        asked += 1
        if not (answer.status_code == 302 and "/login/" in answer["Location"]):
            open_to_all.append(f"{name}: {answer.status_code}")

    assert asked > 150
    assert open_to_all == []


def test_list_of_public_addresses_names_only_what_exists():
    assert sorted(PUBLIC - {name for name, _arguments in routes.patterns()}) == []


# --- Services -------------------------------------------------------------------------------------------

# Asked by others, changing nothing: they take rows and give rows.
READERS = {
    "chains.services.accounts": {"desk_may_decide", "owners", "editors"},
    "chains.services.capabilities": {"certificates_to_choose", "search_document", "references_of"},
    "chains.services.enterprises": {"search_document", "noun"},
    "chains.services.imports": {"layout_of", "remembered"},
    "chains.services.tokens": {"of"},
    "events.services.checkin": {"typed", "find", "named", "without_seat", "first_valid"},
    "events.services.agenda": {"colleagues"},
    "events.services.announcements": {"recipients", "reach"},
    "events.services.answers": {"checked", "may_change"},
    "events.services.draws": {"line_end", "lot", "lots"},
    "events.services.events": {"missing_of", "managed"},
    "events.services.invitations": {"invitable"},
    "events.services.seating": {"tier_of", "tier_held", "fresh"},
    "events.services.waiting_list": {"ranks", "ranks_of", "rank"},
    "matchmaking.services.alerts": {"topics_of", "last_morning"},
    "matchmaking.services.calibration": {"decided", "not_theirs", "reliability", "trails"},
    "matchmaking.services.contacts": {"right_to_supplier", "why_closed", "openings", "desks_of"},
    "matchmaking.services.interests": {"is_own", "asked", "quota", "no_badge"},
    "matchmaking.services.findings": {"find", "side_of", "against", "keep"},
    "matchmaking.services.review": {"held_by_colleague"},
    "matchmaking.services.runs": {"weighting_of", "standing"},
    "matchmaking.services.waking": {"standing_of"},
}
# Rung by the worker or the clock: nobody asks for them, so nobody's right is checked.
SYSTEM = {
    "chains.services.files": {"sweep"},
    "chains.services.imports": {"sweep"},
    "events.services.events": {"mark_held", "release_due_lists", "remind_due"},
    "events.services.participation": {"freeze"},
    "events.services.invitations": {"expire_due"},
    "events.services.admission": {"confirm_waiting_submissions"},
    "events.services.offers": {"lapse_due_offers", "remind_due"},
    "events.services.tiers": {"release_due_tiers"},
    "events.services.waiting_list": {"promote", "promote_around", "promote_where_seats_are_free"},
}

# Steps of verbs that stand in several modules: the verb has checked the right, and says what was done.
STEPS = {
    "chains.services.capabilities": {"save_references", "write_documents"},
    "chains.services.requirements": {"locked", "check_poster", "check_status", "check_seen"},
    "chains.services.requirement_writing": {
        "saved_already",
        "may_name",
        "end_line",
        "write",
        "replace_lines",
        "amend_lines",
        "write_parts",
        "keep_derived",
    },
    "events.services.seating": {
        "locked",
        "check_owner",
        "check_decider",
        "check_running",
        "checked_reason",
    },
    "matchmaking.services.runs": {"finish_if_done", "ring_next"},
    "matchmaking.services.scoring": {"locked", "drop_old_scores"},
}


def services():
    for package in (chains.services, events.services, matchmaking.services):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(found.name)
            for name, member in vars(module).items():
                if (
                    inspect.isfunction(inspect.unwrap(member))
                    and member.__module__ == module.__name__
                    and not name.startswith("_")
                ):
                    yield found.name, name, inspect.signature(member)


def test_every_service_takes_named_arguments_and_says_by_whom():
    faults = []
    for module, name, signature in services():
        if any(name in table.get(module, ()) for table in (READERS, SYSTEM, STEPS)):
            continue
        kinds = {p.kind for p in signature.parameters.values()}
        if kinds - {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}:
            faults.append(f"{module}.{name}: takes arguments by place")
        if "by" not in signature.parameters:
            faults.append(f"{module}.{name}: does not say by whom")

    assert faults == []


def test_lists_of_exceptions_name_only_what_exists():
    known = {(module, name) for module, name, _signature in services()}
    listed = {
        (m, n) for table in (READERS, SYSTEM, STEPS) for m, names in table.items() for n in names
    }

    assert sorted(listed - known) == []


def calls(function):
    """The first arguments of all calls of `module.function` in the code: literal texts only."""
    for path in CODE:
        for node in nodes(path):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and f"{node.func.value.id}.{node.func.attr}" == function
            ):
                yield path.relative_to(ROOT).as_posix(), node


def shape(node):
    """A literal, or the pattern of an f-string with `*` for what is filled in."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(v.value if isinstance(v, ast.Constant) else "*" for v in node.values)
    return None


def test_audit_actions_are_a_noun_and_a_past_participle():
    actions = {shape(node.args[1]) for _path, node in calls("audit.record")} - {None}

    assert len(actions) > 40
    odd = [a for a in actions if not re.fullmatch(r"(?:[a-z_]+|\*)\.(?:[a-z_]+|\*)", a)]
    assert odd == []
    participle = re.compile(r"(?:.*(?:ed|en|sent|held|set|read|drawn|made|\*))$")
    assert [a for a in actions if not participle.match(a.split(".")[1])] == []


def test_every_audit_line_comes_with_a_change_for_the_feed():
    """One service, one audit line, one Change: a file that writes one writes the other."""
    audited = {path for path, _node in calls("audit.record") if "/services/" in path}
    told = {path for path, _node in calls("changes.record")}

    assert audited - told == set()


def test_views_write_down_looks_and_nothing_else():
    looks = {
        shape(node.args[1]).partition(".")[2]
        for path, node in calls("audit.record")
        if "/views/" in path or "/api/" in path
    }

    assert looks == {"searched", "listed", "printed", "exported"}


# --- Notices --------------------------------------------------------------------------------------------


def kinds():
    """Names of letters the code gives to whoever posts them; `*` stands for a filled-in verb."""
    posting = {"post", "_post", "_post_to_owner", "_tell_buyer", "_tell_supplier"}
    for path in CODE:
        for node in nodes(path):
            if not isinstance(node, ast.Call):
                continue
            called = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
            if called in posting:
                for argument in node.args:
                    if re.fullmatch(
                        r"[a-z]+(?:_(?:[a-z]+|\*))+|recommended", shape(argument) or ""
                    ):
                        yield path.relative_to(ROOT).as_posix(), shape(argument)


def test_every_kind_of_notice_has_its_subject_and_its_text():
    # Some also bring an entry for the calendar.
    letters = {p.name for p in (TEMPLATES / "emails").iterdir() if p.suffix != ".ics"}
    stems = {name.removesuffix(".subject.txt").removesuffix(".txt") for name in letters}
    named = {kind: path for path, kind in kinds()}

    assert {f"{s}{end}" for s in stems for end in (".subject.txt", ".txt")} == letters
    assert len(named) > 15
    for kind, path in named.items():
        pattern = re.compile(re.escape(kind).replace(r"\*", "[a-z_]+"))
        assert any(pattern.fullmatch(stem) for stem in stems), f"{path}: {kind}"


def test_every_letter_is_sent_by_somebody():
    """Its name stands in the code, or an f-string such as f"enterprise_{verb}" makes it."""
    texts, made = set(), set()
    for path in CODE:
        for node in nodes(path):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
            elif isinstance(node, ast.JoinedStr) and re.fullmatch(r"[a-z]+_\*", shape(node)):
                made.add(shape(node).removesuffix("*"))
    letters = (TEMPLATES / "emails").glob("*.subject.txt")

    unsent = [
        stem
        for stem in sorted(p.name.removesuffix(".subject.txt") for p in letters)
        if stem not in texts and not stem.startswith(tuple(made))
    ]

    assert len(made) >= 4
    assert unsent == []


# --- Words ----------------------------------------------------------------------------------------------


def test_chinese_catalogue_is_complete():
    catalogue = translations.read(ROOT)

    assert len(catalogue) > 500
    assert translations.incomplete(catalogue) == []


def test_every_shipped_row_is_named_in_both_languages():
    from chains.models import Reference  # noqa: PLC0415

    models = [m for m in apps.get_models() if issubclass(m, Reference)]

    assert len(models) > 10
    for model in models:
        fields = {f.name: f for f in model._meta.fields}
        assert not fields["name_zh"].blank, model
        assert not fields["name_en"].blank, model


# --- The outside ----------------------------------------------------------------------------------------


def test_openapi_is_the_committed_one_without_a_warning(tmp_path):
    drawn = tmp_path / "openapi.yaml"
    said = StringIO()

    call_command(
        "spectacular",
        "--validate",
        "--fail-on-warn",
        "--lang",
        "en",
        "--file",
        str(drawn),
        stderr=said,
    )

    assert source(drawn) == source(ROOT / "openapi.yaml"), "run make openapi"


def test_commands_named_in_the_readme_exist():
    text = "\n".join(source(ROOT / name) for name in ("README.md", "CONTRIBUTING.md"))
    verbs = set(re.findall(r"^([a-z-]+):", source(ROOT / "Makefile"), re.MULTILINE))

    named = set(re.findall(r"(?:^|`|&& )make ([a-z-]+)", text, re.MULTILINE))
    assert {"demo", "test", "check"} <= named
    assert sorted(named - verbs) == []
    linked = re.findall(r"\]\(([\w./-]+)\)", text)
    assert [link for link in linked if not (ROOT / link).exists()] == []


ENGINE_ALONE = """
import sys, matchmaking.engine
loaded = {name.split(".")[0] for name in sys.modules}
print(sorted(loaded & {"django", "celery", "rest_framework", "chains", "events"}))
"""


def test_engine_needs_neither_django_nor_celery():
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            ENGINE_ALONE,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout.strip() == "[]"


def test_code_reads_no_clock_and_no_settings_past_the_rules():
    """`timezone.now` at import time is the moment the process started: fields take the function itself."""
    faults = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in CODE
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef)
        for default in [*node.args.defaults, *node.args.kw_defaults]
        if isinstance(default, ast.Call)
        and isinstance(default.func, ast.Attribute)
        and default.func.attr in ("now", "today", "localdate")
    ]

    assert faults == []
