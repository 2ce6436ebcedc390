from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from chains.models.base import Language, TimeStamped, new_public_id
from chains.prepared import Prepared

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from chains.models.enterprises import Enterprise
    from chains.models.regions import Region
    from chains.models.requirements import Requirement


class UserManager(BaseUserManager["User"]):
    def get(self, *args: Any, **asked: Any) -> User:
        """By the number alone, as Django asks on each request for who has signed in: written down once (ADR 26)."""
        # The other end of a relation has a class of its own, and looks among fewer.
        is_among_all = type(self) is UserManager
        if args or list(asked) != ["pk"] or not (is_among_all and isinstance(asked["pk"], int)):
            return super().get(*args, **asked)
        user = _BY_NUMBER.first(asked["pk"])
        if user is None:
            raise User.DoesNotExist
        return user

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def editors_of(self, enterprises: Iterable[int | None]) -> models.QuerySet[User]:
        """Whom news about the enterprises concerns: their owners and editors, each once."""
        members = Membership.objects.active().filter(
            enterprise__in=[pk for pk in enterprises if pk is not None],
            role__in=[Membership.Role.OWNER, Membership.Role.EDITOR],
        )
        return self.filter(pk__in=members.values("user"), is_active=True).order_by("pk")

    def editors_by_enterprise(self, enterprises: Iterable[int]) -> dict[int, list[User]]:
        """The same for many at once, told apart."""
        members = Membership.objects.active().filter(
            enterprise__in=list(enterprises),
            role__in=[Membership.Role.OWNER, Membership.Role.EDITOR],
            user__is_active=True,
        )
        found: dict[int, list[User]] = {}
        for member in members.select_related("user").order_by("user"):
            found.setdefault(member.enterprise_id, []).append(member.user)
        return found

    def who_act_on(self, requirement: Requirement) -> models.QuerySet[User]:
        """Whom news about a requirement concerns: those of its enterprise, and of the association that posted it as
        long as its mandate lasts."""
        bodies: list[int | None] = [requirement.enterprise_id]
        mandate = Mandate.objects.active().filter(
            association=requirement.posted_by_id, member=requirement.enterprise_id
        )
        if requirement.posted_by_id is not None and mandate.exists():
            bodies.append(requirement.posted_by_id)
        return self.editors_of(bodies)

    def at_address(self, address: str) -> models.QuerySet[User]:
        """Whose account has this address, whatever the case: one at most.

        Compared in lower case, as the constraint does it. In upper case a dotless ı is an I, and the owner of a domain
        that only looks alike is somebody else.
        """
        return self.alias(folded=Lower("email")).filter(folded=address.strip().lower())

    def get_by_natural_key(self, username: str | None) -> User:
        return self.at_address(username or "").get()


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. What they may do comes from memberships and roles, not from here."""

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    email = models.EmailField(_("e-mail"), unique=True)
    # For signing in only, never shown to anybody else; stands here once a code sent to it came back.
    phone = models.CharField(_("phone"), max_length=16, blank=True, default="", db_default="")
    language = models.CharField(
        max_length=2, choices=Language.choices, default=Language.ZH, verbose_name=_("language")
    )
    is_staff = models.BooleanField(default=False)  # the administrator
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_once_whatever_the_case"),
            models.UniqueConstraint(
                fields=["phone"], condition=~Q(phone=""), name="user_phone_once"
            ),
            models.CheckConstraint(
                condition=Q(erased_at=None)
                | Q(is_active=False, is_staff=False, phone="", email__endswith=".invalid"),
                name="user_erased_holds_nobody",
                violation_error_message=_("This account was erased; it stays empty."),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id  # never the address: this lands in logs

    # The three below are asked on every page; one query each per request, then kept. A handful of rows is put in
    # order here: it costs the ORM a quarter of the query to say so in SQL.
    @cached_property
    def active_memberships(self) -> list[Membership]:
        return sorted(_MEMBERSHIPS(self.pk), key=_by_age)

    @cached_property
    def active_roles(self) -> list[OrganiserRole]:
        return sorted(_ROLES(self.pk, timezone.localdate()), key=_by_age)

    @cached_property
    def enterprise_ids(self) -> frozenset[int]:
        """Enterprises the user is an active member of, whatever the role."""
        return frozenset(m.enterprise_id for m in self.active_memberships)

    @property
    def own_bodies(self) -> frozenset[int]:
        """Enterprises of which the user is a member and bodies the user works for: never the user's own case to decide."""
        return self.enterprise_ids | {role.body_id for role in self.active_roles}

    # As what the user works at events, once `events` has asked: kept as the three above.
    event_roles: frozenset[str] | None = None

    @cached_property
    def has_second_factor(self) -> bool:
        """An authenticator app or a key; recovery codes alone stand in for one that is lost."""
        keys: models.QuerySet[models.Model] = self.authenticator_set  # type: ignore[attr-defined]  # allauth's
        return keys.exclude(type="recovery_codes").exists()

    def forget_memberships(self) -> None:
        """After a service changed them: the next question asks the database again."""
        for name in ("active_memberships", "active_roles", "enterprise_ids", "event_roles"):
            self.__dict__.pop(name, None)

    @property
    def organiser_roles(self) -> list[OrganiserRole]:
        return [r for r in self.active_roles if r.role == OrganiserRole.Role.ORGANISER]

    @property
    def organiser_regions(self) -> list[Region]:
        return [r.region for r in self.organiser_roles]

    @property
    def is_organiser(self) -> bool:
        return bool(self.organiser_roles)

    @property
    def enterprise(self) -> Enterprise | None:
        """The enterprise whose pages "my …" means: the first one joined."""
        return self.active_memberships[0].enterprise if self.active_memberships else None

    @property
    def decides_for_others(self) -> bool:
        return self.is_administrator or self.is_organiser

    @property
    def is_administrator(self) -> bool:
        return self.is_staff and self.is_active


