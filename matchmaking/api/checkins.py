from __future__ import annotations

from typing import Any

from rest_framework import serializers

from events.models import CheckIn, Delegate
from matchmaking.api.enterprises import EnterpriseNameSerializer

# Named so that the schema has one name for each set (SPECTACULAR_SETTINGS).
CHECK_IN_KINDS = CheckIn.Kind.choices
CHECK_IN_ANSWERS = CheckIn.Answer.choices


class GuestSerializer(serializers.ModelSerializer[Delegate]):
    enterprise = EnterpriseNameSerializer(source="registration.enterprise", read_only=True)

    class Meta:
        model = Delegate
        fields = ("public_id", "name", "job_title", "enterprise")


class CheckInSerializer(serializers.ModelSerializer[CheckIn]):
    """A scan as it is kept. `delegate` is null where the code was unknown or of another event."""

    delegate = GuestSerializer(read_only=True, allow_null=True)

    class Meta:
        model = CheckIn
        fields = ("nonce", "kind", "answer", "gate", "scanned_at", "received_at", "delegate")


class FirstScanSerializer(serializers.ModelSerializer[CheckIn]):
    class Meta:
        model = CheckIn
        fields = ("gate", "scanned_at")


class ScanAnswerSerializer(CheckInSerializer):
    """What a door is told. `first` is the scan that let the person in; heads are counted once over all gates."""

    first = FirstScanSerializer(read_only=True, allow_null=True)
    inside = serializers.IntegerField(read_only=True)
    expected = serializers.IntegerField(read_only=True)

    class Meta(CheckInSerializer.Meta):
        fields = (*CheckInSerializer.Meta.fields, "first", "inside", "expected")  # type: ignore[assignment]  # some more


class ScanSerializer(serializers.Serializer[Any]):
    """One scan. Sent again with its nonce it is answered the same and counted once; keep it until it is answered."""

    nonce = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=("in", "undo", "walk_in"), required=False, default="in")
    code = serializers.CharField(
        max_length=200,
        required=False,
        default="",
        help_text="The link on the badge, its key, or the short code.",
    )
    delegate = serializers.CharField(max_length=12, required=False, default="")
    enterprise = serializers.CharField(
        max_length=12, required=False, default="", help_text="Of a walk-in."
    )
    name = serializers.CharField(
        max_length=80, required=False, default="", help_text="Of a walk-in."
    )
    gate = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)
    scanned_at = serializers.DateTimeField(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = {
            "in": ("code", "delegate"), "undo": ("delegate",), "walk_in": ("enterprise",),
        }[attrs["kind"]]  # fmt: skip
        if not any(attrs[name] for name in needed):
            said = serializers.Field.default_error_messages["required"]
            raise serializers.ValidationError(dict.fromkeys(needed, said))
        return attrs
