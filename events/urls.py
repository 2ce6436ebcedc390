from __future__ import annotations

from django.urls import path

from events.views import (
    agenda,
    desk,
    documents,
    draw,
    guests,
    invitations,
    leading,
    letters,
    listing,
    organise,
    own,
    paper,
    programmes,
    public,
    questions,
    registration,
    staff,
)

app_name = "events"

urlpatterns = [
    path("my/registrations/", own.registration_list, name="registration_list"),
    path("events/", public.event_list, name="event_list"),
    path("events/calendar.ics", public.event_feed, name="event_feed"),
    path("events/new/", organise.event_create, name="event_create"),
    path("events/<str:public_id>/", public.event_detail, name="event_detail"),
    path("events/<str:public_id>/register/", registration.register, name="register"),
    path("events/<str:public_id>/edit/", organise.event_edit, name="event_edit"),
    path("events/<str:public_id>/copy/", organise.event_copy, name="event_copy"),
    path("events/<str:public_id>/publish/", organise.event_publish, name="event_publish"),
    path("events/<str:public_id>/cancel/", organise.event_cancel, name="event_cancel"),
    path("events/<str:public_id>/overview/", organise.event_overview, name="event_overview"),
    path("events/<str:public_id>/event.ics", public.event_calendar, name="event_calendar"),
    path("events/<str:public_id>/agenda/", agenda.event_agenda, name="event_agenda"),
    path("events/<str:public_id>/checklist/", agenda.event_checklist, name="event_checklist"),
    path("events/<str:public_id>/documents/", documents.event_documents, name="event_documents"),
    path(
        "events/<str:public_id>/documents/remove/",
        documents.document_remove,
        name="document_remove",
    ),
    path("documents/<str:public_id>/", documents.document, name="document"),
    path("events/<str:public_id>/draw/", draw.event_draw, name="event_draw"),
    path("events/<str:public_id>/leading/", leading.event_leading, name="event_leading"),
    path("events/<str:public_id>/staff/", staff.event_staff, name="event_staff"),
    path("events/<str:public_id>/staff/release/", staff.staff_release, name="staff_release"),
    path("events/<str:public_id>/questions/", questions.event_questions, name="event_questions"),
    path("events/<str:public_id>/letters/", letters.event_letters, name="event_letters"),
    path(
        "events/<str:public_id>/letters/<slug:kind>/own/", letters.event_letter, name="event_letter"
    ),
    path("events/<str:public_id>/announce/", letters.event_announce, name="event_announce"),
    path("events/<str:public_id>/letters/again/", letters.letters_again, name="letters_again"),
    path("events/<str:public_id>/guests/", guests.guest_list, name="guest_list"),
    path("events/<str:public_id>/check-in/", desk.check_in, name="check_in"),
    path("events/<str:public_id>/check-in/roll/", desk.check_in_roll, name="check_in_roll"),
    path("events/<str:public_id>/check-in/worker.js", desk.check_in_worker, name="check_in_worker"),
    path("events/<str:public_id>/badges/", desk.badge_sheet, name="badge_sheet"),
    path("events/<str:public_id>/badges.pdf", desk.badge_file, name="badge_file"),
    path("events/<str:public_id>/posters/", paper.posters, name="posters"),
    path("events/<str:public_id>/table-cards/", paper.table_cards, name="table_cards"),
    path("events/<str:public_id>/sign-in-sheet/", desk.sign_in_sheet, name="sign_in_sheet"),
    path("i/<str:code>/", invitations.invitation, name="invitation"),
    # Short, because it stands in a code that is read from a phone's screen in bad light.
    path("c/<str:token>/", desk.badge, name="badge"),
    path("events/<str:public_id>/list/", listing.event_listing, name="event_listing"),
    path(
        "registrations/<str:public_id>/delegates/", registration.delegate_list, name="delegate_list"
    ),
    path(
        "registrations/<str:public_id>/badges/",
        desk.registration_badges,
        name="registration_badges",
    ),
    path(
        "registrations/<str:public_id>/badges.pdf",
        desk.registration_badge_file,
        name="registration_badge_file",
    ),
    path(
        "registrations/<str:public_id>/answers/",
        registration.registration_answers,
        name="registration_answers",
    ),
    path("answers/<str:public_id>/", registration.answer_file, name="answer_file"),
    path(
        "registrations/<str:public_id>/cancel/",
        registration.registration_cancel,
        name="registration_cancel",
    ),
    path(
        "registrations/<str:public_id>/naming/",
        registration.registration_naming,
        name="registration_naming",
    ),
    path(
        "registrations/<str:public_id>/accept/",
        registration.registration_accept,
        name="registration_accept",
    ),
    path(
        "registrations/<str:public_id>/give-back/",
        registration.registration_give_back,
        name="registration_give_back",
    ),
    path(
        "registrations/answer/<str:link>/",
        registration.registration_answer,
        name="registration_answer",
    ),
    path(
        "registrations/<str:public_id>/decide/",
        guests.registration_decide,
        name="registration_decide",
    ),
    path("programmes/new/", programmes.programme_create, name="programme_create"),
    path("programmes/<str:public_id>/", programmes.programme_detail, name="programme_detail"),
    path("programmes/<str:public_id>/edit/", programmes.programme_edit, name="programme_edit"),
    path("programmes/<str:public_id>/series/", programmes.series_create, name="series_create"),
    path("series/", programmes.series_list, name="series_list"),
    path("series/<str:public_id>/", programmes.series_detail, name="series_detail"),
    path("series/<str:public_id>/edit/", programmes.series_edit, name="series_edit"),
    path("series/<str:public_id>/events/", programmes.series_events, name="series_events"),
    path("series/<str:public_id>/counties/", programmes.series_counties, name="series_counties"),
    path(
        "series/<str:public_id>/participants/",
        programmes.series_participants,
        name="series_participants",
    ),
]
