"""The administrator's workshop: reference data, provinces, roles. Enterprises are decided at the desk."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from chains import permissions, spreadsheets
from chains.errors import DomainError
from chains.models import (
    AuditEntry,
    Capability,
    CapabilityPhoto,
    CapabilityReference,
    Category,
    Certification,
    CertificationKind,
    Chain,
    Change,
    Cluster,
    Consent,
    Contact,
    CooperationKind,
    DockingDirection,
    DockingKind,
    Enterprise,
    EnterpriseGroup,
    GroupProposal,
    Mandate,
    MemberInvitation,
    Membership,
    Notification,
    OrganiserRole,
    ParticipantKind,
    Province,
    Qualification,
    QualificationKind,
    Region,
    RegionGroup,
    Report,
    Requirement,
    RequirementFile,
    Segment,
    SegmentLink,
    Unit,
    User,
)
from chains.services import accounts, reference, tokens

admin.site.site_header = _("ChainDock administration")
admin.site.site_title = _("ChainDock administration")
admin.site.index_title = _("Reference data, provinces and roles")


def keep_own_pages() -> None:
    """Take away what installed packages register: their pages show addresses and tokens in full, and

    groups grant nothing here. Called once all packages have registered.
    """
    for model in [*admin.site._registry]:  # noqa: SLF001 -- the site lists them nowhere else
        if model._meta.app_label not in ("chains", "events", "matchmaking"):
            admin.site.unregister(model)


def mask(text: str) -> str:
    """Enough to recognise what one knows already, nothing to read: "p•••3", "a•••@example.com"."""
    if not text:
        return ""
    name, at, host = text.partition("@")
    return f"{name[:1]}•••{at}{host}" if at else f"{text[:1]}•••{text[-1:]}"


class AdministratorOnly(ModelAdmin):  # type: ignore[type-arg]
    """Whoever is an administrator may do here what the page offers; Django's own permissions are unused."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_administrator(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_administrator(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_administrator(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_administrator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # rows are retired by "is active", never deleted

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None  # the trail of this project is written by the services

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None


class Recorded(AdministratorOnly):
    """What is saved here stands on the trail and in the feed like every other fact."""

    def save_model(
        self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        assert isinstance(request.user, User)
        reference.saved(row=obj, by=request.user, is_new=not change)


class ReadOnly(AdministratorOnly):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _is_administrator(request: HttpRequest) -> bool:
    return permissions.is_signed_in(request.user) and request.user.is_administrator


# --- Reference data -----------------------------------------------------------------------------------


class WordsField(forms.CharField):
    """A list of words as people type it: a line each, or with commas of either script between them."""

    widget = forms.Textarea(attrs={"rows": 3})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False, help_text=_("One a line, or with commas between them"), **kwargs
        )

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        words = re.split(r"[\n,，、;；]", super().clean(value) or "")
        return list(dict.fromkeys(word.strip() for word in words if word.strip()))


class ReferenceAdmin(Recorded):
    list_display: Any = ("code", "name_zh", "name_en", "is_active")
    list_filter: ClassVar[Any] = ("is_active",)
    search_fields: ClassVar[Any] = ("code", "name_zh", "name_en")
    ordering: ClassVar[Any] = ("order", "code")
    words = ("synonyms_zh", "synonyms_en", "standards", "counted_as", "counterparts")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # Others refer to the code, in files and in addresses.
        return ("code",) if obj is not None else ()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.words:
            return WordsField(label=db_field.verbose_name)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


for kind in (
    Unit,
    ParticipantKind,
    DockingDirection,
    DockingKind,
    CooperationKind,
    QualificationKind,
    CertificationKind,
    RegionGroup,
):
    admin.site.register(kind, ReferenceAdmin)


@admin.register(Chain)
class ChainAdmin(ReferenceAdmin):
    list_display = ("code", "name_zh", "name_en", "kind", "province", "is_active")
    list_filter = ("kind", "is_active")
    list_select_related = ("province",)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "province":
            kwargs["queryset"] = Region.objects.provinces()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Cluster)
class ClusterAdmin(ReferenceAdmin):
    list_display = ("code", "name_zh", "name_en", "region", "chain", "is_active")
    list_select_related = ("region", "chain")
    autocomplete_fields = ("region",)


