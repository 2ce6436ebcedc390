from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from matchmaking.api import (
    alerts,
    base,
    bounces,
    capabilities,
    description,
    enterprises,
    events,
    groups,
    imports,
    interests,
    matches,
    members,
    notices,
    programmes,
    projects,
    proofs,
    reference,
    registrations,
    reports,
    requirements,
    runs,
    tokens,
    weightings,
)

router = SimpleRouter()
for prefix, viewset in {
    "chains": reference.ChainViewSet,
    "segments": reference.SegmentViewSet,
    "categories": reference.CategoryViewSet,
    "regions": reference.RegionViewSet,
    "units": reference.UnitViewSet,
    "docking-kinds": reference.DockingKindViewSet,
    "cooperation-kinds": reference.CooperationKindViewSet,
    "qualification-kinds": reference.QualificationKindViewSet,
    "certification-kinds": reference.CertificationKindViewSet,
    "participant-kinds": reference.ParticipantKindViewSet,
    "event-levels": reference.EventLevelViewSet,
    "enterprises": enterprises.EnterpriseViewSet,
    "memberships": members.MembershipViewSet,
    "member-invitations": members.MemberInvitationViewSet,
    "mandates": members.MandateViewSet,
    "group-proposals": groups.GroupProposalViewSet,
    "evidence": proofs.EvidenceViewSet,
    "qualifications": proofs.QualificationViewSet,
    "certifications": proofs.CertificationViewSet,
    "title-lists": proofs.TitleListViewSet,
    "capabilities": capabilities.CapabilityViewSet,
    "projects": projects.ProjectViewSet,
    "requirements": requirements.RequirementViewSet,
    "events": events.EventViewSet,
    "programmes": programmes.ProgrammeViewSet,
    "series": programmes.SeriesViewSet,
    "registrations": registrations.RegistrationViewSet,
    "matches": matches.MatchViewSet,
    "interests": interests.InterestViewSet,
    "runs": runs.RunViewSet,
    "weightings": weightings.WeightingViewSet,
    "imports": imports.ImportViewSet,
    "searches": alerts.SavedSearchViewSet,
    "topics": alerts.TopicViewSet,
    "notices": notices.NoticeViewSet,
    "reports": reports.ReportViewSet,
}.items():
    router.register(prefix, viewset, basename=f"api-{prefix}")

urlpatterns = [
    path("v1/", include(router.urls)),
    path("v1/bounces/", bounces.BounceView.as_view(), name="api-bounces"),
    path("v1/token/", tokens.TokenView.as_view(), name="api-token"),
    # With its last slash only, so that an address that lacks it is still led to the one that has it.
    re_path(r"^v1/(?:.*/)?$", base.Nowhere.as_view(), name="api-nowhere"),
    path("schema/", login_not_required(description.DescriptionView.as_view()), name="api-schema"),
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
