"""Every address of the application and what each role gets there: the table behind the tests of rights and leaks.

A new URL needs a row here. `in` is the way to sign-in, `go` another redirect, a number the status. The columns are
those of `tests.world.ROLES`:

    visitor newcomer stranger supplier viewer editor owner organiser elsewhere analyst administrator
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from django.urls import URLPattern, get_resolver

from tests.world import FOUND_BY, ROLES

ALL = " ".join(["200"] * 11)
SIGNED_IN = "in " + " ".join(["200"] * 10)
# Reading one's own enterprise: its members. Writing for it: editors and owners.
MEMBERS = "in 404 404 404 200 200 200 404 404 404 404"
NOT_VIEWERS = "in 404 404 404 404 200 200 404 404 404 404"
DESK = "in 404 404 404 404 404 404 200 404 404 404"
# What is being prepared: the desks of the province and the administrator.
PREPARED = "404 404 404 404 404 404 404 200 404 200 200"
# A body's programmes: those who work for it, and the administrator.
KEEPERS = "in 404 404 404 404 404 404 200 404 404 200"
API_ALL = "401 " + " ".join(["200"] * 10)


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    on: str = ""  # the attribute of the world whose public id stands in the address
    expected: str = ALL
    method: str = "get"
    args: dict[str, str] = field(default_factory=dict)  # "@attribute" is a public id of the world
    query: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    roles: tuple[str, ...] = ROLES

    @property
    def label(self) -> str:
        asked = "".join(f" {key}={value}" for key, value in self.query.items())
        return f"{self.name}({self.on or ' '.join(self.args.values())}){asked}"


def post(name, on="", expected=ALL, **more):
    return Row(name, on, expected, method="post", **more)


NONCE = "6f9619ff-8b86-4011-b42d-00c04fc964ff"  # of a scan

# Few roles where who asks makes no difference by construction.
TWO = ("visitor", "stranger")

SITE = (
    Row("home"),
    Row("start", "", "in" + " go" * 10),
    post("set_theme", "", "go go", roles=TWO),
    post("set_language", "", "go go", roles=TWO),
    Row("healthz", "", "200 200", roles=TWO),
    Row("readyz", "", "200 200", roles=TWO),
    Row("api-docs", "", "200 200", roles=TWO),
    Row("api-schema", "", "200 200", roles=TWO),
    Row("matchmaking:requirement_list"),
    Row("matchmaking:requirement_list", query={"q": FOUND_BY}),
    Row("matchmaking:requirement_export", args={"extension": "csv"}),
    Row("matchmaking:enterprise_export", args={"extension": "csv"}),
    Row("matchmaking:requirement_feed"),
    Row("matchmaking:requirement_export", args={"extension": "xlsx"}),
    Row("matchmaking:requirement_detail", "published"),
    Row("matchmaking:requirement_detail", "draft", "404 404 404 404 200 200 200 404 404 404 404"),
    Row("matchmaking:requirement_detail", "embargoed", "404 404 404 404 200 200 200 200 404 200 200"),
    Row("matchmaking:requirement_detail", "submitted", "404 404 404 404 200 200 200 200 404 200 200"),
    Row("matchmaking:enterprise_list"),
    Row("matchmaking:enterprise_list", query={"q": FOUND_BY}),
    Row("matchmaking:enterprise_detail", "buyer"),
    Row("matchmaking:enterprise_detail", "supplying"),
    Row("matchmaking:enterprise_detail", "pending", "404 404 404 404 404 404 404 200 404 200 200"),
    Row("matchmaking:privacy", "", "200 200", roles=TWO),
    # One's own, whoever one is; what takes it away or ends it asks for the password first.
    Row("matchmaking:own_data", "", SIGNED_IN),
    Row("matchmaking:own_data_file", "", "in go", roles=TWO),
    Row("matchmaking:account_erase", "", "in go", roles=TWO),
    Row("matchmaking:search", query={"q": FOUND_BY}),
    Row("matchmaking:search_suggest", query={"q": FOUND_BY}),
    Row("matchmaking:chain_list"),
    Row("matchmaking:chain_map", args={"code": "PV"}),
    Row("events:event_list"),
    Row("events:event_detail", "event"),
    Row("events:event_detail", "event_draft", "404 404 404 404 404 404 404 200 404 404 200"),
    Row("events:event_feed"),
    Row("events:event_calendar", "event"),
    Row("events:event_calendar", "event_draft", "404 404 404 404 404 404 404 200 404 404 200"),
    Row("events:register", "event"),
    post("events:register", "event", "in" + " 422" * 10),
    post("events:register", "event_draft", " ".join(["404"] * 11)),
    Row("events:series_list"),
    Row("events:series_list", query={"year": "none"}),
    Row("events:series_detail", "series"),
    Row("events:series_detail", "series_prepared", PREPARED),
    Row("events:series_counties", "series"),
    Row("events:series_counties", "series_prepared", PREPARED),
    Row("events:programme_detail", "programme"),
    Row("events:programme_detail", "programme_prepared", PREPARED),
)  # fmt: skip

# allauth's own pages: who has signed in is led on, who has not is asked to.
GUEST_OR_NEWCOMER = ("visitor", "newcomer")
ACCOUNT = tuple(
    Row(name, "", expected, method, args, roles=GUEST_OR_NEWCOMER)
    for name, expected, method, args in (
        ("account_login", "200 go", "get", {}),
        ("account_logout", "go 200", "get", {}),
        ("account_inactive", "200 200", "get", {}),
        ("account_signup", "200 go", "get", {}),
        ("account_reauthenticate", "in 200", "get", {}),
        ("account_email", "in 200", "get", {}),
        ("account_email_verification_sent", "200 200", "get", {}),
        ("account_change_password", "in 200", "get", {}),
        ("account_set_password", "in go", "get", {}),
        ("account_reset_password", "200 200", "get", {}),
        ("account_confirm_login_code", "in go", "get", {}),
        ("account_confirm_email", "200 200", "get", {"key": "unknown"}),
        ("account_confirm_email", "404 404", "post", {"key": "unknown"}),
        ("account_reset_password_from_key_done", "200 200", "get", {}),
        ("account_reset_password_from_key", "200 200", "get", {"uidb36": "a", "key": "b"}),
        ("account_reset_password_done", "200 200", "get", {}),
        ("account_request_login_code", "200 go", "get", {}),
        ("account_change_phone", "in go", "get", {}),
        ("account_verify_phone", "in go", "get", {}),
        # What changes how one signs in asks for the password first.
        ("mfa_index", "in 200", "get", {}),
        ("mfa_authenticate", "in go", "get", {}),
        ("mfa_reauthenticate", "in go", "get", {}),
        ("mfa_activate_totp", "in go", "get", {}),
        ("mfa_deactivate_totp", "in 404", "get", {}),
        ("mfa_view_recovery_codes", "in 404", "get", {}),
        ("mfa_generate_recovery_codes", "in go", "get", {}),
        ("mfa_download_recovery_codes", "in 404", "get", {}),
        ("mfa_list_webauthn", "in 200", "get", {}),
        ("mfa_add_webauthn", "in go", "get", {}),
        ("mfa_reauthenticate_webauthn", "in go", "get", {}),
        ("mfa_remove_webauthn", "in go", "get", {"pk": "1"}),
        ("mfa_edit_webauthn", "in go", "get", {"pk": "1"}),
        ("mfa_login_webauthn", "in go", "get", {}),
        ("usersessions_list", "in 200", "get", {}),
    )
)

REGISTER = (
    Row("chains:enterprise_join", "", SIGNED_IN),
    Row("chains:enterprise_register", "", "in" + " go" * 10),
    Row("chains:name_check", "", SIGNED_IN, query={"name": FOUND_BY}),
    # Whoever knows the name may ask to join, before a desk has decided on the enterprise too.
    Row("chains:join_request", "pending", SIGNED_IN),
    Row("chains:notification_list", "", SIGNED_IN),
    Row("chains:import_list", "", SIGNED_IN),
    post("chains:import_list", "", "in" + " 422" * 10),
    # A file belongs to whoever uploaded it, before the enterprise.
    Row("chains:import_detail", "import_waiting", "in 404 404 404 404 200 404 404 404 404 404"),
    Row("chains:import_detail", "import_done", "in 404 404 404 404 404 404 200 404 404 404"),
    Row("chains:import_rows", "import_done", "in 404 404 404 404 404 404 200 404 404 404"),
    post("chains:import_detail", "import_waiting", "in 404 404 404 404 go 404 404 404 404 404", data={"do": "discard"}),
    Row("chains:import_template", "", SIGNED_IN, args={"kind": "enterprises"}),
    post("chains:consent_give", "", "in go", data={"purpose": "account"}, roles=TWO),
    post("chains:consent_withdraw", "", "in go", data={"purpose": "account"}, roles=TWO),
    post("chains:mailbox_restore", "", "in go", roles=TWO),
    Row("chains:api_token", "", SIGNED_IN),
    # The owner has one already.
    post("chains:api_token", "", "in" + " go" * 10),
    Row("chains:api_token_revoke", "", "in go go go go go 200 go go go go"),
    post("chains:api_token_revoke", "", "in" + " go" * 10),
    Row("chains:region_search", "", SIGNED_IN, query={"q": "嘉善"}),
    Row("chains:province_logo", "province", "200 200", roles=TWO),
    Row("chains:province_style", "province", "200 200", roles=TWO),
    Row("chains:evidence_download", "evidence", "in 404 404 404 404 200 200 200 404 404 200"),
    Row("chains:enterprise_status", "buyer", MEMBERS),
    Row("chains:enterprise_edit", "buyer", MEMBERS),
    post("chains:enterprise_edit", "buyer", "in 404 404 404 403 go go 404 404 404 404", data={"name_en": "Demo"}),
    Row("chains:member_list", "buyer", MEMBERS),
    Row("chains:contact_edit", "buyer", "in 404 404 404 403 200 200 404 404 404 404"),
    post("chains:contact_edit", "buyer", "in 404 404 404 403 go go 404 404 404 404", data={"name": "N", "phone": "000"}),
    Row("chains:qualification_claim", "buyer", MEMBERS),
    Row("chains:certification_claim", "buyer", MEMBERS),
    Row("chains:capability_create", "buyer", MEMBERS),
    Row("chains:capability_edit", "capability_draft", MEMBERS),
    Row("chains:capability_photo_list", "capability_draft", MEMBERS),
    post("chains:capability_photo_list", "capability_draft", MEMBERS.replace("200", "422")),
    Row("chains:capability_photo", "photo", args={"version": "0" * 16}),
    Row("chains:capability_photo", "photo_draft", "404 404 404 404 200 200 200 404 404 404 404", args={"version": "0" * 16}),
    post("chains:capability_withdraw", "capability_draft", "in 404 404 404 403 go go 404 404 404 404"),
    Row("chains:member_invite", "buyer", "in 404 404 404 403 403 200 404 404 404 404"),
    post("chains:member_invite", "buyer", "in 404 404 404 403 403 go 404 404 404 404", data={"email": "new@there.example", "role": "viewer"}),
    Row("chains:invitation_answer", "invited", "in" + " 404" * 10),
    Row("chains:invitation_answer", "invited_here", "in 200" + " 404" * 9),
    post("chains:invitation_withdraw", "invited", "in 404 404 404 403 403 go 404 404 404 404"),
    post("chains:membership_decide", "membership", "in 404 404 404 403 403 go go 404 404 go", data={"do": "accept"}),
    Row("chains:requirement_create", "", "in go 200 200 go 200 200 go go go go"),
    Row("chains:requirement_row", "", "in" + " 200" * 10, query={"kind": "line"}),
    Row("chains:requirement_import", "", "in go 200 200 go 200 200 go go go go"),
    Row("chains:requirement_template", "", SIGNED_IN),
    Row("chains:requirement_edit", "draft", NOT_VIEWERS),
    post("chains:requirement_submit", "draft", NOT_VIEWERS.replace("200", "go")),
    Row("chains:requirement_edit", "returned", NOT_VIEWERS),
    Row("chains:title_list", "", "in 404 404 404 404 404 404 200 200 404 200"),
    post("chains:title_list", "", "in 404 404 404 404 404 404 200 200 404 200"),
    Row("chains:requirement_file_list", "published", NOT_VIEWERS),
    post("chains:requirement_file_list", "draft", NOT_VIEWERS.replace("200", "422")),
    Row("matchmaking:requirement_file", "drawing", "404 404 404 404 200 200 200 200 404 404 200"),
    Row("chains:requirement_report", "published", SIGNED_IN),
    Row("chains:enterprise_report", "buyer", SIGNED_IN),
    post("chains:requirement_report", "published", "in 422 go go 422 422 422 go go go go", data={"reason": "advertising"}),
    Row("chains:report_decide", "report", DESK.rsplit(" ", 1)[0] + " 200"),
    post("chains:report_decide", "report", DESK.replace("200", "go").rsplit(" ", 1)[0] + " go", data={"do": "uphold"}),
    Row("chains:requirement_close", "submitted", NOT_VIEWERS),
    post("chains:requirement_close", "submitted", NOT_VIEWERS.replace("200", "go")),
    Row("chains:requirement_delete", "draft", NOT_VIEWERS),
    post("chains:requirement_delete", "draft", NOT_VIEWERS.replace("200", "go")),
    post("chains:requirement_copy", "draft", NOT_VIEWERS.replace("200", "go")),
    Row("chains:requirement_history", "draft", MEMBERS),
    Row("chains:requirement_history", "returned", "in 404 404 404 200 200 200 200 404 200 200"),
    Row("chains:enterprise_case", "buyer", "in 404 404 404 404 404 404 200 404 404 200"),
    Row("chains:enterprise_case", "pending", "in 404 404 404 404 404 404 200 404 404 200"),
    Row("chains:role_list", "", "in 404 404 404 404 404 404 200 200 404 404"),
    post("chains:role_list", "", "in 404 404 404 404 404 404 422 422 404 404", data={"email": "nobody@canary.example"}),
    post("chains:role_end", "below", "in 404 404 404 404 404 404 go 404 404 404"),
    Row("chains:proof_decide", "proof", "in 404 404 404 404 404 404 200 404 403 200"),
    Row("chains:moderation_case", "submitted", "in 404 404 404 404 404 404 200 404 403 200"),
    Row("chains:moderation_case", "draft", "in" + " 404" * 10),
    post("chains:moderation_case", "submitted", "in 404 404 404 404 404 404 go 404 403 go", data={"do": "approve"}),
)  # fmt: skip

GATHERING = (
    Row("events:event_create", "", "in 404 404 404 404 404 404 200 200 404 404"),
    Row("events:event_copy", "event", DESK),
    post("events:event_copy", "event", DESK.replace("200", "422"), data={"name_en": ""}),
    Row("events:event_edit", "event_draft", DESK),
    post("events:event_publish", "event_draft", DESK.replace("200", "go")),
    Row("events:event_cancel", "event", DESK),
    Row("events:event_overview", "event", DESK),
    Row("events:guest_list", "event", DESK),
    Row("events:guest_list", "event", DESK, query={"export": "csv", "state": "all"}),
    Row("events:guest_list", "event", DESK, query={"export": "xlsx", "state": "all"}),
    Row("events:event_documents", "event", DESK),
    post("events:event_documents", "event", DESK.replace("200", "422"), data={"title_en": ""}),
    post("events:document_remove", "event", "in" + " 404" * 10, data={"document": "222222222222"}),
    Row("events:document", "document"),
    Row("events:document", "document_draft", "404 404 404 404 404 404 404 200 404 404 200"),
    Row("events:event_staff", "event", DESK),
    post("events:event_staff", "event", DESK.replace("200", "422"), data={"email": "nobody@canary.example", "role": "desk"}),
    post("events:staff_release", "event", "in" + " 404" * 10, data={"staff": "222222222222"}),
    Row("events:event_agenda", "event", DESK),
    Row("events:event_checklist", "event", DESK),
    Row("events:event_questions", "event", DESK),
    post("events:event_questions", "event", DESK.replace("200", "go"), data={"q-TOTAL_FORMS": "0", "q-INITIAL_FORMS": "0"}),
    Row("events:event_letters", "event", DESK),
    Row("events:event_letter", "", DESK, args={"public_id": "@event", "kind": "confirmed"}),
    post("events:event_letter", "", DESK.replace("200", "go"), args={"public_id": "@event", "kind": "confirmed"}, data={"do": "test"}),
    Row("events:event_announce", "event", DESK),
    post("events:event_announce", "event", DESK.replace("200", "422"), data={"subject_en": ""}),
    post("events:letters_again", "event", DESK.replace("200", "go")),
    Row("events:check_in", "event", DESK, query={"q": FOUND_BY}),
    post("events:check_in", "event", DESK, data={"nonce": NONCE, "code": "no-such-code"}),
    Row("events:check_in_roll", "event", DESK),
    Row("events:check_in_worker", "event", DESK),
    Row("events:badge_sheet", "event", DESK),
    Row("events:badge_file", "event", DESK),
    Row("events:sign_in_sheet", "event", DESK),
    Row("events:posters", "event", DESK),
    # Who holds the code of an invitation says no by it; a made-up one opens nothing.
    Row("events:invitation", "", " ".join(["404"] * 11), args={"code": "made-up"}),
    Row("events:table_cards", "event", DESK),
    # The key of a badge opens the name of its event; a made-up one opens nothing.
    Row("events:badge", "", " ".join(["404"] * 11), args={"token": "made-up"}),
    post("events:badge", "", " ".join(["404"] * 11), args={"token": "made-up"}),
    Row("events:event_listing", "event", DESK, query={"q": FOUND_BY}),
    post("events:event_listing", "event", DESK.replace("200", "go"), data={"action": "add", "requirement": "@submitted"}),
    Row("events:programme_create", "", "in 404 404 404 404 404 404 200 200 404 200"),
    post("events:programme_create", "", "in 404 404 404 404 404 404 422 422 404 422"),
    Row("events:programme_edit", "programme", KEEPERS),
    Row("events:programme_edit", "programme_prepared", KEEPERS),
    Row("events:series_create", "programme", KEEPERS),
    Row("events:series_edit", "series", KEEPERS),
    post("events:series_edit", "series_prepared", KEEPERS.replace("200", "422")),
    Row("events:series_events", "series", KEEPERS),
    Row("events:series_events", "series", KEEPERS, query={"show": "out"}),
    post("events:series_events", "series_prepared", KEEPERS.replace("200", "go"), data={"event": "@event"}),
    # Names behind the figures: as far as one's desk reaches, so elsewhere the page is empty.
    Row("events:series_participants", "series", "in 404 404 404 404 404 404 200 200 200 200"),
    Row("events:series_participants", "series_prepared", PREPARED.replace("404", "in", 1)),
    Row("events:registration_badges", "registration", "in 404 404 200 404 404 404 404 404 404 404"),
    Row("events:registration_badge_file", "registration", "in 404 404 200 404 404 404 404 404 404 404"),
    Row("events:registration_answers", "registration", "in 404 404 200 404 404 404 404 404 404 404"),
    Row("events:answer_file", "answer", "in 404 404 200 404 404 404 200 404 404 404"),
    Row("events:delegate_list", "registration", "in 404 404 200 404 404 404 404 404 404 404"),
    post("events:registration_cancel", "registration", "in 404 404 go 404 404 404 go 404 404 404"),
    post("events:registration_accept", "registration", "in 404 404 go 404 404 404 404 404 404 404"),
    post("events:registration_give_back", "registration", "in 404 404 go 404 404 404 404 404 404 404"),
    # The link of a letter opens it without signing in; a made-up one opens nothing.
    Row("events:registration_answer", "", " ".join(["404"] * 11), args={"link": "222222222222.1.1:x"}),
    post("events:registration_decide", "waiting", DESK.replace("200", "go"), data={"action": "decline", "reason": "full"}),
)  # fmt: skip

# A supplier reads its own pair; the buyer what is recommended to it; the desk all.
PAIR = "in 404 404 200 200 200 200 200 404 404 404"
INTRODUCTION = (
    post("matchmaking:interest_send", "published", "in 403 422 422 422 422 422 403 403 403 403"),
    post("matchmaking:interest_send", "embargoed", "in 404 404 404 422 422 422 403 404 403 403"),
    post("matchmaking:contact_reveal", "published", "in 403 403 403 403 403 403 422 403 403 403"),
    post("matchmaking:contact_reveal", "draft", "in 404 404 404 403 403 403 404 404 404 404"),
    post("matchmaking:contact_reveal", "embargoed", "in 404 404 404 403 403 403 422 404 403 403"),
    Row("matchmaking:enterprise_merge", "supplying", "in 404 404 404 404 404 404 200 404 404 200"),
    Row("matchmaking:category_suggest", "", SIGNED_IN, query={"q": "接线盒"}),
    Row("matchmaking:inbox", "", "in 403 403 403 403 403 403 200 200 403 200"),
    Row("matchmaking:review_queue", "", "in 403 403 403 403 403 403 200 200 403 403"),
    Row("matchmaking:review_line", "published_line", DESK),
    Row("matchmaking:review_line", "embargoed_line", DESK),
    post("matchmaking:review_decide", "published_line", DESK.replace("200", "go"), data={"match": "@proposed", "verdict": "approve"}),
    post("matchmaking:review_bulk", "published_line", DESK.replace("200", "go"), data={"match": "@proposed"}),
    post("matchmaking:review_add", "published_line", DESK.replace("200", "422")),
    Row("matchmaking:match_why", "match", PAIR),
    Row("matchmaking:match_why", "proposed", DESK),
    Row("matchmaking:pair_why", "", PAIR.replace("200", "go"), args={"public_id": "@published_line", "enterprise_id": "@supplying"}),
    Row("matchmaking:pair_why", "", DESK.replace("200", "go"), args={"public_id": "@published_line", "enterprise_id": "@rival"}),
    Row("matchmaking:for_you", "", SIGNED_IN),
    Row("matchmaking:capability_finds", "capability", "in 404 404 200 404 404 404 404 404 404 404"),
    Row("matchmaking:capability_finds", "capability_draft", "in" + " 404" * 10),
    post("matchmaking:dismiss", "published_line", "in 403 go go 403 go go 403 403 403 403"),
    post("matchmaking:dismiss", "embargoed_line", "in" + " 404" * 10),
    post("matchmaking:line_match", "published_line", "in 404 404 404 403 go go 404 404 404 404"),
    post("matchmaking:line_withdrawn", "published_line", "in 404 404 404 403 go go 404 404 404 404"),
    post("matchmaking:line_filled", "published_line", "in 404 404 404 403 go go 404 404 404 404"),
    Row("matchmaking:hall_screen", "event", DESK),
    Row("matchmaking:hall_screen", "event", DESK, query={"part": "1", "at": "list2"}),
    Row("matchmaking:event_answers", "event", DESK),
    Row("matchmaking:event_invitations", "event", DESK, query={"q": FOUND_BY}),
    post("matchmaking:event_invitations", "event", DESK.replace("200", "go"), data={"who": "fitting", "reason": "r"}),
    # What is not public has no page behind its code, whoever asks.
    Row("matchmaking:open_call", "", args={"code": "list1"}),
    Row("matchmaking:open_call", "", " ".join(["404"] * 11), args={"code": "list2"}),
    post("matchmaking:open_call", "", args={"code": "list1"}),
    Row("matchmaking:my_interests", "", SIGNED_IN),
    Row("matchmaking:alert_list", "", SIGNED_IN),
    post("matchmaking:alert_list", "", "in" + " go" * 10, data={"for_you": "weekly"}),
    post("matchmaking:search_save", "", "in" + " go" * 10, data={"query": "q=x", "name": "n"}),
    post("matchmaking:search_delete", "search", "in 404 404 go 404 404 404 404 404 404 404"),
    post("matchmaking:calendar_renew", "", "in" + " go" * 10),
    Row("matchmaking:deadlines", "", "404 404", args={"key": "forged"}, roles=TWO),
    Row("matchmaking:alert_stop", "", "404 404", args={"link": "forged"}, roles=TWO),
    post("matchmaking:interest_withdraw", "interest", "in 404 404 go 404 404 404 404 404 404 404"),
    post("matchmaking:interest_reply", "interest", "in 404 404 go 404 404 404 404 404 404 404", data={"text": "x"}),
    post("matchmaking:interest_answer", "interest", "in 404 404 404 403 go go 404 404 404 404", data={"answer": "accept"}),
    Row("matchmaking:attachment_download", "attachment", "in 404 404 200 200 200 200 404 404 404 404"),
    post("matchmaking:attachment_remove", "attachment", "in 404 404 go 404 404 404 404 404 404 404"),
    post("matchmaking:requirement_want", "published", "in 404 404 404 403 go go 404 404 404 404", data={"wanted": "3"}),
    post("matchmaking:interest_contact", "interest", "in 404 404 404 200 200 200 422 404 404 404"),
    Row("matchmaking:my_requirements", "", SIGNED_IN),
    Row("matchmaking:requirement_desk", "published", MEMBERS),
    Row("matchmaking:requirement_desk", "draft", MEMBERS),
    Row("matchmaking:requirement_desk_export", "published", MEMBERS, args={"extension": "csv"}),
    Row("matchmaking:requirement_desk_export", "published", MEMBERS, args={"extension": "xlsx"}),
    Row("matchmaking:requirement_interests", "published", MEMBERS),
    Row("matchmaking:contact_log", "published", MEMBERS),
    Row("matchmaking:contact_log_export", "published", MEMBERS, args={"extension": "csv"}),
    Row("matchmaking:run_list", "", SIGNED_IN),
    Row("matchmaking:run_start", "", "in" + " go" * 10),
    post("matchmaking:run_start", "", "in 403 403 403 403 403 403 403 403 403 go", data={"everything": "1"}),
    post("matchmaking:run_start", "", "in 403 403 403 403 403 403 go 403 403 go", data={"requirement": "@published"}),
    Row("matchmaking:run_detail", "run", "in 404 404 404 404 404 404 200 404 404 200"),
    post("matchmaking:run_cancel", "run", "in 404 404 404 404 404 404 go 404 404 go"),
    # Read at the desks of a province, decided on at province level: the organiser here is one of a city.
    Row("matchmaking:calibration", "", "in 403 403 403 403 403 403 200 200 200 200"),
    post("matchmaking:calibration_learn", "", "in 403 403 403 403 403 403 403 403 403 go"),
    Row("matchmaking:weighting_detail", "weighting", "in 404 404 404 404 404 404 200 200 200 200"),
    Row("matchmaking:weighting_detail", "weighting_draft", "in 404 404 404 404 404 404 200 404 200 200"),
    Row("matchmaking:weighting_detail", "weighting_draft", "in 404 404 404 404 404 404 200 404 200 200", query={"preview": "1"}),
    Row("matchmaking:weighting_activate", "weighting_draft", "in 404 404 404 404 404 404 403 404 403 200"),
    post("matchmaking:weighting_activate", "weighting_draft", "in 404 404 404 404 404 404 403 404 403 go", data={"reason": "r", "instead_of": "@weighting"}),
)  # fmt: skip

REFERENCE = (
    "chains", "segments", "categories", "regions", "units", "docking-kinds", "cooperation-kinds",
    "qualification-kinds", "certification-kinds", "participant-kinds", "event-levels",
)  # fmt: skip
CODES = {
    "chains": "PV",
    "docking-kinds": "supply_sales",
    "regions": "330421",
    "event-levels": "county",
}
FOUND = {"limit": "200"}

API_DESK = DESK.replace("in", "401")
API_MEMBERS = "401 404 404 404 403 200 200 404 404 404 404"
API = (
    *(Row(f"api-{name}-list", "", "200 200", roles=TWO, query={"limit": "1"}) for name in REFERENCE),
    *(Row(f"api-{name}-detail", "", f"{found} {found}", args={"code": CODES.get(name, "none")}, roles=TWO)
      for name in REFERENCE for found in ["200" if name in CODES else "404"]),
    Row("api-enterprises-list", query=FOUND),
    Row("api-enterprises-list", query={"q": FOUND_BY}),
    Row("api-enterprises-detail", "buyer"),
    Row("api-enterprises-detail", "pending", "404 404 404 404 404 404 404 200 404 200 200"),
    Row("api-enterprises-detail", "buyer", "401 403 403 403 403 200 200 403 403 403 403", "patch"),
    Row("api-enterprises-contacts", "buyer", "401 403 403 403 403 200 200 403 403 403 403"),
    Row("api-capabilities-list", query=FOUND),
    post("api-capabilities-list", "", "401 403 201 201 403 201 201 403 403 403 403", data={"title_en": "Box"}),
    Row("api-capabilities-detail", "capability"),
    Row("api-capabilities-detail", "capability_draft", "404 404 404 404 200 200 200 404 404 404 404"),
    Row("api-capabilities-detail", "capability_draft", API_MEMBERS, "patch"),
    post("api-capabilities-publish", "capability_draft", API_MEMBERS),
    post("api-capabilities-withdraw", "capability_draft", API_MEMBERS.replace("200", "409")),
    Row("api-requirements-list", query=FOUND),
    Row("api-requirements-list", query={"q": FOUND_BY}),
    post("api-requirements-list", "", "401" + " 422" * 10),
    Row("api-requirements-detail", "published"),
    Row("api-requirements-detail", "draft", "404 404 404 404 200 200 200 404 404 404 404"),
    Row("api-requirements-detail", "embargoed", "404 404 404 404 200 200 200 200 404 200 200"),
    Row("api-requirements-detail", "submitted", "404 404 404 404 200 200 200 200 404 200 200"),
    post("api-requirements-contact", "published", "401 403 403 403 403 403 403 409 403 403 403"),
    post("api-requirements-contact", "embargoed", "401 404 404 404 403 403 403 409 404 403 403"),
    post("api-requirements-submit", "draft", API_MEMBERS),
    post("api-requirements-withdraw", "submitted", "401 404 404 404 403 200 200 403 404 403 403"),
    post("api-bounces", "", "404 404", roles=TWO),
    Row("api-events-list", query=FOUND),
    Row("api-events-detail", "event"),
    Row("api-events-detail", "event_draft", "404 404 404 404 404 404 404 200 404 404 200"),
    Row("api-programmes-list", query=FOUND),
    Row("api-programmes-detail", "programme"),
    Row("api-programmes-detail", "programme_prepared", PREPARED),
    post("api-programmes-list", "", "401" + " 422" * 10),
    Row("api-programmes-detail", "programme", "401 403 403 403 403 403 403 200 403 403 200", "patch"),
    Row("api-series-list", query=FOUND),
    Row("api-series-detail", "series"),
    Row("api-series-detail", "series_prepared", PREPARED),
    post("api-series-list", "", "401" + " 422" * 10),
    Row("api-series-figures", "series"),
    Row("api-series-figures", "series_prepared", PREPARED),
    post("api-series-targets", "series", "401" + " 422" * 10),
    post("api-series-add", "series_prepared", "401 404 404 404 404 404 404 200 404 403 200", data={"event": "@event"}),
    post("api-series-remove", "series_prepared", "401 404 404 404 404 404 404 200 404 403 200", data={"event": "@event"}),
    Row("api-registrations-list", "", API_ALL, query=FOUND),
    Row("api-events-check-ins", "event", "401 403 403 403 403 403 403 200 403 403 403"),
    post("api-events-check-ins", "event", "401 403 403 403 403 403 403 200 403 403 403", data={"nonce": NONCE, "code": "no-such-code"}),
    Row("api-events-listed", "event", "401 403 403 403 403 403 403 200 403 403 403"),
    Row("api-events-listed", "event_draft", "401 404 404 404 404 404 404 200 404 404 403"),
    Row("api-events-listed", "event", "401 403 403 403 403 403 403 422 403 403 403", method="patch"),
    post("api-events-release", "event", "401 403 403 403 403 403 403 200 403 403 403"),
    Row("api-events-invitations", "event", "401 403 403 403 403 403 403 200 403 403 403"),
    post("api-events-invitations", "event", "401 403 403 403 403 403 403 422 403 403 403"),
    Row("api-events-documents", "event"),
    Row("api-events-documents", "event_draft", "404 404 404 404 404 404 404 200 404 404 200"),
    post("api-events-documents", "event", "401 403 403 403 403 403 403 415 403 403 403"),
    Row("api-events-document", args={"public_id": "@event", "document_id": "@document"}),
    Row("api-events-document", "", "404 404 404 404 404 404 404 200 404 404 200", args={"public_id": "@event_draft", "document_id": "@document_draft"}),
    Row("api-events-document", "", "401 403 403 403 403 403 403 204 403 403 403", method="delete", args={"public_id": "@event", "document_id": "@document"}),
    Row("api-events-headcount", "event", "401 403 403 403 403 403 403 200 403 403 403"),
    Row("api-events-capacity", "event", "401 403 403 403 403 403 403 200 403 403 403"),
    Row("api-events-capacity", "event", "401 403 403 403 403 403 403 422 403 403 403", method="patch"),
    Row("api-events-queue", "event", "401 403 403 403 403 403 403 200 403 403 403"),
    post("api-registrations-list", "", "401" + " 422" * 10),
    Row("api-registrations-detail", "registration", "401 404 404 200 404 404 404 200 404 404 404"),
    Row("api-registrations-answers", "registration", "401 404 404 422 404 404 404 422 404 404 404", method="put"),
    Row("api-registrations-answer-file", "", "401 404 404 200 404 404 404 200 404 404 404", args={"public_id": "@registration", "question_id": "@question"}),
    post("api-registrations-cancel", "registration", "401 404 404 200 404 404 404 409 404 404 404"),
    post("api-registrations-accept", "registration", "401 404 404 200 404 404 404 403 404 404 404"),
    post("api-registrations-give-back", "registration", "401 404 404 409 404 404 404 403 404 404 404"),
    post("api-registrations-move", "registration", "401 404 404 422 404 404 404 422 404 404 404"),
    Row("api-matches-list", "", API_ALL, query=FOUND),
    Row("api-matches-detail", "match", PAIR.replace("in", "401")),
    Row("api-matches-detail", "proposed", API_DESK),
    post("api-matches-decide", "match", "401 404 404 403 403 403 403 200 404 404 404", data={"verdict": "undone"}),
    post("api-matches-decide", "proposed", API_DESK, data={"verdict": "approved"}),
    Row("api-matches-decisions", "match", "401 404 404 403 403 403 403 200 404 404 404"),
    Row("api-interests-list", "", API_ALL, query=FOUND),
    post("api-interests-list", "", "401" + " 422" * 10),
    Row("api-interests-detail", "interest", "401 404 404 200 200 200 200 404 404 404 404"),
    post("api-interests-answer", "interest", "401 404 404 403 403 200 200 404 404 404 404", data={"answer": "accept"}),
    post("api-interests-ask", "interest", "401 404 404 403 403 200 200 404 404 404 404", data={"text": "x"}),
    post("api-interests-reply", "interest", "401 404 404 409 403 403 403 404 404 404 404", data={"text": "x"}),
    post("api-interests-contact", "interest", "401 404 404 403 200 200 200 404 404 404 404"),
    post("api-interests-withdraw", "interest", "401 404 404 200 403 403 403 404 404 404 404"),
    post("api-interests-shortlist", "interest", "401 404 404 403 403 200 200 404 404 404 404", data={"is_shortlisted": "1"}),
    Row("api-interests-notes", "interest", "401 404 404 403 200 200 200 404 404 404 404"),
    post("api-interests-notes", "interest", "401 404 404 403 403 201 201 404 404 404 404", data={"text": "x"}),
    post("api-interests-attachments", "interest", "401 404 404 415 415 415 415 404 404 404 404", data={"file": "x"}),
    Row("api-interests-attachment", "", "401 404 404 200 200 200 200 404 404 404 404", args={"public_id": "@interest", "attachment_id": "@attachment"}),
    post("api-requirements-wanted", "published", "401 403 403 403 403 200 200 403 403 403 403", data={"wanted_interests": "3"}),
    Row("api-imports-list", "", API_ALL, query=FOUND),
    post("api-imports-list", "", "401" + " 422" * 10),
    Row("api-imports-detail", "import_done", "401 404 404 404 404 404 404 200 404 404 404"),
    Row("api-imports-rows", "import_done", "401 404 404 404 404 404 404 200 404 404 404"),
    post("api-imports-discard", "import_waiting", "401 404 404 404 404 200 404 404 404 404 404"),
    Row("api-topics-list", "", API_ALL),
    Row("api-topics-detail", "", "401" + " 200" * 10, "patch", args={"topic": "for_you"}, data={"rhythm": "weekly"}),
    Row("api-topics-detail", "", "401 404 404 200 404 404 404 404 404 404 404", "patch", args={"topic": "@search"}, data={"rhythm": "weekly"}),
    Row("api-searches-list", "", API_ALL, query=FOUND),
    post("api-searches-list", "", "401" + " 201" * 10, data={"query": "q=x", "name": "n"}),
    Row("api-searches-detail", "search", "401 404 404 200 404 404 404 404 404 404 404"),
    Row("api-searches-detail", "search", "401 404 404 200 404 404 404 404 404 404 404", "patch", data={"rhythm": "weekly"}),
    Row("api-runs-list", "", API_ALL, query=FOUND),
    post("api-runs-list", "", "401 403 403 403 403 403 403 403 403 403 202", data={"scope": "all"}),
    Row("api-runs-detail", "run", "401 404 404 404 404 404 404 200 404 404 200"),
    post("api-runs-cancel", "run", "401 404 404 404 404 404 404 200 404 404 200"),
    Row("api-nowhere", "", "404 404", roles=TWO),
)  # fmt: skip

TABLE = (*SITE, *ACCOUNT, *REGISTER, *GATHERING, *INTRODUCTION, *API)


def patterns(resolver=None, namespace=""):
    """The names of all addresses, as one reverses them, with what they take."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            yield (
                f"{namespace}{pattern.name}",
                re.findall(r"<(?:\w+:)?(\w+)>", str(pattern.pattern)),
            )
        else:
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from patterns(pattern, inner)
