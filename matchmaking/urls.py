from __future__ import annotations

from allauth.account import views as allauth
from allauth.account.decorators import reauthentication_required, secure_admin_login
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.i18n import set_language

from chains import urls as register
from chains.admin import keep_own_pages
from events.permissions import DESK
from matchmaking.views import (
    alerts,
    calibration,
    catalogue,
    categories,
    chain_map,
    contacts,
    feeds,
    hall,
    inbox,
    interests,
    invitations,
    merging,
    openings,
    own_data,
    requirement_files,
    requirements,
    review,
    runs,
    search_box,
    site,
    suggestions,
)

# The admin's own form knows no throttle and no second factor; sign-in goes through allauth.
keep_own_pages()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

matchmaking = [
    path("privacy/", own_data.privacy, name="privacy"),
    path(
        "desk/enterprises/<str:public_id>/merge/",
        merging.enterprise_merge,
        name="enterprise_merge",
    ),
    path("my/data/", own_data.own_data, name="own_data"),
    path("my/data/file.json", own_data.own_data_file, name="own_data_file"),
    path("my/data/erase/", own_data.account_erase, name="account_erase"),
    path("requirements/", catalogue.requirement_list, name="requirement_list"),
    path(
        "my/requirements/<str:public_id>/contact-log.<str:extension>",
        openings.contact_log_export,
        name="contact_log_export",
    ),
    path(
        "enterprises/export.<str:extension>",
        catalogue.enterprise_export,
        name="enterprise_export",
    ),
    path(
        "requirements/export.<str:extension>",
        catalogue.requirement_export,
        name="requirement_export",
    ),
    path("requirements/feed.atom", feeds.requirement_feed, name="requirement_feed"),
    path("requirements/<str:public_id>/", catalogue.requirement_detail, name="requirement_detail"),
    path("requirements/<str:public_id>/interest/", interests.interest_send, name="interest_send"),
    path("requirements/<str:public_id>/contact/", contacts.contact_reveal, name="contact_reveal"),
    path("files/<str:public_id>/", requirement_files.requirement_file, name="requirement_file"),
    path("enterprises/", catalogue.enterprise_list, name="enterprise_list"),
    path("enterprises/<str:public_id>/", catalogue.enterprise_detail, name="enterprise_detail"),
    path("search/", search_box.search, name="search"),
    path("search/suggest/", search_box.suggest, name="search_suggest"),
    path("categories/suggest/", categories.category_suggest, name="category_suggest"),
    path("chains/", chain_map.chain_list, name="chain_list"),
    path("chains/<str:code>/", chain_map.chain_map, name="chain_map"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("review/", review.review_queue, name="review_queue"),
    path("review/<str:public_id>/", review.review_line, name="review_line"),
    path("review/<str:public_id>/decide/", review.review_decide, name="review_decide"),
    path("review/<str:public_id>/bulk/", review.review_bulk, name="review_bulk"),
    path("review/<str:public_id>/add/", review.review_add, name="review_add"),
    path("matches/<str:public_id>/why/", review.match_why, name="match_why"),
    path("lines/<str:public_id>/why/<str:enterprise_id>/", review.pair_why, name="pair_why"),
    path("for-you/", suggestions.for_you, name="for_you"),
    path(
        "my/capabilities/<str:public_id>/finds/",
        suggestions.capability_finds,
        name="capability_finds",
    ),
    path("lines/<str:public_id>/dismiss/", suggestions.dismiss, name="dismiss"),
    path("lines/<str:public_id>/match/", requirements.line_match, name="line_match"),
    path("lines/<str:public_id>/filled/", requirements.line_filled, name="line_filled"),
    path("lines/<str:public_id>/withdrawn/", requirements.line_withdrawn, name="line_withdrawn"),
    path("events/<str:public_id>/screen/", hall.hall_screen, name="hall_screen"),
    path("events/<str:public_id>/answers/", hall.event_answers, name="event_answers"),
    path(
        "events/<str:public_id>/invitations/",
        invitations.event_invitations,
        name="event_invitations",
    ),
    # Short, because it stands in a code that is read from the last row; events.permissions.HALL_PATH names it.
    path("l/<str:code>/", hall.open_call, name="open_call"),
    path("my/interests/", interests.my_interests, name="my_interests"),
    path("my/alerts/", alerts.alert_list, name="alert_list"),
    path("my/searches/", alerts.search_save, name="search_save"),
    path("my/searches/<str:public_id>/delete/", alerts.search_delete, name="search_delete"),
    path("my/calendar/", feeds.calendar_renew, name="calendar_renew"),
    path("deadlines/<str:key>.ics", feeds.deadlines, name="deadlines"),
    path("alerts/stop/<str:link>/", alerts.alert_stop, name="alert_stop"),
    path(
        "interests/<str:public_id>/withdraw/", interests.interest_withdraw, name="interest_withdraw"
    ),
    path(
        "interests/files/<str:public_id>/",
        interests.attachment_download,
        name="attachment_download",
    ),
    path(
        "interests/files/<str:public_id>/remove/",
        interests.attachment_remove,
        name="attachment_remove",
    ),
    path("interests/<str:public_id>/reply/", interests.interest_reply, name="interest_reply"),
    path("interests/<str:public_id>/answer/", interests.interest_answer, name="interest_answer"),
    path("interests/<str:public_id>/contact/", contacts.interest_contact, name="interest_contact"),
    path("my/requirements/", requirements.my_requirements, name="my_requirements"),
    path(
        "my/requirements/<str:public_id>/", requirements.requirement_desk, name="requirement_desk"
    ),
    path(
        "my/requirements/<str:public_id>/export.<str:extension>",
        requirements.requirement_desk_export,
        name="requirement_desk_export",
    ),
    path(
        "my/requirements/<str:public_id>/interests/",
        requirements.requirement_interests,
        name="requirement_interests",
    ),
    path(
        "my/requirements/<str:public_id>/wanted/",
        requirements.requirement_want,
        name="requirement_want",
    ),
    path("my/requirements/<str:public_id>/contact-log/", openings.contact_log, name="contact_log"),
    path(
        "my/enterprises/<str:public_id>/contact-log/",
        openings.enterprise_contact_log,
        name="enterprise_contact_log",
    ),
    path("runs/", runs.run_list, name="run_list"),
    path("runs/start/", runs.run_start, name="run_start"),
    path("runs/<str:public_id>/", runs.run_detail, name="run_detail"),
    path("runs/<str:public_id>/cancel/", runs.run_cancel, name="run_cancel"),
    path("calibration/", calibration.calibration, name="calibration"),
    path("calibration/learn/", calibration.calibration_learn, name="calibration_learn"),
    path("calibration/<str:public_id>/", calibration.weighting_detail, name="weighting_detail"),
    path(
        "calibration/<str:public_id>/activate/",
        calibration.weighting_activate,
        name="weighting_activate",
    ),
]

handler400 = "matchmaking.views.faults.unreadable"
handler500 = "matchmaking.views.faults.fault"

urlpatterns = [
    path("", site.home, name="home"),
    path("start/", site.start, name="start"),
    path("theme/", site.set_theme, name="set_theme"),
    path("healthz", site.healthz, name="healthz"),
    path("readyz", site.readyz, name="readyz"),
    path("i18n/setlang/", login_not_required(set_language), name="set_language"),
    # Allauth has these two where people sign up with a number; here the number is added to an account.
    path(
        "accounts/phone/",
        reauthentication_required(app="allauth.account")(allauth.change_phone),
        name="account_change_phone",
    ),
    path("accounts/phone/verify/", allauth.verify_phone, name="account_verify_phone"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/", include("matchmaking.api.urls")),
    # In a rush all come to /events/…, which none of the others begins with.
    path("", include("events.urls")),
    # chains before matchmaking: /my/requirements/new/ would read as a public id there.
    path("", include((register.pages(DESK), register.app_name))),
    path("", include((matchmaking, "matchmaking"))),
]
