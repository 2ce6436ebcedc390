"""The figures of a page as a workbook: each table a sheet, with the numbers the page shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import FileResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from chains.spreadsheets import write_sheets
from chains.templatetags.localised import localised, place
from chains.templatetags.page import country
from events import statistics
from events.models import Event, Series

Sheet = tuple[str, Sequence[str], Iterable[Sequence[Any]]]


def _file(sheets: Iterable[Sheet], title: str, name: str) -> FileResponse:
    book = write_sheets(sheets, as_of=timezone.now(), title=title)
    answer = FileResponse(book, as_attachment=True, filename=f"{name}.xlsx")
    answer["Cache-Control"] = "private, no-store"
    return answer


def _from(row: dict[str, Any]) -> str:
    return localised(row["region"]) if row["region"] else country(row["country"])


def of_event(event: Event) -> FileResponse:
    return _file(_sheets_of_event(event), localised(event), f"figures-{event.public_id}")


def _sheets_of_event(event: Event) -> Iterable[Sheet]:
    bodies, persons, count = _("Bodies"), _("Persons"), _("Count")
    guests, funnel = statistics.guests(event), statistics.funnel(event)
    heads = statistics.heads(event)
    yield (
        _("Figures"),
        [_("Figure"), count],
        [
            [pgettext("funnel", "Invited"), funnel.invited],
            [pgettext("funnel", "Registered"), funnel.registered],
            [_("Confirmed"), funnel.confirmed],
            [_("Confirmed enterprises"), guests.enterprises],
            [_("Universities, banks, associations and others"), guests.bodies],
            [_("Seats confirmed"), guests.seats],
            [_("Delegates named"), guests.named],
            [_("Waiting for a decision"), guests.submitted],
            [_("On the waiting list"), guests.waiting],
            [_("Seats asked on the waiting list"), guests.waiting_seats],
            [_("Seats offered"), guests.offered_seats],
            [_("Persons, each once over all gates"), heads.inside],
            [_("Came"), funnel.came],
            [_("Persons who came"), funnel.persons],
            [_("Did not come"), funnel.absent],
        ],
    )
    yield (
        _("Seats by tier"),
        [_("Tier"), _("Seats"), _("Confirmed"), _("Offered"), _("Free"), _("Reserved until"), _("Waiting")],
        [
            [
                localised(one.tier), one.tier.seats, one.confirmed, one.offered, one.tier.free,
                one.tier.reserved_until, one.waiting,
            ]
            for one in statistics.tier_states(event)
        ],
    )  # fmt: skip
    yield (
        _("Registrations by day"),
        [_("Day"), _("Registrations"), _("Seats asked")],
        statistics.registrations_by_day(event),
    )
    yield (
        _("Confirmed by province"),
        [_("Province or country"), bodies, persons],
        [[_from(row), row["bodies"], row["seats"]] for row in statistics.guests_by_province(event)],
    )
    yield (
        _("Confirmed by region"),
        [_("Region"), bodies],
        [[place(region), number] for region, number in statistics.guests_by_city(event, None)],
    )
    yield (
        _("Confirmed by kind"),
        [_("Kind"), bodies, persons],
        [
            [localised(row["kind"]), row["bodies"], row["seats"]]
            for row in statistics.guests_by_kind(event)
        ],
    )
    yield (
        _("Confirmed by chain"),
        [_("Chain"), bodies],
        [[localised(chain), number] for chain, number in statistics.guests_by_chain(event)],
    )
    yield (
        _("Gates"),
        [_("Gate"), _("Scans"), _("of them again"), pgettext("scans", "Refused")],
        [
            [row["gate"], row["scans"], row["again"], row["refused"]]
            for row in statistics.by_gate(event)
        ],
    )


def of_series(series: Series) -> FileResponse:
    return _file(_sheets_of_series(series), localised(series), f"figures-{series.public_id}")


def _sheets_of_series(series: Series) -> Iterable[Sheet]:
    held, planned, target, events = (
        _("Held"),
        _("Planned"),
        _("Target"),
        pgettext("count", "Events"),
    )
    names = {
        "held": _("Events held"),
        "enterprises": _("Distinct enterprises"),
        "visits": _("Visits of enterprises"),
        "bodies": _("Universities, banks and other bodies"),
        "persons": _("Persons who came"),
        "first_event": _("First event, enterprises"),
    }
    figures = statistics.figures(series)
    yield _("Figures"), [_("Figure"), _("Count")], [[names[name], figures[name]] for name in names]
    yield (
        _("Against targets"),
        [_("Level"), _("Region"), held, planned, target],
        [
            *(
                [localised(row["level"]), "", row["held"], row["planned"], row["target"]]
                for row in statistics.by_level(series)
            ),
            *(
                [
                    localised(row["target"].level), place(row["target"].region), row["held"], row["planned"],
                    row["target"].value,
                ]
                for row in statistics.by_region_target(series)
            ),
        ],
    )  # fmt: skip
    if compared := statistics.year_on_year(series):
        yield (
            _("Year on year"),
            [
                _("Measure"),
                str(compared["before"].year),
                str(series.year),
                pgettext("figures", "Change"),
            ],
            [
                [names[row["measure"]], row["before"], row["now"], row["factor"]]
                for row in compared["rows"]
            ],
        )
    yield (
        _("By quarter"),
        [_("Quarter"), _("city and county events")],
        [[row["quarter"], row["count"]] for row in statistics.by_quarter(series)],
    )
    yield (
        _("By direction"),
        [_("Direction"), events],
        [[localised(row["direction"]), row["count"]] for row in statistics.by_direction(series)],
    )
    yield (
        _("By industrial cluster"),
        [_("Industrial cluster"), _("Region"), held, planned],
        [
            [
                localised(row["cluster"]),
                place(row["cluster"].region),
                row["held"],
                row["planned"],
            ]
            for row in statistics.by_cluster(series)
        ],
    )
    measures = ("enterprises", "visits", "bodies", "persons")
    found = statistics.participants_by_province(series)
    yield (
        _("Participants by province"),
        [pgettext("place", "From"), *(names[name] for name in measures)],
        [
            *([_from(row), *(row[name] for name in measures)] for row in found["rows"]),
            *(
                [localised(row["group"]), *(row[name] for name in measures)]
                for row in found["groups"]
            ),
        ],
    )
    yield (
        _("Events by county"),
        [_("County"), _("City"), events],
        [
            [localised(row["county"]), localised(row["county"].parent), row["events"]]
            for row in statistics.counties(series)
        ],
    )
    heat = statistics.by_chain_and_place(series)
    yield (
        _("Events by chain and place"),
        [pgettext("region", "Place"), *(localised(chain) for chain in heat["chains"])],
        [
            [localised(row["place"]), *(cell["count"] for cell in row["cells"])]
            for row in heat["rows"]
        ],
    )
