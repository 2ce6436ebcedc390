"""The figures of a page to take along, with the numbers it shows: a workbook of all tables, or one table as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from chains.spreadsheets import write_sheets
from chains.templatetags.localised import localised, place
from chains.templatetags.page import country
from chains.views.sheets import csv_response
from events import statistics
from events.models import Event, Series

# The tables of each page by the word that stands in their address.
OF_EVENT: dict[str, Promise] = {
    "figures": gettext_lazy("Figures"),
    "tiers": gettext_lazy("Seats by tier"),
    "days": gettext_lazy("Registrations by day"),
    "provinces": gettext_lazy("Confirmed by province"),
    "regions": gettext_lazy("Confirmed by region"),
    "kinds": gettext_lazy("Confirmed by kind"),
    "chains": gettext_lazy("Confirmed by chain"),
    "gates": gettext_lazy("Gates"),
}
OF_SERIES: dict[str, Promise] = {
    "figures": gettext_lazy("Figures"),
    "targets": gettext_lazy("Against targets"),
    "years": gettext_lazy("Year on year"),
    "quarters": gettext_lazy("By quarter"),
    "directions": gettext_lazy("By direction"),
    "clusters": gettext_lazy("By industrial cluster"),
    "provinces": gettext_lazy("Participants by province"),
    "counties": gettext_lazy("Events by county"),
    "places": gettext_lazy("Events by chain and place"),
}
Table = tuple[str, Sequence[str], Iterable[Sequence[Any]]]


def of_event(request: HttpRequest, event: Event) -> HttpResponseBase | None:
    """The file that is asked for; None where the page is."""
    return _file(
        request, _tables_of_event(event), OF_EVENT, localised(event), f"figures-{event.public_id}"
    )


def of_series(request: HttpRequest, series: Series) -> HttpResponseBase | None:
    return _file(
        request,
        _tables_of_series(series),
        OF_SERIES,
        localised(series),
        f"figures-{series.public_id}",
    )


def _file(
    request: HttpRequest,
    tables: Iterable[Table],
    titles: dict[str, Promise],
    title: str,
    name: str,
) -> HttpResponseBase | None:
    answer: HttpResponseBase
    if request.GET.get("export") == "xlsx":
        sheets = ((str(titles[key]), headers, rows) for key, headers, rows in tables)
        book = write_sheets(sheets, as_of=timezone.now(), title=title)
        answer = FileResponse(book, as_attachment=True, filename=f"{name}.xlsx")
    elif request.GET.get("export") == "csv":
        asked = request.GET.get("table", "")
        _key, headers, rows = next((one for one in tables if one[0] == asked), (None, [], []))
        if _key is None:
            raise Http404
        answer = csv_response(f"{name}-{asked}.csv", headers, rows)
    else:
        return None
    answer["Cache-Control"] = "private, no-store"
    return answer


def _from(row: dict[str, Any]) -> str:
    return localised(row["region"]) if row["region"] else country(row["country"])


def _tables_of_event(event: Event) -> Iterable[Table]:
    bodies, persons, count = _("Bodies"), _("Persons"), _("Count")
    guests, funnel = statistics.guests(event), statistics.funnel(event)
    heads = statistics.heads(event)
    yield (
        "figures",
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
        "tiers",
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
        "days",
        [_("Day"), _("Registrations"), _("Seats asked")],
        statistics.registrations_by_day(event),
    )
    yield (
        "provinces",
        [_("Province or country"), bodies, persons],
        [[_from(row), row["bodies"], row["seats"]] for row in statistics.guests_by_province(event)],
    )
    yield (
        "regions",
        [_("Region"), bodies],
        [[place(region), number] for region, number in statistics.guests_by_city(event, None)],
    )
    yield (
        "kinds",
        [_("Kind"), bodies, persons],
        [
            [localised(row["kind"]), row["bodies"], row["seats"]]
            for row in statistics.guests_by_kind(event)
        ],
    )
    yield (
        "chains",
        [_("Chain"), bodies],
        [[localised(chain), number] for chain, number in statistics.guests_by_chain(event)],
    )
    yield (
        "gates",
        [_("Gate"), _("Scans"), _("of them again"), pgettext("scans", "Refused")],
        [
            [row["gate"], row["scans"], row["again"], row["refused"]]
            for row in statistics.by_gate(event)
        ],
    )


def _tables_of_series(series: Series) -> Iterable[Table]:
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
    yield "figures", [_("Figure"), _("Count")], [[names[name], figures[name]] for name in names]
    yield (
        "targets",
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
            "years",
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
        "quarters",
        [_("Quarter"), _("city and county events")],
        [[row["quarter"], row["count"]] for row in statistics.by_quarter(series)],
    )
    yield (
        "directions",
        [_("Direction"), events],
        [[localised(row["direction"]), row["count"]] for row in statistics.by_direction(series)],
    )
    yield (
        "clusters",
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
        "provinces",
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
        "counties",
        [_("County"), _("City"), events],
        [
            [localised(row["county"]), localised(row["county"].parent), row["events"]]
            for row in statistics.counties(series)
        ],
    )
    heat = statistics.by_chain_and_place(series)
    yield (
        "places",
        [pgettext("region", "Place"), *(localised(chain) for chain in heat["chains"])],
        [
            [localised(row["place"]), *(cell["count"] for cell in row["cells"])]
            for row in heat["rows"]
        ],
    )
