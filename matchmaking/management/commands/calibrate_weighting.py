"""Shows what reviewers' decisions say about the points, and on request drafts or activates a weighting."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from chains.errors import DomainError
from chains.models import Region, User
from matchmaking.engine.types import PART_NAMES
from matchmaking.models import Weighting
from matchmaking.services import calibration
from matchmaking.services.runs import weighting_of

_MEASURES = {
    "ndcg_decided": "nDCG@10, decided",
    "precision_decided": "precision, decided",
    "precision": "precision@10, whole list",
    "ndcg": "nDCG@10, whole list",
    "undecided": "undecided in first ten",
}
_VERDICTS = {
    "better": "The new version is better on decisions it was not learned from.",
    "worse": "The new version is worse on decisions it was not learned from.",
    "unclear": "No difference can be told from chance.",
}


class Command(BaseCommand):
    help = "Report how points agree with decisions; --learn drafts the next weighting, --activate puts a draft in force."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--province", metavar="CODE", help="region code; without it all provinces share"
        )
        act = parser.add_mutually_exclusive_group()
        act.add_argument(
            "--learn", action="store_true", help="draft version n+1 from the decisions"
        )
        act.add_argument("--activate", type=int, metavar="VERSION", help="put this draft in force")
        act.add_argument(
            "--roll-back",
            type=int,
            metavar="VERSION",
            help="put this retired version in force again",
        )
        act.add_argument(
            "--preview",
            type=int,
            metavar="VERSION",
            help="what this version would change; writes nothing",
        )
        parser.add_argument(
            "--by",
            metavar="EMAIL",
            help="the person in whose name it is done; their right is checked",
        )
        parser.add_argument("--reason", default="", help="why, kept with the version")  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        province = self._province(options["province"])
        # One language on one console: what is printed here is English, what services refuse would be the installation's.
        with translation.override("en"):
            try:
                self._do(province, options)
            except DomainError as error:
                raise CommandError(str(error)) from error

    def _do(self, province: Region | None, options: dict[str, Any]) -> None:
        if options["learn"]:
            by = self._person(options) if options["by"] else None
            self._tell(calibration.learn(province=province, by=by))
        elif options["activate"] is not None:
            draft = self._version(province, options["activate"])
            by = self._person(options)
            calibration.activate(weighting=draft, reason=options["reason"], by=by)
            self.stdout.write(
                f"Version {draft.version} is in force. Every open line is scored anew."
            )
        elif options["roll_back"] is not None:
            row = self._version(province, options["roll_back"])
            by = self._person(options)
            calibration.roll_back(to=row, province=province, reason=options["reason"], by=by)
            self.stdout.write(
                f"Version {row.version} is in force again. Every open line is scored anew."
            )
        elif options["preview"] is not None:
            self._preview(self._version(province, options["preview"]), province)
        else:
            self._look(province)

    # -- what is named ----------------------------------------------------------------------------

    def _province(self, code: str | None) -> Region | None:
        if code is None:
            return None
        found = Region.objects.provinces().filter(code=code).first()
        if found is None:
            raise CommandError(f"There is no province {code}.")
        return found

    def _person(self, options: dict[str, Any]) -> User:
        if not options["by"]:
            raise CommandError("A weighting is put in force by a person: --by EMAIL.")
        found = User.objects.at_address(options["by"]).filter(is_active=True).first()
        if found is None:
            raise CommandError(f"There is no account {options['by']}.")
        return found

    def _version(self, province: Region | None, version: int) -> Weighting:
        rows = Weighting.objects.filter(version=version)
        found = rows.filter(province=province).first() or rows.filter(province=None).first()
        if found is None:
            raise CommandError(f"There is no version {version}.")
        return found

    # -- what is printed --------------------------------------------------------------------------

    def _look(self, province: Region | None) -> None:
        in_force = weighting_of(province)
        known = calibration.decided(province)
        counts = known.counts
        self.stdout.write(f"In force: version {in_force.version}: {self._points(in_force)}")
        self.stdout.write(
            f"Decisions that teach: {counts.decisions} on {counts.requirements} requirements, "
            f"{counts.relevant} approved, {counts.not_relevant} rejected for the match itself. "
            f"{'Enough to learn from.' if counts.enough else 'Too few to learn from.'}"
        )
        for kind, count in sorted(known.kinds.items()):
            self.stdout.write(f"  {kind:28}{count:7}")
        self._bands("Points against approval", calibration.reliability(known, in_force))

    def _tell(self, draft: Weighting) -> None:
        report = draft.report
        counts, old = report["counts"], draft.based_on
        before = old.version if old is not None else 0
        self.stdout.write(
            f"Version {draft.version} is drafted from {counts['decisions']} decisions."
        )
        self.stdout.write(f"  version {before}: {self._points(old) if old is not None else ''}")
        self.stdout.write(f"  version {draft.version}: {self._points(draft)}")
        self.stdout.write("")
        self.stdout.write(f"{'':28}{'lines':>7}{'old':>8}{'new':>8}   95 % of the change")
        for name, label in _MEASURES.items():
            self._row(label, report["measures"][name])
        for title, key in (
            ("By chain (nDCG@10, decided)", "chain"),
            ("By languages (nDCG@10, decided)", "languages"),
        ):
            self.stdout.write(title)
            for row in report["groups"][key]:
                self._row(f"  {row['key'] or '-'}", row)
        self._sizes(report["sizes"])
        for name in ("old", "new"):
            self._bands(f"Points against approval, {name}", report["reliability"][name])
        self.stdout.write("")
        self.stdout.write(_VERDICTS[report["verdict"]])
        self.stdout.write("Nothing changes until somebody activates it.")

    def _points(self, weighting: Weighting) -> str:
        return ", ".join(f"{name} {weighting.weights[name]}" for name in PART_NAMES)

    def _row(self, label: str, row: dict[str, Any]) -> None:
        if not row["lines"]:
            self.stdout.write(f"{label:28}{0:7}{'-':>8}{'-':>8}")
            return
        low, high = row["low"], row["high"]
        interval = "too few" if low is None else f"{low:+.3f} to {high:+.3f}"
        self.stdout.write(
            f"{label:28}{row['lines']:7}{row['old']:8.3f}{row['new']:8.3f}   {interval}"
        )

    def _sizes(self, sizes: dict[str, list[dict[str, Any]]]) -> None:
        self.stdout.write(
            f"{'By size':28}{'listed':>8}{'top old':>9}{'top new':>9}{'place':>14}{'approved':>10}"
        )
        for rows in sizes.values():
            for row in rows:
                approved = "-" if row["approved"] is None else f"{row['approved']:.0%}"
                place = f"{row['rank_old']} > {row['rank_new']}"
                self.stdout.write(
                    f"  {row['key'] or 'not on record':26}{row['listed']:8.0%}{row['shown_old']:9.0%}"
                    f"{row['shown_new']:9.0%}{place:>14}{approved:>10}"
                )

    def _bands(self, title: str, table: dict[str, Any]) -> None:
        self.stdout.write(title)
        for band in table["bands"]:
            share = "-" if band["share"] is None else f"{band['share']:.0%}"
            name = f"{band['from'] // 10}-{band['to'] // 10}"
            self.stdout.write(f"  {name:26}{band['pairs']:7}{share:>8}")

    def _preview(self, weighting: Weighting, province: Region | None) -> None:
        found = calibration.preview(weighting=weighting, province=province, by=None)
        self.stdout.write(
            f"Of {found.lines} lists of open lines ({found.lines_open} are open), {found.changed} would show other "
            f"suppliers among the first ten and {found.reordered} the same ones in another order."
        )
        for mover in found.movers:
            self.stdout.write(
                f"  line {mover.match.line.public_id}, supplier {mover.match.supplier.public_id}: place {mover.place_old} > "
                f"{mover.place_new}, points {mover.tenths_old / 10:g} > {mover.tenths_new / 10:g}"
            )
