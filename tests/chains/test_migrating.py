from __future__ import annotations

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

from chains import migrating

ID = ("id", models.BigAutoField(primary_key=True))
COLOUR = models.CheckConstraint(condition=~models.Q(colour=""), name="has_a_colour")


def create(name):
    return migrations.CreateModel(name, [ID])


def text(model, name, kind=migrations.AddField):
    return kind(model, name, models.CharField(max_length=9, default=""))


def in_groups(*operations):
    return [len(group) for group in migrating._groups(operations)]


def test_new_tables_share_one_picture_and_what_is_added_to_them_has_the_next():
    assert in_groups(
        TrigramExtension(),
        create("Dog"),
        create("Cat"),
        text("dog", "colour"),
        text("cat", "colour"),
        migrations.AddConstraint("dog", COLOUR),
        create("Hare"),
        migrations.RunSQL("SELECT 1"),
        migrations.RunSQL("SELECT 2"),
    ) == [1, 2, 3, 1, 1, 1]


def test_field_that_is_changed_twice_is_pictured_in_between():
    assert in_groups(
        text("dog", "colour"),
        text("Dog", "size"),
        text("Dog", "Colour", migrations.AlterField),
        migrations.RemoveField("dog", "colour"),
    ) == [2, 1, 1]
