"""Lists of rows for the register: a file as people keep it, or rows as a program has them. The same way in as the page's."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from chains import spreadsheets
from chains.forms.import_columns import columns_of, faults_of, words_of
from chains.models import Enterprise, Import, ImportRow
from chains.services import imports
from chains.spreadsheets import Layout
from chains.tasks import read_import
from matchmaking.api.base import ReadViewSet, Request, caller
from matchmaking.api.enterprises import EnterpriseNameSerializer
from matchmaking.api.parsers import StrictJSONParser

KINDS = [(kind.value, kind.label) for kind in (Import.Kind.ENTERPRISES, Import.Kind.CAPABILITIES)]
ROWS = 2000
_KEY = re.compile(r"[\x21-\x7e]{1,64}")


class ImportSerializer(serializers.ModelSerializer[Import]):
    enterprise = EnterpriseNameSerializer(read_only=True)

    class Meta:
        model = Import
        fields = (
            "public_id", "kind", "enterprise", "file_name", "status", "rows_total", "rows_done",
            "created_count", "changed_count", "same_count", "bad_count", "error", "created_at", "finished_at",
        )  # fmt: skip


class NoteSerializer(serializers.Serializer[Any]):
    column = serializers.CharField(help_text="Its letter; empty where the whole row is meant.")
    header = serializers.CharField()
    sentence = serializers.CharField()


class ImportRowSerializer(serializers.ModelSerializer[ImportRow]):
    """A row that was not kept, or was kept and is worth a look; `number` counts as the file does, header and all."""

    notes = NoteSerializer(many=True, read_only=True)

    class Meta:
        model = ImportRow
        fields = ("number", "is_kept", "notes")


class ImportDraftSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(KINDS)
    enterprise = serializers.SlugRelatedField[Any](
        slug_field="public_id",
        queryset=Enterprise.objects.none(),
        help_text="In whose name: for capabilities one's own enterprise, for enterprises the body one works for.",
    )
    file = serializers.FileField(required=False, help_text="xlsx, xls or csv; or give rows.")
    columns = serializers.DictField(
        child=serializers.CharField(max_length=40, allow_blank=True),
        required=False,
        help_text="Title of a column → field, where it is not known by itself; an empty field leaves it out. In a form: columns.<title>=<field>.",
    )
    rows = serializers.ListField(
        child=serializers.DictField(child=serializers.CharField(max_length=4000, allow_blank=True)),
        required=False,
        max_length=ROWS,
        help_text="Field → text, a row each, instead of a file. Rows are found again by number, else by name or title.",
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        own = getattr(caller(self.context), "own_bodies", ())
        fields["enterprise"].queryset = Enterprise.objects.filter(pk__in=own)  # type: ignore[attr-defined]
        return fields

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("file")) == bool(attrs.get("rows")):
            raise ValidationError({"file": [_("Give a file or rows.")]})
        known = {column.field for column in columns_of(attrs["kind"])}
        named = {*attrs.get("columns", {}).values()} - {""}
        named |= {name for row in attrs.get("rows", ()) for name in row}
        if unknown := sorted(named - known):
            raise ValidationError(
                {"rows" if attrs.get("rows") else "columns": [
                    _("There are no such fields: %(unknown)s. Known fields: %(known)s.")
                    % {"unknown": ", ".join(unknown[:5]), "known": ", ".join(sorted(known))}
                ]}
            )  # fmt: skip
        return attrs


class ImportViewSet(ReadViewSet):
    queryset = Import.objects.none()
    serializer_class = ImportSerializer
    permission_classes = [IsAuthenticated]
    filterset_fields: ClassVar = ["kind", "status"]
    parser_classes = [StrictJSONParser, MultiPartParser]

    def get_queryset(self) -> QuerySet[Import]:
        return (
            Import.objects.visible_to(self.request.user)
            .defer("content")
            .select_related("enterprise", "asked_by")
            .order_by("-pk")
        )

    @extend_schema(
        request=ImportDraftSerializer,
        responses={202: ImportSerializer},
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                OpenApiTypes.STR,
                OpenApiParameter.HEADER,
                description="Sent again with the same rows it answers with the import there is; with others it is refused.",
            )
        ],
    )
    def create(self, request: Request) -> Response:
        """Send a list; poll it until it is neither queued nor running. Few rows are read before the answer comes."""
        body = ImportDraftSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        fields = body.validated_data
        key = request.headers.get("Idempotency-Key", "")
        if key and not _KEY.fullmatch(key):
            raise ValidationError({"Idempotency-Key": [_("At most 64 visible ASCII characters.")]})
        return self.read_again(self._sent(request, fields, key), status.HTTP_202_ACCEPTED)

    def _sent(self, request: Request, fields: dict[str, Any], key: str) -> Import:
        kind, enterprise = fields["kind"], fields["enterprise"]
        if fields.get("rows"):
            name, content, order = "rows.csv", *_written(kind, fields["rows"])
        else:
            name, order = fields["file"].name, None
            content = spreadsheets.read_limited(fields["file"], max_bytes=settings.IMPORT_MAX_BYTES)
        said = {spreadsheets.fold_header(t): f for t, f in fields.get("columns", {}).items()}
        proposal = spreadsheets.propose(
            spreadsheets.open_sheets(content),
            columns_of(kind),
            remembered={**imports.remembered(kind, enterprise), **said},
        )
        at = proposal.layout
        layout = at if order is None else Layout(0, 0, 1, dict(enumerate(order)))
        if faults := faults_of(kind, layout.fields):
            titles = ", ".join(one.title for one in proposal.columns)
            raise ValidationError({"columns": [*faults, _("The file has: %(titles)s") % {"titles": titles}]})  # fmt: skip
        job = imports.upload(
            kind=kind, enterprise=enterprise, file_name=name, content=content, proposal=proposal,
            by=request.user, key=key,
        )  # fmt: skip
        if job.status == Import.Status.UPLOADED:
            imports.start(job=job, layout=layout, by=request.user, **words_of(proposal, layout))
            if proposal.row_count <= imports.SMALL:
                read_import(job.pk)
        return job

    @extend_schema(responses=ImportRowSerializer(many=True))
    @action(detail=True, filterset_fields=[])
    def rows(self, request: Request, public_id: str) -> Response:
        """What was not kept and what is worth a look, with the reasons; kept for 14 days."""
        page = self.paginate_queryset(self.get_object().rows.order_by("number"))
        return self.get_paginated_response(ImportRowSerializer(page, many=True).data)

    @extend_schema(request=None, responses=ImportSerializer)
    @action(detail=True, methods=["post"])
    def discard(self, request: Request, public_id: str) -> Response:
        """Read no further. What has been kept stays."""
        imports.discard(job=self.get_object(), by=request.user)
        return Response(self.get_serializer(self.get_object()).data)


def _written(kind: str, rows: Sequence[dict[str, str]]) -> tuple[bytes, list[str]]:
    """The rows as the file they would be, and the fields of its columns in their order."""
    order = [c.field for c in columns_of(kind) if any(c.field in row for row in rows)]
    titles = {column.field: column.zh for column in columns_of(kind)}
    text = io.StringIO()
    sheet = csv.writer(text)
    sheet.writerow(titles[name] for name in order)
    sheet.writerows([row.get(name, "") for name in order] for row in rows)
    return text.getvalue().encode("utf-8-sig"), order
