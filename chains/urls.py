from __future__ import annotations

from django.urls import URLPattern, path

from chains import permissions
from chains.views import (
    accounts,
    capabilities,
    capability_photos,
    consents,
    enterprises,
    groups,
    imports,
    invitations,
    mailboxes,
    moderation,
    provinces,
    reports,
    requirement_files,
    requirement_import,
    requirements,
    roles,
    titles,
    tokens,
)

app_name = "chains"


def pages(desk: permissions.Desk) -> list[URLPattern]:
    """All addresses of the register. Whose desk a case lies on is known to the packages above as well: they say."""
    to = {"desk": desk}
    return [
        path("join/", accounts.enterprise_join, name="enterprise_join"),
        path("join/new/", accounts.enterprise_register, name="enterprise_register"),
        path("join/names/", accounts.name_check, name="name_check"),
        path(
            "join/invited/<str:public_id>/",
            invitations.invitation_answer,
            name="invitation_answer",
        ),
        path(
            "my/enterprises/<str:public_id>/members/invite/",
            invitations.member_invite,
            name="member_invite",
        ),
        path(
            "my/invitations/<str:public_id>/withdraw/",
            invitations.invitation_withdraw,
            name="invitation_withdraw",
        ),
        path(
            "requirements/<str:public_id>/report/",
            reports.report_send,
            {"thing": "requirement"},
            name="requirement_report",
        ),
        path(
            "capabilities/<str:public_id>/report/",
            reports.report_send,
            {"thing": "capability"},
            name="capability_report",
        ),
        path(
            "enterprises/<str:public_id>/report/",
            reports.report_send,
            {"thing": "enterprise"},
            name="enterprise_report",
        ),
        path(
            "desk/reports/<str:public_id>/",
            reports.report_decide,
            to,
            name="report_decide",
        ),
        path(
            "my/requirements/<str:public_id>/files/",
            requirement_files.requirement_file_list,
            name="requirement_file_list",
        ),
        path("join/<str:public_id>/request/", accounts.join_request, name="join_request"),
        path("notifications/", accounts.notification_list, name="notification_list"),
        path("imports/", imports.import_list, name="import_list"),
        path("imports/<str:public_id>/", imports.import_detail, name="import_detail"),
        path("imports/<str:public_id>/rows.xlsx", imports.import_rows, name="import_rows"),
        path("imports/templates/<str:kind>.xlsx", imports.import_template, name="import_template"),
        path("my/consents/give/", consents.consent_give, name="consent_give"),
        path("my/consents/withdraw/", consents.consent_withdraw, name="consent_withdraw"),
        path("my/mailbox/restore/", mailboxes.mailbox_restore, name="mailbox_restore"),
        path("my/token/", tokens.api_token, name="api_token"),
        path("my/token/revoke/", tokens.api_token_revoke, name="api_token_revoke"),
        path("provinces/<str:public_id>/logo", provinces.province_logo, name="province_logo"),
        path(
            "provinces/<str:public_id>/style.css", provinces.province_style, name="province_style"
        ),
        path("regions/", enterprises.region_search, name="region_search"),
        path(
            "evidence/<str:public_id>/", enterprises.evidence_download, to, name="evidence_download"
        ),
        path(
            "my/enterprises/<str:public_id>/", accounts.enterprise_status, name="enterprise_status"
        ),
        path(
            "my/enterprises/<str:public_id>/edit/",
            enterprises.enterprise_edit,
            name="enterprise_edit",
        ),
        path("my/enterprises/<str:public_id>/members/", accounts.member_list, name="member_list"),
        path(
            "my/enterprises/<str:public_id>/group/",
            groups.enterprise_group,
            name="enterprise_group",
        ),
        path(
            "my/enterprises/<str:public_id>/contacts/",
            enterprises.contact_edit,
            name="contact_edit",
        ),
        path(
            "my/enterprises/<str:public_id>/qualifications/",
            enterprises.qualification_claim,
            name="qualification_claim",
        ),
        path(
            "my/enterprises/<str:public_id>/titles.<str:extension>",
            accounts.proof_export,
            name="proof_export",
        ),
        path(
            "my/enterprises/<str:public_id>/certificates/",
            enterprises.certification_claim,
            name="certification_claim",
        ),
        path(
            "my/enterprises/<str:public_id>/capabilities/new/",
            capabilities.capability_create,
            name="capability_create",
        ),
        path(
            "my/enterprises/<str:public_id>/capabilities.<str:extension>",
            capabilities.capability_export,
            name="capability_export",
        ),
        path(
            "memberships/<str:public_id>/", accounts.membership_decide, to, name="membership_decide"
        ),
        path(
            "my/capabilities/<str:public_id>/", capabilities.capability_edit, name="capability_edit"
        ),
        path(
            "my/capabilities/<str:public_id>/withdraw/",
            capabilities.capability_withdraw,
            name="capability_withdraw",
        ),
        path(
            "my/capabilities/<str:public_id>/photos/",
            capability_photos.capability_photo_list,
            name="capability_photo_list",
        ),
        path(
            "photos/<str:public_id>/<str:version>/",
            capability_photos.capability_photo,
            name="capability_photo",
        ),
        path("my/requirements/new/", requirements.requirement_create, name="requirement_create"),
        path("my/requirements/rows/", requirements.requirement_row, name="requirement_row"),
        path(
            "my/requirements/import/",
            requirement_import.requirement_import,
            name="requirement_import",
        ),
        path(
            "my/requirements/template.xlsx",
            requirement_import.requirement_template,
            name="requirement_template",
        ),
        path(
            "my/requirements/<str:public_id>/edit/",
            requirements.requirement_edit,
            name="requirement_edit",
        ),
        path(
            "my/requirements/<str:public_id>/submit/",
            requirements.requirement_submit,
            name="requirement_submit",
        ),
        path(
            "my/requirements/<str:public_id>/close/",
            requirements.requirement_close,
            name="requirement_close",
        ),
        path(
            "my/requirements/<str:public_id>/delete/",
            requirements.requirement_delete,
            name="requirement_delete",
        ),
        path(
            "my/requirements/<str:public_id>/copy/",
            requirements.requirement_copy,
            name="requirement_copy",
        ),
        path(
            "my/requirements/<str:public_id>/history/",
            requirements.requirement_history,
            to,
            name="requirement_history",
        ),
        path(
            "desk/enterprises/<str:public_id>/",
            enterprises.enterprise_case,
            to,
            name="enterprise_case",
        ),
        path("desk/roles/", roles.role_list, name="role_list"),
        path("desk/titles/", titles.title_list_page, to, name="title_list"),
        path("desk/titles/misfits.<str:extension>", titles.title_misfits, name="title_misfits"),
        path("desk/roles/<str:public_id>/end/", roles.role_end, name="role_end"),
        path("desk/proofs/<str:public_id>/", enterprises.proof_decide, to, name="proof_decide"),
        path(
            "desk/requirements/<str:public_id>/",
            moderation.moderation_case,
            to,
            name="moderation_case",
        ),
    ]
