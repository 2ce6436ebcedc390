from __future__ import annotations

from django.urls import path

from events.views import guests, listing, organise, public, registration

app_name = "events"

urlpatterns = [
    path("events/", public.event_list, name="event_list"),
    path("events/new/", organise.event_create, name="event_create"),
    path("events/<str:public_id>/", public.event_detail, name="event_detail"),
    path("events/<str:public_id>/register/", registration.register, name="register"),
    path("events/<str:public_id>/edit/", organise.event_edit, name="event_edit"),
    path("events/<str:public_id>/publish/", organise.event_publish, name="event_publish"),
    path("events/<str:public_id>/cancel/", organise.event_cancel, name="event_cancel"),
    path("events/<str:public_id>/overview/", organise.event_overview, name="event_overview"),
    path("events/<str:public_id>/guests/", guests.guest_list, name="guest_list"),
    path("events/<str:public_id>/list/", listing.event_listing, name="event_listing"),
    path(
        "registrations/<str:public_id>/delegates/", registration.delegate_list, name="delegate_list"
    ),
    path(
        "registrations/<str:public_id>/cancel/",
        registration.registration_cancel,
        name="registration_cancel",
    ),
    path(
        "registrations/<str:public_id>/decide/",
        guests.registration_decide,
        name="registration_decide",
    ),
    path("series/", public.series_list, name="series_list"),
    path("series/<str:public_id>/", public.series_detail, name="series_detail"),
]
