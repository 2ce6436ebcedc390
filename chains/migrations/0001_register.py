import chains.models.base
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.constraints
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

from chains import migrating


class Migration(migrating.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        # Chinese words of two characters are found through trigrams (see the search columns).
        TrigramExtension(),
        migrations.CreateModel(
            name="CertificationKind",
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
                ("group", models.CharField(max_length=20)),
                ("scope_zh", models.CharField(blank=True, max_length=120)),
                ("scope_en", models.CharField(blank=True, max_length=160)),
                (
                    "synonyms_zh",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=80),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "synonyms_en",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
            ],
            options={
                "ordering": ["order", "code"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("noun", models.CharField(max_length=40)),
                ("target", models.CharField(max_length=12)),
                ("verb", models.CharField(max_length=40)),
                (
                    "transaction",
                    models.BigIntegerField(
                        db_default=models.Func(
                            output_field=models.BigIntegerField(),
                            template="(pg_current_xact_id()::text::bigint)",
                        ),
                        editable=False,
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["transaction", "pk"],
                "indexes": [models.Index(fields=["transaction", "id"], name="change_feed")],
            },
        ),
        migrations.CreateModel(
            name="ChangeReader",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("transaction", models.BigIntegerField(default=0)),
                ("change", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="CooperationKind",
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
                (
                    "group",
                    models.CharField(
                        choices=[
                            ("trade", "trade"),
                            ("innovation", "innovation"),
                            ("capital", "capital"),
                            ("project", "project"),
                            ("talent", "talent"),
                        ],
                        max_length=12,
                    ),
                ),
                ("amount_meaning_zh", models.CharField(blank=True, max_length=60)),
                ("amount_meaning_en", models.CharField(blank=True, max_length=80)),
            ],
            options={
                "ordering": ["order", "code"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="DockingDirection",
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
            ],
            options={
                "ordering": ["order", "code"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="DockingKind",
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
                (
                    "family",
                    models.CharField(
                        choices=[
                            ("production_sales", "production and sales"),
                            ("talent", "talent"),
                            ("finance", "industry and finance"),
                            ("landing", "project landing"),
                            ("innovation", "innovation"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "counterparts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                ("description_zh", models.CharField(blank=True, max_length=200)),
                ("description_en", models.CharField(blank=True, max_length=200)),
                (
                    "direction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="kinds",
                        to="chains.dockingdirection",
                        to_field="code",
                    ),
                ),
            ],
            options={
                "ordering": ["order", "code"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="EnterpriseGroup",
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
                ("name", models.CharField(max_length=200, unique=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ParticipantKind",
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
                ("counts_as_enterprise", models.BooleanField(default=False)),
                ("note_zh", models.CharField(blank=True, max_length=200)),
                ("note_en", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "ordering": ["order", "code"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="QualificationKind",
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
                ("group", models.CharField(max_length=20)),
                (
                    "counted_as",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("issuer_zh", models.CharField(blank=True, max_length=120)),
                ("issuer_en", models.CharField(blank=True, max_length=160)),
                (
                    "synonyms_zh",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=80),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "synonyms_en",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
            ],
            options={
                "ordering": ["order", "code"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Region",
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
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("country", "country"),
                            ("province", "province"),
                            ("prefecture", "prefecture"),
                            ("county", "county"),
                            ("zone", "zone"),
                        ],
                        max_length=12,
                    ),
                ),
                ("path", models.CharField(max_length=60, unique=True)),
                ("longitude", models.FloatField(blank=True, null=True)),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("search_text", models.TextField(blank=True, default="")),
                (
                    "parent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="chains.region",
                    ),
                ),
            ],
            options={
                "ordering": ["code"],
                "indexes": [
                    models.Index(
                        fields=["path"], name="region_path", opclasses=["varchar_pattern_ops"]
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Chain",
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
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("iconic", "iconic chain"),
                            ("new_energy", "new energy"),
                            ("general", "general"),
                        ],
                        max_length=12,
                    ),
                ),
                ("summary_zh", models.TextField(blank=True)),
                ("summary_en", models.TextField(blank=True)),
                (
                    "province",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="chains.region",
                    ),
                ),
            ],
            options={
                "ordering": ["order", "code"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Enterprise",
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
                    "scheme",
                    models.CharField(
                        choices=[
                            ("uscc", "Unified social credit code"),
                            ("foreign", "Register number abroad"),
                            ("other", "No number"),
                        ],
                        default="uscc",
                        max_length=8,
                    ),
                ),
                ("country", models.CharField(default="CN", max_length=2)),
                ("number", models.CharField(blank=True, max_length=40, null=True)),
                ("number_confirmed", models.BooleanField(default=False)),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                (
                    "name_en",
                    models.CharField(blank=True, max_length=200, verbose_name="English name"),
                ),
                ("address", models.CharField(blank=True, max_length=300, verbose_name="address")),
                ("longitude", models.FloatField(blank=True, null=True)),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("summary", models.TextField(blank=True, max_length=2000, verbose_name="summary")),
                (
                    "summary_language",
                    models.CharField(
                        choices=[("zh", "中文"), ("en", "English")], default="zh", max_length=2
                    ),
                ),
                ("website", models.URLField(blank=True, verbose_name="website")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("unclaimed", "Known, not a member"),
                            ("pending", "Waits for its desk"),
                            ("verified", "Verified"),
                            ("returned", "Returned"),
                            ("suspended", "Suspended"),
                            ("merged", "Merged"),
                        ],
                        default="unclaimed",
                        max_length=10,
                    ),
                ),
                ("submitted_at", models.DateTimeField(blank=True, null=True)),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                ("return_reason", models.TextField(blank=True)),
                ("search_text", models.TextField(blank=True, default="", editable=False)),
                (
                    "sort_key",
                    models.CharField(blank=True, default="", editable=False, max_length=400),
                ),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="absorbed",
                        to="chains.enterprise",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="chains.enterprisegroup",
                    ),
                ),
                (
                    "kind",
                    models.ForeignKey(
                        default="enterprise",
                        on_delete=django.db.models.deletion.PROTECT,
                        to="chains.participantkind",
                        to_field="code",
                        verbose_name="kind",
                    ),
                ),
                (
                    "province",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="chains.region",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="enterprises",
                        to="chains.region",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("scheme"),
                        models.F("country"),
                        django.db.models.functions.text.Upper("number"),
                        condition=models.Q(
                            ("number__isnull", False), models.Q(("status", "merged"), _negated=True)
                        ),
                        name="enterprise_number_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("number__isnull", False),
                            ("scheme", "other"),
                            ("status__in", ["unclaimed", "merged"]),
                            _connector="OR",
                        ),
                        name="enterprise_without_number_is_unclaimed_or_has_none",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("region__isnull", False),
                            models.Q(("country", "CN"), _negated=True),
                            ("status__in", ["unclaimed", "merged"]),
                            _connector="OR",
                        ),
                        name="enterprise_in_china_has_a_region",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("merged_into__isnull", False), ("status", "merged")),
                            models.Q(
                                models.Q(("status", "merged"), _negated=True),
                                ("merged_into__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="enterprise_merged_names_its_survivor",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "verified"), _negated=True),
                            ("verified_at__isnull", False),
                            _connector="OR",
                        ),
                        name="enterprise_verified_has_a_time",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["status", "sort_key"], name="enterprise_status_sort"),
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass("search_text", name="gin_trgm_ops"),
                        name="enterprise_search",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Contact",
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
                ("phone", models.CharField(blank=True, max_length=40, verbose_name="phone")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                ("wechat", models.CharField(blank=True, max_length=60, verbose_name="WeChat")),
                ("is_active", models.BooleanField(default=True)),
                (
                    "enterprise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contacts",
                        to="chains.enterprise",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("email", ""), ("phone", ""), ("wechat", ""), _negated=True
                        ),
                        name="contact_can_be_reached",
                        violation_error_message="Enter a phone number, an e-mail address or a WeChat name.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EnterpriseAlias",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.CharField(max_length=200)),
                ("normalised", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("zh", "Chinese"),
                            ("en", "English"),
                            ("pinyin", "pinyin"),
                            ("former", "former name"),
                            ("other", "other"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "enterprise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="aliases",
                        to="chains.enterprise",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("enterprise", "normalised"), name="enterprise_alias_once"
                    )
                ],
                "indexes": [
                    models.Index(fields=["normalised"], name="enterprise_alias_normalised")
                ],
            },
        ),
        migrations.CreateModel(
            name="Mandate",
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
                        choices=[("offered", "Offered"), ("active", "Active"), ("ended", "Ended")],
                        default="offered",
                        max_length=10,
                    ),
                ),
                (
                    "association",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mandates_given",
                        to="chains.enterprise",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mandates_received",
                        to="chains.enterprise",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["offered", "active"])),
                        fields=("association", "member"),
                        name="mandate_once_while_it_lasts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("association", models.F("member")), _negated=True),
                        name="mandate_joins_two_bodies",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Project",
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
                ("name", models.CharField(max_length=160, verbose_name="name")),
                (
                    "language",
                    models.CharField(
                        choices=[("zh", "中文"), ("en", "English")], default="zh", max_length=2
                    ),
                ),
                (
                    "amount_cents",
                    models.BigIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                ("currency", models.CharField(default="CNY", max_length=3)),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("planned", "planned"),
                            ("under_construction", "under construction"),
                            ("producing", "producing"),
                            ("stopped", "stopped"),
                        ],
                        default="planned",
                        max_length=20,
                    ),
                ),
                ("needed_by_on", models.DateField(blank=True, null=True, verbose_name="needed by")),
                ("is_public", models.BooleanField(default=True, verbose_name="shown to everyone")),
                (
                    "chain",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="chains.chain",
                    ),
                ),
                (
                    "enterprise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="projects",
                        to="chains.enterprise",
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
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_cents", None), ("amount_cents__gte", 0), _connector="OR"
                        ),
                        name="project_amount_is_not_negative",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Province",
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
                ("verification_days", models.PositiveSmallIntegerField(default=3)),
                (
                    "holidays",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DateField(), blank=True, default=list, size=None
                    ),
                ),
                ("gap_public", models.BooleanField(default=False)),
                (
                    "region",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="served_as",
                        to="chains.region",
                    ),
                ),
            ],
            options={
                "ordering": ["region__code"],
            },
        ),
        migrations.CreateModel(
            name="RegionGroup",
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
                ("regions", models.ManyToManyField(related_name="groups", to="chains.region")),
            ],
            options={
                "ordering": ["order", "code"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Requirement",
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
                    "seeks",
                    models.CharField(
                        choices=[
                            ("supplier", "Suppliers"),
                            ("customer", "Customers"),
                            ("partner", "Partners"),
                        ],
                        default="supplier",
                        max_length=10,
                        verbose_name="seeks",
                    ),
                ),
                ("title", models.CharField(max_length=160, verbose_name="title")),
                ("text", models.TextField(blank=True, max_length=4000, verbose_name="description")),
                (
                    "language",
                    models.CharField(
                        choices=[("zh", "中文"), ("en", "English")], default="zh", max_length=2
                    ),
                ),
                ("needed_by_on", models.DateField(blank=True, null=True, verbose_name="needed by")),
                (
                    "closes_on",
                    models.DateField(blank=True, null=True, verbose_name="interests until"),
                ),
                (
                    "answer_by_on",
                    models.DateField(blank=True, null=True, verbose_name="you answer by"),
                ),
                ("is_urgent", models.BooleanField(default=False, verbose_name="urgent")),
                (
                    "import_substitution",
                    models.BooleanField(default=False, verbose_name="replaces an imported product"),
                ),
                (
                    "contact_policy",
                    models.CharField(
                        choices=[
                            ("members", "Any member"),
                            ("verified", "Verified enterprises"),
                            ("accepted", "After I accept"),
                        ],
                        default="accepted",
                        max_length=10,
                    ),
                ),
                ("embargoed_until", models.DateTimeField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("submitted", "Submitted"),
                            ("returned", "Returned"),
                            ("approved", "Approved"),
                            ("published", "Published"),
                            ("closed", "Closed"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                (
                    "close_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("filled", "Filled"),
                            ("withdrawn", "Withdrawn by its owner"),
                            ("expired", "Past its closing date"),
                            ("refused", "Not accepted for publication"),
                            ("taken_down", "Taken down"),
                            ("unanswered", "Not corrected in time"),
                            ("enterprise_suspended", "Enterprise suspended"),
                        ],
                        max_length=24,
                    ),
                ),
                ("close_note", models.CharField(blank=True, max_length=300)),
                ("submitted_at", models.DateTimeField(blank=True, null=True)),
                ("returned_at", models.DateTimeField(blank=True, null=True)),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("amended_at", models.DateTimeField(blank=True, null=True)),
                ("search_text", models.TextField(blank=True, default="", editable=False)),
                (
                    "summary",
                    models.CharField(blank=True, default="", editable=False, max_length=200),
                ),
                (
                    "chain",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requirements",
                        to="chains.chain",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requirements",
                        to="chains.contact",
                    ),
                ),
                (
                    "cooperation_kinds",
                    models.ManyToManyField(blank=True, to="chains.cooperationkind"),
                ),
                (
                    "docking_kind",
                    models.ForeignKey(
                        default="supply_sales",
                        on_delete=django.db.models.deletion.PROTECT,
                        to="chains.dockingkind",
                        to_field="code",
                    ),
                ),
                (
                    "enterprise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requirements",
                        to="chains.enterprise",
                    ),
                ),
                (
                    "posted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requirements_posted",
                        to="chains.enterprise",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requirements",
                        to="chains.project",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="chains.region",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("status", "closed"), models.Q(("close_reason", ""), _negated=True)
                            ),
                            models.Q(
                                models.Q(("status", "closed"), _negated=True), ("close_reason", "")
                            ),
                            _connector="OR",
                        ),
                        name="requirement_closed_says_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "published"), _negated=True),
                            ("published_at__isnull", False),
                            _connector="OR",
                        ),
                        name="requirement_published_has_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status", "draft"),
                            models.Q(("closes_on__isnull", False), ("answer_by_on__isnull", False)),
                            _connector="OR",
                        ),
                        name="requirement_submitted_has_its_dates",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("closes_on", None),
                            ("answer_by_on", None),
                            ("answer_by_on__gte", models.F("closes_on")),
                            _connector="OR",
                        ),
                        name="requirement_answers_after_it_closes",
                        violation_error_message="The day by which you answer cannot be before the day interests close.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("posted_by", None),
                            models.Q(("posted_by", models.F("enterprise")), _negated=True),
                            _connector="OR",
                        ),
                        name="requirement_posted_by_another_body",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["status", "closes_on"], name="requirement_status_closes"),
                    models.Index(
                        condition=models.Q(("status", "published")),
                        fields=["-published_at", "-id"],
                        name="requirement_newest",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass("search_text", name="gin_trgm_ops"),
                        name="requirement_search",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Question",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("order", models.PositiveSmallIntegerField()),
                ("text", models.CharField(max_length=200)),
                (
                    "requirement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="questions",
                        to="chains.requirement",
                    ),
                ),
            ],
            options={
                "ordering": ["order"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("requirement", "order"), name="question_order_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("order__gte", 1), ("order__lte", 3)),
                        name="question_at_most_three",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Unit",
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
                ("dimension", models.CharField(max_length=20)),
                ("factor", models.FloatField(default=1)),
                (
                    "synonyms_zh",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "synonyms_en",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
            ],
            options={
                "ordering": ["order", "code"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
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
                ("email", models.EmailField(max_length=254, unique=True, verbose_name="e-mail")),
                (
                    "language",
                    models.CharField(
                        choices=[("zh", "中文"), ("en", "English")],
                        default="zh",
                        max_length=2,
                        verbose_name="language",
                    ),
                ),
                ("is_staff", models.BooleanField(default=False)),
                ("is_active", models.BooleanField(default=True)),
                ("date_joined", models.DateTimeField(auto_now_add=True)),
                ("erased_at", models.DateTimeField(blank=True, null=True)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("email"),
                        name="user_email_once_whatever_the_case",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactReveal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "right",
                    models.CharField(
                        choices=[
                            ("policy", "open by policy"),
                            ("interest_sent", "interest sent"),
                            ("interest_accepted", "interest accepted"),
                            ("desk", "desk"),
                        ],
                        max_length=20,
                    ),
                ),
                ("purpose", models.CharField(blank=True, max_length=200)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reveals",
                        to="chains.contact",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "enterprise",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="chains.enterprise",
                    ),
                ),
                (
                    "requirement",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contact_reveals",
                        to="chains.requirement",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("right", "desk"), _negated=True),
                            models.Q(("purpose", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="contact_reveal_by_a_desk_states_its_purpose",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Evidence",
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
                    "purpose",
                    models.CharField(
                        choices=[
                            ("licence", "Licence"),
                            ("qualification", "Qualification"),
                            ("certification", "Certificate"),
                        ],
                        max_length=14,
                    ),
                ),
                ("file", models.FileField(upload_to="evidence/%Y/%m/")),
                ("original_name", models.CharField(max_length=200)),
                ("content_type", models.CharField(max_length=40)),
                ("size", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                (
                    "enterprise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="evidence",
                        to="chains.enterprise",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Certification",
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
                ("issuer", models.CharField(blank=True, max_length=200, verbose_name="issuer")),
                ("valid_from", models.DateField(verbose_name="valid from")),
                (
                    "valid_until_on",
                    models.DateField(blank=True, null=True, verbose_name="valid until"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("claimed", "Stated"),
                            ("verified", "Verified"),
                            ("refused", "Refused"),
                            ("revoked", "Revoked"),
                        ],
                        default="claimed",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=300)),
                (
                    "number",
                    models.CharField(blank=True, max_length=80, verbose_name="certificate number"),
                ),
                ("scope", models.CharField(blank=True, max_length=200, verbose_name="scope")),
                (
                    "kind",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="chains.certificationkind"
                    ),
                ),
                (
                    "enterprise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="certifications",
                        to="chains.enterprise",
                    ),
                ),
                (
                    "evidence",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="chains.evidence",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "refused"), _negated=True),
                        fields=("enterprise", "kind", "number", "valid_from"),
                        name="certification_once_unless_refused",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_until_on", None),
                            ("valid_until_on__gte", models.F("valid_from")),
                            _connector="OR",
                        ),
                        name="certification_ends_after_it_begins",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
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
                        choices=[("owner", "Owner"), ("editor", "Editor"), ("viewer", "Viewer")],
                        default="editor",
                        max_length=10,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("active", "Active"),
                            ("refused", "Refused"),
                            ("ended", "Ended"),
                        ],
                        default="requested",
                        max_length=10,
                    ),
                ),
                (
                    "enterprise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="chains.enterprise",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["requested", "active"])),
                        fields=("user", "enterprise"),
                        name="membership_once_while_it_lasts",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Notification",
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
                ("kind", models.CharField(max_length=40)),
                ("context", models.JSONField(default=dict)),
                (
                    "channel",
                    models.CharField(
                        choices=[("in_app", "in the application"), ("email", "e-mail")],
                        max_length=8,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("unsent", "unsent"),
                            ("sent", "sent"),
                            ("failed", "failed"),
                            ("stopped", "stopped"),
                        ],
                        default="unsent",
                        max_length=8,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.CharField(blank=True, max_length=300)),
                (
                    "to",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notifications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "unsent")),
                        fields=["due_at"],
                        name="notification_unsent",
                    ),
                    models.Index(fields=["to", "-id"], name="notification_inbox"),
                ],
            },
        ),
        migrations.CreateModel(
            name="OrganiserRole",
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
                        choices=[("organiser", "Organiser"), ("analyst", "Analyst")],
                        default="organiser",
                        max_length=10,
                    ),
                ),
                ("valid_until_on", models.DateField(blank=True, null=True)),
                (
                    "body",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="organiser_role_rows",
                        to="chains.enterprise",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="organiser_role_rows",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="chains.region"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "body", "region", "role"), name="organiser_role_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Qualification",
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
                ("issuer", models.CharField(blank=True, max_length=200, verbose_name="issuer")),
                ("valid_from", models.DateField(verbose_name="valid from")),
                (
                    "valid_until_on",
                    models.DateField(blank=True, null=True, verbose_name="valid until"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("claimed", "Stated"),
                            ("verified", "Verified"),
                            ("refused", "Refused"),
                            ("revoked", "Revoked"),
                        ],
                        default="claimed",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("batch", models.CharField(blank=True, max_length=80, verbose_name="batch")),
                (
                    "enterprise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="qualifications",
                        to="chains.enterprise",
                    ),
                ),
                (
                    "evidence",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="chains.evidence",
                    ),
                ),
                (
                    "kind",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="chains.qualificationkind"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "refused"), _negated=True),
                        fields=("enterprise", "kind", "valid_from"),
                        name="qualification_once_unless_refused",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_until_on", None),
                            ("valid_until_on__gte", models.F("valid_from")),
                            _connector="OR",
                        ),
                        name="qualification_ends_after_it_begins",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("actor", models.BigIntegerField(null=True)),
                ("action", models.CharField(max_length=60)),
                ("target", models.CharField(max_length=80)),
                ("data", models.JSONField(default=dict)),
            ],
            options={
                "verbose_name_plural": "audit entries",
                "ordering": ["pk"],
                "indexes": [models.Index(fields=["target", "id"], name="audit_target")],
            },
        ),
        migrations.CreateModel(
            name="Capability",
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
                    "title_zh",
                    models.CharField(blank=True, max_length=120, verbose_name="title in Chinese"),
                ),
                (
                    "title_en",
                    models.CharField(blank=True, max_length=160, verbose_name="title in English"),
                ),
                (
                    "text_zh",
                    models.TextField(blank=True, max_length=2000, verbose_name="text in Chinese"),
                ),
                (
                    "text_en",
                    models.TextField(blank=True, max_length=3000, verbose_name="text in English"),
                ),
                (
                    "yearly_capacity",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        max_digits=18,
                        null=True,
                        verbose_name="capacity",
                    ),
                ),
                (
                    "lead_time_days",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="delivery, days"
                    ),
                ),
                (
                    "sample_days",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="sample lead time, days"
                    ),
                ),
                ("is_new", models.BooleanField(default=False, verbose_name="new product")),
                (
                    "valid_until_on",
                    models.DateField(blank=True, null=True, verbose_name="valid until"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("published", "Published"),
                            ("withdrawn", "Withdrawn"),
                            ("expired", "Expired"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                ("certifications", models.ManyToManyField(blank=True, to="chains.certification")),
                (
                    "cooperation_kinds",
                    models.ManyToManyField(blank=True, to="chains.cooperationkind"),
                ),
                (
                    "enterprise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="capabilities",
                        to="chains.enterprise",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="chains.unit",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "capabilities",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("title_zh", ""), ("title_en", ""), _negated=True),
                        name="capability_has_a_title",
                        violation_error_message="Enter a title in Chinese or in English.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("yearly_capacity", None), ("unit__isnull", False), _connector="OR"
                        ),
                        name="capability_capacity_has_a_unit",
                        violation_error_message="Choose the unit of the capacity.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Category",
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
                ("level", models.PositiveSmallIntegerField()),
                (
                    "synonyms_zh",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "synonyms_en",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=160),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("description_zh", models.TextField(blank=True)),
                ("description_en", models.TextField(blank=True)),
                (
                    "standards",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="chains.category",
                    ),
                ),
                (
                    "chain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="categories",
                        to="chains.chain",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "categories",
                "ordering": ["order", "code"],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("level__in", [1, 2, 3])),
                        name="category_level_is_1_to_3",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("level", 1), ("parent__isnull", True)),
                            models.Q(("level__gt", 1), ("parent__isnull", False)),
                            _connector="OR",
                        ),
                        name="category_below_the_top_has_a_parent",
                        violation_error_message="Choose the category above this one.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Condition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("certification", "Certification"),
                            ("qualification", "Qualification"),
                            ("region", "Region"),
                            ("distance", "Distance"),
                            ("capacity", "Capacity"),
                            ("lead_time", "Lead time"),
                            ("sample_time", "Sample time"),
                            ("cooperation", "Cooperation"),
                            ("origin", "Origin"),
                            ("other", "Other, shown only"),
                        ],
                        max_length=14,
                    ),
                ),
                (
                    "strength",
                    models.CharField(
                        choices=[("must", "Must"), ("prefer", "Prefer")],
                        default="must",
                        max_length=6,
                    ),
                ),
                ("parameter", models.JSONField(default=dict)),
                ("text", models.CharField(max_length=200)),
                (
                    "requirement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="conditions",
                        to="chains.requirement",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="Remark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line_number", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("code", models.CharField(blank=True, max_length=30)),
                ("text", models.CharField(max_length=500)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "requirement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="remarks",
                        to="chains.requirement",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="RequirementLine",
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
                ("number", models.PositiveSmallIntegerField()),
                ("text", models.CharField(max_length=500, verbose_name="what")),
                (
                    "language",
                    models.CharField(
                        choices=[("zh", "中文"), ("en", "English")], default="zh", max_length=2
                    ),
                ),
                (
                    "quantity",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        max_digits=18,
                        null=True,
                        verbose_name="quantity",
                    ),
                ),
                (
                    "period",
                    models.CharField(
                        choices=[("once", "once"), ("month", "a month"), ("year", "a year")],
                        default="once",
                        max_length=6,
                    ),
                ),
                ("needed_by_on", models.DateField(blank=True, null=True, verbose_name="needed by")),
                (
                    "specification",
                    models.CharField(blank=True, max_length=1000, verbose_name="specification"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("filled", "Filled"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="chains.category",
                    ),
                ),
                (
                    "category_suggested",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="chains.category",
                    ),
                ),
                (
                    "requirement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="chains.requirement",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="chains.unit",
                    ),
                ),
            ],
            options={
                "ordering": ["requirement", "number"],
                "constraints": [
                    models.UniqueConstraint(
                        deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                        fields=("requirement", "number"),
                        name="requirement_line_number_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 1), ("number__lte", 200)),
                        name="requirement_line_number_is_1_to_200",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("quantity", None), ("quantity__gt", 0), _connector="OR"
                        ),
                        name="requirement_line_quantity_is_positive",
                        violation_error_message="Enter a quantity above 0.",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["category", "status"], name="requirement_line_category")
                ],
            },
        ),
        migrations.CreateModel(
            name="Segment",
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
                (
                    "position",
                    models.CharField(
                        choices=[
                            ("upstream", "upstream"),
                            ("midstream", "midstream"),
                            ("downstream", "downstream"),
                            ("supporting", "supporting"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "chain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="segments",
                        to="chains.chain",
                    ),
                ),
            ],
            options={
                "ordering": ["order", "code"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SegmentLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="links_out",
                        to="chains.segment",
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="links_in",
                        to="chains.segment",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("source", "target"), name="segment_link_once"),
                    models.CheckConstraint(
                        condition=models.Q(("source", models.F("target")), _negated=True),
                        name="segment_link_joins_two_segments",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="capability",
            name="categories",
            field=models.ManyToManyField(
                blank=True, related_name="capabilities", to="chains.category"
            ),
        ),
        migrations.AddField(
            model_name="category",
            name="segment",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="categories",
                to="chains.segment",
            ),
        ),
        migrations.AddField(
            model_name="condition",
            name="line",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="conditions",
                to="chains.requirementline",
            ),
        ),
        migrations.AddField(
            model_name="remark",
            name="line",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="remarks",
                to="chains.requirementline",
            ),
        ),
        migrations.AddField(
            model_name="requirementline",
            name="segment",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lines",
                to="chains.segment",
            ),
        ),
        migrations.AddField(
            model_name="segment",
            name="feeds",
            field=models.ManyToManyField(
                related_name="fed_by", through="chains.SegmentLink", to="chains.segment"
            ),
        ),
        migrations.AddConstraint(
            model_name="category",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("level", 3), ("segment__isnull", False)),
                    models.Q(("level__lt", 3), ("segment__isnull", True)),
                    _connector="OR",
                ),
                name="category_leaf_has_one_segment",
                violation_error_message="A category of the third level stands in exactly one segment; the levels above have none.",
            ),
        ),
        migrations.AddIndex(
            model_name="requirementline",
            index=models.Index(fields=["segment", "status"], name="requirement_line_segment"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="auditentry",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="894f28419624e90784db2538541cb7bf15ba14fc",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_0b689",
                    table="chains_auditentry",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="contactreveal",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="6c7baa32c87d410cb62c5db8f86c706827fb1d41",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_97628",
                    table="chains_contactreveal",
                    when="BEFORE",
                ),
            ),
        ),
    ]