_BY_NUMBER = Prepared(lambda pk: User.objects.filter(pk=pk), int)
_MEMBERSHIPS = Prepared(
    lambda user: Membership.objects.active().filter(user=user).select_related("enterprise"), int
)
_ROLES = Prepared(
    lambda user, on: (
        OrganiserRole.objects.current(on).filter(user=user).select_related("region", "body")
    ),
    int,
    datetime.date,
)


def _by_age(row: models.Model) -> Any:
    return row.pk


def scope_of(user: User | AnonymousUser) -> list[Region]:
    """The regions of the user's organiser and analyst roles: what their desks look after."""
    return [role.region for role in getattr(user, "active_roles", ())]


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active(self) -> Self:
        return self.filter(status=Membership.Status.ACTIVE)

    def requested(self) -> Self:
        return self.filter(status=Membership.Status.REQUESTED)

    def acting_owners(self) -> Self:
        """Owners who can still sign in: whose account was closed answers nobody."""
        return self.active().filter(role=Membership.Role.OWNER, user__is_active=True)


class Membership(TimeStamped):
    class Role(models.TextChoices):
        OWNER = "owner", _("Owner")
        EDITOR = "editor", _("Editor")
        VIEWER = "viewer", _("Viewer")

    class Status(models.TextChoices):
        REQUESTED = "requested", _("Requested")
        ACTIVE = "active", _("Active")
        REFUSED = "refused", _("Refused")
        ENDED = "ended", _("Ended")

    user = models.ForeignKey("chains.User", models.PROTECT, related_name="memberships")
    enterprise = models.ForeignKey("chains.Enterprise", models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.EDITOR)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.REQUESTED)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "enterprise"],
                condition=Q(status__in=["requested", "active"]),
                name="membership_once_while_it_lasts",
            )
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def may_edit(self) -> bool:
        return self.role in (self.Role.OWNER, self.Role.EDITOR)


class MemberInvitationQuerySet(models.QuerySet["MemberInvitation"]):
    def open(self) -> Self:
        return self.filter(
            status=MemberInvitation.Status.SENT, expires_on__gte=timezone.localdate()
        )