class _LinkInline(admin.TabularInline):  # type: ignore[type-arg]
    model = SegmentLink
    extra = 1

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_administrator(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_administrator(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_administrator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_administrator(request)


class FeedsInline(_LinkInline):
    fk_name = "source"
    verbose_name_plural = _("feeds")


class FedByInline(_LinkInline):
    fk_name = "target"
    verbose_name_plural = _("is fed by")


@admin.register(Segment)
class SegmentAdmin(ReferenceAdmin):
    list_display = ("code", "name_zh", "name_en", "chain", "position", "is_active")
    list_filter = ("chain", "position", "is_active")
    list_select_related = ("chain",)
    inlines = (FeedsInline, FedByInline)


class CategoryForm(ModelForm):  # type: ignore[type-arg]
    """The level follows from the category above; a leaf needs its segment, the others have none."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        parent = data.get("parent")
        level = parent.level + 1 if parent is not None else 1
        if level > Category.LEAF:
            self.add_error("parent", _("Categories have three levels: choose one of the second."))
        elif level == Category.LEAF and data.get("segment") is None:
            self.add_error("segment", _("A category of the third level stands in a segment."))
        elif level < Category.LEAF and data.get("segment") is not None:
            self.add_error("segment", _("Only categories of the third level have a segment."))
        self.instance.level = level
        return data


@admin.register(Category)
class CategoryAdmin(ReferenceAdmin):
    form = CategoryForm
    exclude = ("level",)
    list_display = ("code", "name_zh", "name_en", "level", "chain", "segment", "is_active")
    list_filter = ("level", "chain", "is_active")
    list_select_related = ("chain", "segment")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "parent":
            kwargs["queryset"] = Category.objects.filter(level__lt=Category.LEAF)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Region)
class RegionAdmin(ReadOnly):
    """Official codes are shipped with the register and read anew with it."""

    list_display = ("code", "name_zh", "name_en", "level", "parent", "is_active")
    list_filter = ("level",)
    list_select_related = ("parent",)
    search_fields = ("code", "name_zh", "name_en")
    exclude = ("search_text",)


LOGO_MAX_BYTES = 100 * 1024


class ProvinceForm(ModelForm):  # type: ignore[type-arg]
    picture = forms.FileField(
        label=_("Logo"),
        required=False,
        help_text=_("PNG or JPEG, at most 100 KB; shown 40 pixels high. Leave empty to keep it."),
    )
    no_picture = forms.BooleanField(label=_("Take the logo away"), required=False)

    class Meta:
        model = Province
        fields = (
            "region",
            "name_zh",
            "name_en",
            "verification_days",
            "holidays",
            "gap_public",
            "colour",
        )

    def clean_picture(self) -> Any:
        upload = self.cleaned_data["picture"]
        if upload:
            try:
                spreadsheets.check_document(
                    upload, max_bytes=LOGO_MAX_BYTES, allowed=("png", "jpeg")
                )
            except DomainError as error:
                raise forms.ValidationError(str(error)) from error
        return upload

    def save(self, commit: bool = True) -> Province:
        if self.cleaned_data["no_picture"]:
            self.instance.logo = None
        if upload := self.cleaned_data["picture"]:
            self.instance.logo = upload.read()
        saved: Province = super().save(commit)
        return saved


@admin.register(Province)
class ProvinceAdmin(Recorded):
    form = ProvinceForm
    list_display = ("name_zh", "name_en", "verification_days", "gap_public", "colour")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "holidays":
            field = super().formfield_for_dbfield(db_field, request, **kwargs)
            if field is not None:
                field.help_text = _("Days such as 2026-10-01, with commas between them")
            return field
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = Region.objects.provinces()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


# --- People and bodies --------------------------------------------------------------------------------


@admin.register(User)
class UserAdmin(AdministratorOnly):
    """Accounts without their owners: the address is masked, the rest is not personal."""

    list_display = ("public_id", "address", "language", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_active")
    search_fields = ("public_id", "=email")
    fields = ("public_id", "address", "language", "is_staff", "is_active", "date_joined")
    readonly_fields = ("public_id", "address", "language", "date_joined")
    actions = ("revoke_tokens", "reset_second_steps")

    @admin.action(description=_("Revoke the API token"))
    def revoke_tokens(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        assert isinstance(request.user, User)
        revoked = 0
        for user in queryset.filter(auth_token__isnull=False):
            with suppress(DomainError):  # revoked by its person meanwhile
                tokens.revoke(user=user, by=request.user)
                revoked += 1
        text = ngettext("%(count)d token revoked.", "%(count)d tokens revoked.", revoked)
        self.message_user(request, text % {"count": revoked})

    @admin.action(description=_("Remove the second step (telephone lost)"))
    def reset_second_steps(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """One at a time: who asks has to be known."""
        assert isinstance(request.user, User)
        user = queryset.first()
        if user is None or queryset.count() != 1:
            self.message_user(request, _("Choose exactly one."), messages.WARNING)
            return
        try:
            accounts.reset_second_step(user=user, by=request.user)
        except DomainError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, _("Removed. The person is told by mail."))

    @admin.display(description=_("e-mail"))
    def address(self, user: User) -> str:
        return mask(user.email)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        assert isinstance(request.user, User)
        reference.saved(row=obj, by=request.user, is_new=False)


@admin.register(OrganiserRole)
class OrganiserRoleAdmin(AdministratorOnly):
    list_display = ("account", "body", "region", "role", "valid_until_on")
    list_filter = ("role",)
    list_select_related = ("user", "body", "region")
    fields = ("user", "body", "region", "role", "valid_until_on")
    raw_id_fields = ("user", "body", "region")
    actions = ("end",)

    @admin.action(description=_("End from today"))
    def end(self, request: HttpRequest, queryset: QuerySet[OrganiserRole]) -> None:
        assert isinstance(request.user, User)
        for granted in queryset:
            accounts.end_role(granted=granted, by=request.user)
        self.message_user(request, _("Ended."))

    @admin.display(description=_("account"))
    def account(self, role: OrganiserRole) -> str:
        return mask(role.user.email)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # Another person or region is another role; this one is ended by its last day.
        return ("user", "body", "region", "role") if obj is not None else ()

    def save_model(
        self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool
    ) -> None:
        assert isinstance(request.user, User)
        granted = accounts.grant_role(
            user=obj.user,
            body=obj.body,
            region=obj.region,
            role=obj.role,
            valid_until_on=obj.valid_until_on,
            by=request.user,
        )
        obj.pk = granted.pk

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # fmt: skip
        return super().get_form(request, obj, change, form=RoleForm, **kwargs)


class RoleForm(ModelForm):  # type: ignore[type-arg]
    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        body = data.get("body")
        if body is not None and body.kind_id not in ("government", "association"):
            self.add_error("body", _("Only an authority or an association has organisers."))
        return data


@admin.register(Enterprise)
class EnterpriseAdmin(ReadOnly):
    list_display = ("name", "kind", "status", "region", "case")
    list_filter = ("status", "kind")
    list_select_related = ("kind", "region")
    search_fields = ("=public_id", "=number", "name", "name_en")
    fields = ("public_id", "name", "name_en", "kind", "scheme", "country", "number", "region", "status", "group", "case")  # fmt: skip
    actions = ("merge",)

    @admin.action(description=_("Merge two of them into one"))
    def merge(
        self, request: HttpRequest, queryset: QuerySet[Enterprise]
    ) -> HttpResponseRedirect | None:
        """Leads to the page that shows what would move; which of the two stays is chosen there."""
        chosen = list(queryset.order_by("-pk")[:3])
        if len(chosen) != 2:
            self.message_user(request, _("Choose exactly two."), messages.WARNING)
            return None
        newer, older = chosen
        address = reverse("matchmaking:enterprise_merge", args=[newer.public_id])
        return HttpResponseRedirect(f"{address}?{urlencode({'into': older.public_id})}")

    @admin.display(description=_("case"))
    def case(self, enterprise: Enterprise) -> SafeString:
        address = reverse("chains:enterprise_case", args=[enterprise.public_id])
        return format_html('<a href="{}">{}</a>', address, enterprise.public_id)


@admin.register(EnterpriseGroup)
class EnterpriseGroupAdmin(Recorded):
    list_display = ("name", "affiliates")
    search_fields = ("name",)
    readonly_fields = ("affiliates",)

    @admin.display(description=_("affiliates"))
    def affiliates(self, group: EnterpriseGroup) -> str:
        return " · ".join(group.members.order_by("pk").values_list("name", flat=True)[:50])


@admin.register(GroupProposal)
class GroupProposalAdmin(ReadOnly):
    """Between the two enterprises: the administrator looks on."""

    list_display = ("public_id", "proposer", "partner", "name", "status", "created_at")
    list_filter = ("status",)
    list_select_related = ("proposer", "partner")
    fields = ("public_id", "proposer", "partner", "name", "status", "created_at")
    ordering = ("-pk",)


@admin.register(MemberInvitation)
class MemberInvitationAdmin(ReadOnly):
    """That somebody was asked; the address is masked."""

    list_display = ("public_id", "enterprise", "address", "role", "status", "expires_on")
    list_filter = ("status",)
    list_select_related = ("enterprise",)
    fields = ("public_id", "enterprise", "address", "role", "status", "expires_on")
    ordering = ("-pk",)

    @admin.display(description=_("e-mail"))
    def address(self, invitation: MemberInvitation) -> str:
        return mask(invitation.email)


@admin.register(Membership)
class MembershipAdmin(ReadOnly):
    """Who acts for whom; where no owner is left, the case of the enterprise names one."""

    list_display = ("public_id", "account", "enterprise", "role", "status", "created_at")
    list_filter = ("status", "role")
    list_select_related = ("user", "enterprise")
    search_fields = ("=public_id", "=enterprise__public_id", "=enterprise__number")
    fields = ("public_id", "account", "enterprise", "role", "status", "created_at", "case")
    ordering = ("-pk",)

    @admin.display(description=_("account"))
    def account(self, membership: Membership) -> str:
        return mask(membership.user.email)

    @admin.display(description=_("case"))
    def case(self, membership: Membership) -> SafeString:
        enterprise = membership.enterprise.public_id
        address = reverse("chains:enterprise_case", args=[enterprise])
        return format_html('<a href="{}">{}</a>', address, enterprise)


@admin.register(Consent)
class ConsentAdmin(ReadOnly):
    """What was agreed to and when it was withdrawn; the person's own verbs."""

    list_display = ("public_id", "account", "purpose", "version", "created_at", "withdrawn_at")
    list_filter = ("purpose", "version")
    list_select_related = ("user",)
    fields = ("public_id", "account", "purpose", "recipient", "version", "created_at", "withdrawn_at")  # fmt: skip
    ordering = ("-pk",)

    @admin.display(description=_("account"))
    def account(self, consent: Consent) -> str:
        return mask(consent.user.email)


class ProofAdmin(ReadOnly):
    """What an enterprise holds; decided at the desk, which reads the papers."""

    list_display = ("public_id", "enterprise", "kind", "status", "valid_from", "valid_until_on", "case")  # fmt: skip
    list_filter = ("status", "kind")
    list_select_related = ("enterprise", "kind")
    search_fields = ("=public_id", "=enterprise__public_id", "=enterprise__number")
    exclude = ("evidence", "reason", "reminded_at")
    readonly_fields = ("public_id", "case")
    ordering = ("-pk",)

    @admin.display(description=_("case"))
    def case(self, proof: Qualification | Certification) -> SafeString:
        address = reverse("chains:proof_decide", args=[proof.public_id])
        return format_html('<a href="{}">{}</a>', address, proof.public_id)


admin.site.register([Qualification, Certification], ProofAdmin)


@admin.register(Requirement)
class RequirementAdmin(ReadOnly):
    """What was handed in, and how it ended; drafts are their owner's."""

    list_display = ("public_id", "title", "enterprise", "status", "published_at", "closes_on", "case")  # fmt: skip
    list_filter = ("status", "docking_kind")
    list_select_related = ("enterprise",)
    search_fields = ("=public_id", "title", "=enterprise__public_id", "=enterprise__number")
    fields = (
        "public_id",
        "title",
        "enterprise",
        "posted_by",
        "docking_kind",
        "status",
        "submitted_at",
        "approved_at",
        "embargoed_until",
        "published_at",
        "closes_on",
        "answer_by_on",
        "closed_at",
        "close_reason",
        "contact_policy",
        "case",
    )
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Requirement]:
        return super().get_queryset(request).exclude(status=Requirement.Status.DRAFT)

    @admin.display(description=_("case"))
    def case(self, requirement: Requirement) -> SafeString:
        address = reverse("chains:moderation_case", args=[requirement.public_id])
        return format_html('<a href="{}">{}</a>', address, requirement.public_id)


@admin.register(Mandate)
class MandateAdmin(ReadOnly):
    list_display = ("public_id", "association", "member", "status", "created_at")
    list_filter = ("status",)
    list_select_related = ("association", "member")
    fields = ("public_id", "association", "member", "status", "created_at")
    ordering = ("-pk",)


@admin.register(Report)
class ReportAdmin(ReadOnly):
    """What was reported and what its desk said, never by whom; decided at the desk."""

    list_display = (
        "public_id",
        "reason",
        "requirement",
        "enterprise",
        "capability",
        "status",
        "case",
    )
    list_filter = ("status", "reason")
    list_select_related = ("requirement", "enterprise", "capability")
    fields = ("public_id", "reason", "requirement", "enterprise", "capability", "status", "answer", "decided_at", "case")  # fmt: skip
    ordering = ("-pk",)

    @admin.display(description=_("case"))
    def case(self, report: Report) -> SafeString:
        address = reverse("chains:report_decide", args=[report.public_id])
        return format_html('<a href="{}">{}</a>', address, report.public_id)


@admin.register(RequirementFile)
class RequirementFileAdmin(ReadOnly):
    """That there are files and whom their owners let open them; neither their names nor their content."""

    list_display = ("public_id", "requirement", "content_type", "size", "visibility", "removed_at")
    list_filter = ("visibility",)
    list_select_related = ("requirement",)
    fields = ("public_id", "requirement", "content_type", "size", "sha256", "visibility", "removed_at")  # fmt: skip
    ordering = ("-pk",)


class _PublishedInline(admin.TabularInline):  # type: ignore[type-arg]
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_administrator(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class _ReferenceInline(_PublishedInline):
    model = CapabilityReference
    fields = readonly_fields = ("order", "text", "customer", "year", "place")


class _PhotoInline(_PublishedInline):
    model = CapabilityPhoto
    fields = readonly_fields = ("public_id", "caption", "content_type", "size", "width", "height")


@admin.register(Capability)
class CapabilityAdmin(ReadOnly):
    """What is published, with its references and photos; drafts are their owner's."""

    list_display = ("title_zh", "title_en", "enterprise", "status", "published_at")
    list_filter = ("status",)
    list_select_related = ("enterprise",)
    search_fields = ("=public_id", "title_zh", "title_en")
    fields = ("public_id", "enterprise", "title_zh", "title_en", "text_zh", "text_en", "status", "published_at")  # fmt: skip
    inlines = (_ReferenceInline, _PhotoInline)
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Capability]:
        return super().get_queryset(request).exclude(status=Capability.Status.DRAFT)


@admin.register(Contact)
class ContactAdmin(ReadOnly):
    """That there are contacts, never what stands in them."""

    list_display = ("public_id", "enterprise", "masked_name", "masked_phone", "masked_email", "is_active")  # fmt: skip
    list_select_related = ("enterprise",)
    fields = ("public_id", "enterprise", "masked_name", "masked_phone", "masked_email", "masked_wechat", "is_active")  # fmt: skip

    @admin.display(description=_("name"))
    def masked_name(self, contact: Contact) -> str:
        return mask(contact.name)

    @admin.display(description=_("phone"))
    def masked_phone(self, contact: Contact) -> str:
        return mask(contact.phone)

    @admin.display(description=_("e-mail"))
    def masked_email(self, contact: Contact) -> str:
        return mask(contact.email)

    @admin.display(description=_("WeChat"))
    def masked_wechat(self, contact: Contact) -> str:
        return mask(contact.wechat)


# --- What happened ------------------------------------------------------------------------------------


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ("at", "actor", "action", "target")
    list_filter = ("action",)
    search_fields = ("=target", "=action")
    ordering = ("-pk",)
    show_full_result_count = False


@admin.register(Change)
class ChangeAdmin(ReadOnly):
    list_display = ("at", "noun", "target", "verb", "transaction")
    list_filter = ("noun",)
    ordering = ("-pk",)
    show_full_result_count = False


@admin.register(Notification)
class NotificationAdmin(ReadOnly):
    list_display = ("created_at", "kind", "channel", "status", "attempts", "due_at", "error")
    list_filter = ("status", "channel", "kind")
    fields = ("public_id", "kind", "channel", "status", "attempts", "due_at", "sent_at", "error")
    ordering = ("-pk",)
    show_full_result_count = False
