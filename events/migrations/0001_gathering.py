import chains.models.base
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import events.models.registration
from django.conf import settings
from django.db import migrations, models

from chains import migrating


class Migration(migrating.Migration):
    initial = True

    dependencies = [
        ("chains", "0001_register"),
        ("chains", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="EventLevel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=40, unique=True)),
                ("name_zh", models.CharField(max_length=120)),
                ("name_en", models.CharField(max_length=160)),
                ("order", models.PositiveIntegerField(default=0)),
                ("is_active", models.BooleanField(default=True)),
                ("description_zh", models.CharField(blank=True, max_length=200)),
                ("description_en", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "ordering": ["order", "code"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Programme",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=chains.models.base.new_public_id,
                        editable=False,
                        max_length=12,
                        unique=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("name_zh", models.CharField(max_length=120)),
                ("name_en", models.CharField(max_length=160)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="programmes",
                        to="chains.enterprise",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="Series",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=chains.models.base.new_public_id,
                        editable=False,
                        max_length=12,
                        unique=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("year", models.PositiveSmallIntegerField()),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="series",
                        to="events.programme",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "series",
                "ordering": ["-year", "pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("programme", "year"), name="series_once_a_year")
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=chains.models.base.new_public_id,
                        editable=False,
                        max_length=12,
                        unique=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("name_zh", models.CharField(max_length=160, verbose_name="name in Chinese")),
                ("name_en", models.CharField(max_length=200, verbose_name="name in English")),
                ("starts_at", models.DateTimeField(verbose_name="starts")),
                ("ends_at", models.DateTimeField(verbose_name="ends")),
                ("place", models.CharField(blank=True, max_length=200, verbose_name="place")),
                (
                    "place_en",
                    models.CharField(blank=True, max_length=200, verbose_name="place in English"),
                ),
                ("text", models.TextField(blank=True, max_length=4000, verbose_name="description")),
                (
                    "text_en",
                    models.TextField(
                        blank=True, max_length=4000, verbose_name="description in English"
                    ),
                ),
                (
                    "delegates_per_enterprise",
                    models.PositiveSmallIntegerField(
                        default=2, verbose_name="most delegates of one enterprise"
                    ),
                ),
                (
                    "admission",
                    models.CharField(
                        choices=[
                            ("automatic", "automatic"),
                            ("reviewed", "reviewed by the organiser"),
                        ],
                        default="automatic",
                        max_length=10,
                    ),
                ),
                (
                    "waiting_rule",
                    models.CharField(
                        choices=[
                            ("arrival", "by arrival"),
                            ("tier_then_arrival", "by tier, then by arrival"),
                            ("draw", "by a draw"),
                        ],
                        default="arrival",
                        max_length=20,
                    ),
                ),
                ("registration_opens_at", models.DateTimeField(verbose_name="registration opens")),
                (
                    "registration_closes_at",
                    models.DateTimeField(verbose_name="registration closes"),
                ),
                (
                    "list_published_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="list goes public"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("published", "Published"),
                            ("held", "Held"),
                            ("archived", "Archived"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("cancel_reason", models.CharField(blank=True, max_length=300)),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                ("search_text", models.TextField(blank=True, default="", editable=False)),
                (
                    "chains",
                    models.ManyToManyField(blank=True, related_name="events", to="chains.chain"),
                ),
                (
                    "co_hosts",
                    models.ManyToManyField(
                        blank=True, related_name="events_co_hosted", to="chains.enterprise"
                    ),
                ),
                ("docking_kinds", models.ManyToManyField(blank=True, to="chains.dockingkind")),
                (
                    "host",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events_hosted",
                        to="chains.enterprise",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="chains.region",
                    ),
                ),
                (
                    "level",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to="events.eventlevel",
                        to_field="code",
                        verbose_name="level",
                    ),
                ),
                (
                    "series",
                    models.ManyToManyField(blank=True, related_name="events", to="events.series"),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="event_ends_after_it_starts",
                        violation_error_message="The event ends after it starts.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("registration_closes_at__gt", models.F("registration_opens_at"))
                        ),
                        name="event_registration_closes_after_it_opens",
                        violation_error_message="Registration closes after it opens.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "cancelled"), _negated=True),
                            models.Q(("cancel_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="event_cancelled_says_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("delegates_per_enterprise__gte", 1)),
                        name="event_lets_a_delegate_in",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["status", "starts_at"], name="event_status_starts"),
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass("search_text", name="gin_trgm_ops"),
                        name="event_search",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Target",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "measure",
                    models.CharField(
                        choices=[("events", "events"), ("enterprises", "enterprises")],
                        max_length=20,
                    ),
                ),
                ("value", models.PositiveIntegerField()),
                (
                    "level",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="events.eventlevel",
                        to_field="code",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="chains.region",
                    ),
                ),
                (
                    "series",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="targets",
                        to="events.series",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("series", "measure", "level", "region"),
                        name="target_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Tier",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=chains.models.base.new_public_id,
                        editable=False,
                        max_length=12,
                        unique=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("name_zh", models.CharField(max_length=80)),
                ("name_en", models.CharField(max_length=120)),
                (
                    "qualifications",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "participant_kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("seats", models.PositiveIntegerField()),
                ("taken", models.PositiveIntegerField(default=0)),
                ("reserved_until", models.DateTimeField(blank=True, null=True)),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                ("order", models.PositiveSmallIntegerField(default=0)),
                ("is_general", models.BooleanField(default=False)),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tiers",
                        to="events.event",
                    ),
                ),
            ],
            options={
                "ordering": ["order", "pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("taken__gte", 0), ("taken__lte", models.F("seats"))),
                        name="tier_never_takes_more_than_its_seats",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_general", True)),
                        fields=("event",),
                        name="tier_general_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_general", False),
                            models.Q(
                                ("participant_kinds", []),
                                ("qualifications", []),
                                ("reserved_until", None),
                            ),
                            _connector="OR",
                        ),
                        name="tier_general_is_for_all",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Registration",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=chains.models.base.new_public_id,
                        editable=False,
                        max_length=12,
                        unique=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("submitted", "Submitted"),
                            ("confirmed", "Confirmed"),
                            ("waitlisted", "On the waiting list"),
                            ("declined", "Declined"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="submitted",
                        max_length=10,
                    ),
                ),
                (
                    "purposes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("buy", "Buy"),
                                ("supply", "Supply"),
                                ("finance", "Finance"),
                                ("talent", "Talent"),
                                ("observe", "Observe"),
                            ],
                            max_length=8,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("seats_asked", models.PositiveSmallIntegerField()),
                ("accepts_partial", models.BooleanField(default=False)),
                ("seats_held", models.PositiveSmallIntegerField(default=0)),
                ("queued_at", models.DateTimeField(blank=True, null=True)),
                ("queue_no", models.BigIntegerField(blank=True, null=True)),
                ("priority", models.SmallIntegerField(default=0)),
                ("priority_reason", models.CharField(blank=True, max_length=300)),
                ("decline_reason", models.CharField(blank=True, max_length=300)),
                (
                    "enterprise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="registrations",
                        to="chains.enterprise",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="registrations",
                        to="events.event",
                    ),
                ),
                (
                    "tier",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="registrations",
                        to="events.tier",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("event", "enterprise"), name="registration_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("seats_asked__gte", 1)),
                        name="registration_asks_for_a_seat",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("seats_held__gte", 1),
                                ("status", "confirmed"),
                                ("tier__isnull", False),
                            ),
                            models.Q(
                                models.Q(("status", "confirmed"), _negated=True), ("seats_held", 0)
                            ),
                            _connector="OR",
                        ),
                        name="registration_holds_seats_when_confirmed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "waitlisted"), _negated=True),
                            ("queue_no__isnull", False),
                            _connector="OR",
                        ),
                        name="registration_waiting_has_a_queue_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("seats_held__lte", models.F("seats_asked"))),
                        name="registration_holds_no_more_than_asked",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("priority", 0),
                            models.Q(("priority_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="registration_moved_by_hand_says_why",
                    ),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "waitlisted")),
                        fields=["event", "-priority", "queue_no"],
                        name="registration_queue",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EventStaff",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=chains.models.base.new_public_id,
                        editable=False,
                        max_length=12,
                        unique=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("manager", "Manager"),
                            ("desk", "Desk"),
                            ("moderator", "Moderator"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="staff",
                        to="events.event",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="event_staff",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "event staff",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("event", "user", "role"), name="event_staff_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Listing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=chains.models.base.new_public_id,
                        editable=False,
                        max_length=12,
                        unique=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("order", models.PositiveSmallIntegerField(default=0)),
                ("is_featured", models.BooleanField(default=False)),
                ("code", models.CharField(max_length=8, unique=True)),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="listings",
                        to="events.event",
                    ),
                ),
                (
                    "requirement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="listings",
                        to="chains.requirement",
                    ),
                ),
            ],
            options={
                "ordering": ["order", "pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("event", "requirement"), name="listing_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Delegate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=chains.models.base.new_public_id,
                        editable=False,
                        max_length=12,
                        unique=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "job_title",
                    models.CharField(blank=True, max_length=80, verbose_name="job title"),
                ),
                (
                    "token",
                    models.CharField(
                        default=events.models.registration.new_token, max_length=48, unique=True
                    ),
                ),
                (
                    "short_code",
                    models.CharField(
                        default=events.models.registration.new_short_code, max_length=8
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Active"), ("replaced", "Replaced")],
                        default="active",
                        max_length=10,
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="events.event",
                    ),
                ),
                (
                    "registration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="delegates",
                        to="events.registration",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("event", "short_code"), name="delegate_short_code_once_per_event"
                    )
                ],
            },
        ),
    ]