class MemberInvitation(TimeStamped):
    """An owner asks somebody, who may have no account yet, to act for the enterprise."""

    class Status(models.TextChoices):
        SENT = "sent", _("Invited")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    enterprise = models.ForeignKey("chains.Enterprise", models.PROTECT, related_name="invited")
    # In lower case; empty once it is answered: nothing of a stranger is kept for longer than it is needed.
    email = models.EmailField(_("e-mail"), max_length=254, blank=True)
    role = models.CharField(
        _("role"), max_length=10, choices=Membership.Role.choices, default=Membership.Role.EDITOR
    )
    language = models.CharField(max_length=2, default="zh")
    invited_by = models.ForeignKey("chains.User", models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SENT)
    expires_on = models.DateField()
    # The row is its own outbox: the letter goes to an address without an account.
    letter_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = MemberInvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enterprise", "email"],
                condition=Q(status="sent"),
                name="member_invitation_once_while_it_lasts",
            )
        ]

    def __str__(self) -> str:
        return self.public_id


class OrganiserRoleQuerySet(models.QuerySet["OrganiserRole"]):
    def current(self, on: datetime.date | None = None) -> Self:
        on = on or timezone.localdate()
        return self.filter(Q(valid_until_on=None) | Q(valid_until_on__gte=on))

    def desks_of(self, enterprise: Enterprise) -> list[OrganiserRole]:
        """The organisers nearest up the region tree, those of the enterprise itself left out."""
        if enterprise.region is None:
            return []
        own = Membership.objects.active().filter(enterprise=enterprise).values("user")
        roles = list(
            self.current()
            .filter(role=OrganiserRole.Role.ORGANISER, region__code__in=enterprise.region.codes)
            .exclude(body=enterprise)
            .exclude(user__in=own)
            .select_related("region", "body", "user")
            .order_by("pk")
        )
        deepest = max((len(role.region.path) for role in roles), default=0)
        return [role for role in roles if len(role.region.path) == deepest]


class OrganiserRole(TimeStamped):
    """A person works for a public body or association in a region; the scope is the region's subtree."""

    class Role(models.TextChoices):
        ORGANISER = "organiser", _("Organiser")
        ANALYST = "analyst", _("Analyst")

    user = models.ForeignKey("chains.User", models.PROTECT, related_name="organiser_role_rows")
    body = models.ForeignKey(
        "chains.Enterprise", models.PROTECT, related_name="organiser_role_rows"
    )
    region = models.ForeignKey("chains.Region", models.PROTECT)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.ORGANISER)
    valid_until_on = models.DateField(null=True, blank=True)

    objects = OrganiserRoleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "body", "region", "role"], name="organiser_role_once"
            )
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_current(self) -> bool:
        return self.valid_until_on is None or self.valid_until_on >= timezone.localdate()


class MandateQuerySet(models.QuerySet["Mandate"]):
    def active(self) -> Self:
        return self.filter(status=Mandate.Status.ACTIVE)


class Mandate(TimeStamped):
    """Lets an association post requirements for a member (row 21)."""

    class Status(models.TextChoices):
        OFFERED = "offered", _("Offered")
        ACTIVE = "active", _("Active")
        ENDED = "ended", _("Ended")

    association = models.ForeignKey(
        "chains.Enterprise", models.PROTECT, related_name="mandates_given"
    )
    member = models.ForeignKey(
        "chains.Enterprise", models.PROTECT, related_name="mandates_received"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OFFERED)

    objects = MandateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["association", "member"],
                condition=Q(status__in=["offered", "active"]),
                name="mandate_once_while_it_lasts",
            ),
            models.CheckConstraint(
                condition=~Q(association=models.F("member")), name="mandate_joins_two_bodies"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class ConsentQuerySet(models.QuerySet["Consent"]):
    def in_force(self) -> Self:
        return self.filter(withdrawn_at=None)


class Consent(TimeStamped):
    """A person agreed to a purpose, in the words of a version; withdrawn by one click, never deleted."""

    class Purpose(models.TextChoices):
        ACCOUNT = "account", _("An account on this platform")
        PHONE = "phone", _("Signing in with a code by text message")

    user = models.ForeignKey("chains.User", models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    # Who receives the data, as it was said when the person agreed.
    recipient = models.CharField(max_length=120)
    version = models.CharField(max_length=20)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "purpose"],
                condition=Q(withdrawn_at=None),
                name="consent_once_while_it_lasts",
            )
        ]

    def __str__(self) -> str:
        return self.public_id
