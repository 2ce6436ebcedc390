from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from matchmaking.api import alerts, imports, views

router = SimpleRouter()
for prefix, viewset in {
    "chains": views.ChainViewSet,
    "segments": views.SegmentViewSet,
    "categories": views.CategoryViewSet,
    "regions": views.RegionViewSet,
    "units": views.UnitViewSet,
    "docking-kinds": views.DockingKindViewSet,
    "cooperation-kinds": views.CooperationKindViewSet,
    "qualification-kinds": views.QualificationKindViewSet,
    "certification-kinds": views.CertificationKindViewSet,
    "participant-kinds": views.ParticipantKindViewSet,
    "event-levels": views.EventLevelViewSet,
    "enterprises": views.EnterpriseViewSet,
    "capabilities": views.CapabilityViewSet,
    "requirements": views.RequirementViewSet,
    "events": views.EventViewSet,
    "programmes": views.ProgrammeViewSet,
    "series": views.SeriesViewSet,
    "registrations": views.RegistrationViewSet,
    "matches": views.MatchViewSet,
    "interests": views.InterestViewSet,
    "runs": views.RunViewSet,
    "imports": imports.ImportViewSet,
    "searches": alerts.SavedSearchViewSet,
}.items():
    router.register(prefix, viewset, basename=f"api-{prefix}")

urlpatterns = [
    path("v1/", include(router.urls)),
    # With its last slash only, so that an address that lacks it is still led to the one that has it.
    re_path(r"^v1/(?:.*/)?$", views.Nowhere.as_view(), name="api-nowhere"),
    path("schema/", login_not_required(SpectacularAPIView.as_view()), name="api-schema"),
    # Swagger's start script as a file of its own: the policy allows no inline script.
    path(
        "docs/",
        login_not_required(
            SpectacularSwaggerSplitView.as_view(
                url_name="api-schema", template_name="matchmaking/api_docs.html"
            )
        ),
        name="api-docs",
    ),
]
