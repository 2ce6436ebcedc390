"""The plan through the services, in the order of its days."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from typing import Any

from django.utils import timezone

from chains.models import (
    Category,
    Certification,
    CertificationKind,
    Chain,
    CooperationKind,
    DockingKind,
    Enterprise,
    EnterpriseGroup,
    Project,
    Province,
    Qualification,
    QualificationKind,
    Region,
    Requirement,
    Unit,
    User,
)
from chains.models import Contact as ContactRow
from chains.searchtext import document
from chains.services import accounts as members
from chains.services import (
    capabilities,
    contacts,
    enterprises,
    projects,
    requirement_drafts,
    requirements,
)
from chains.services.requirement_writing import ConditionDraft, LineDraft
from chains.services.requirements import RemarkDraft
from matchmaking.demo import accounts, papers, places
from matchmaking.demo.clock import at, day, days_ago
from matchmaking.demo.names import Words
from matchmaking.demo.participants import Market, Offer, Participant
from matchmaking.demo.postings import Line, Posting, Venture
from matchmaking.models import Weighting


class History:
    """Everything that has happened so far: rows by the keys of the plan."""

    def __init__(self, market: Market, postings: Iterable[Posting]) -> None:
        self.market, self.postings = market, list(postings)
        self.users: dict[str, User] = {}
        self.bodies: dict[str, Enterprise] = {}
        self.contacts: dict[str, ContactRow] = {}
        self.requirements: list[tuple[Posting, Requirement]] = []
        self.truth: dict[str, Any] = {"lines": {}, "decoys": {}, "only_by": {}}
        self._desks: dict[str, User] = {}
        self._regions = Region.objects.in_bulk(field_name="code")
        self._categories = Category.objects.in_bulk(field_name="code")
        self._units = Unit.objects.in_bulk(field_name="code")
        self._chains = Chain.objects.in_bulk(field_name="code")
        self._docking = DockingKind.objects.in_bulk(field_name="code")
        self._cooperation = CooperationKind.objects.in_bulk(field_name="code")
        self._qualifications = QualificationKind.objects.in_bulk(field_name="code")
        self._certifications = CertificationKind.objects.in_bulk(field_name="code")

    # --- The province, its desks ------------------------------------------------------------------------

    def found_province(self) -> None:
        with at(days_ago(90)):
            self.users = accounts.create()
            # Shipped with the software, which was there before anything was compared by it.
            Weighting.objects.active().filter(province=None).update(activated_at=timezone.now())
            Province.objects.update_or_create(
                region=self._regions[places.ZHEJIANG],
                defaults={
                    "name_zh": "浙江省",
                    "name_en": "Zhejiang",
                    "gap_public": True,
                    "verification_days": 3,
                    "holidays": _holidays(),
                },
            )
        admin = self.users["admin"]
        for body in accounts.BODIES:
            with at(days_ago(80)):
                row = self._register(self.market.of(body.key), self.users[body.key])
                enterprises.verify(enterprise=row, by=admin)
                members.grant_role(
                    user=self.users[body.key],
                    body=row,
                    region=self._regions[body.desk],
                    role="organiser",
                    by=admin,
                )
            self._desks[body.desk] = self.users[body.key]
            self._offer(self.market.of(body.key), row)
        with at(days_ago(79)):
            members.grant_role(
                user=self.users["analyst"],
                body=self.bodies["province"],
                region=self._regions[places.ZHEJIANG],
                role="analyst",
                by=admin,
            )

    def desk_of(self, enterprise: Enterprise) -> User:
        """Who decides: the nearest desk up the tree, the administrator where none is."""
        for code in reversed(enterprise.region.codes if enterprise.region else ()):
            desk = self._desks.get(code)
            if desk is not None and enterprise.pk not in desk.enterprise_ids:
                return desk
        return self.users["admin"]

    # --- Participants -----------------------------------------------------------------------------------

    def register_all(self) -> None:
        people = [one for one in self.market.people if one.key not in self.bodies]
        self.users.update(
            accounts.strangers([one.key for one in people if one.key not in self.users])
        )
        for one in sorted(people, key=lambda one: -one.days_ago):
            with at(days_ago(one.days_ago, 9)):
                row = self._register(one, self.users[one.key])
                self._claim_proofs(one, row)
            if one.state == "pending":
                continue
            with at(days_ago(max(one.days_ago - 2, 0.4), 11)):
                self._decide(one, row)
            self._offer(one, row)
        self._join_others()

    def _register(self, one: Participant, owner: User) -> Enterprise:
        row = enterprises.register(
            name=one.name.en if one.language == "en" and one.country != "CN" else one.name.zh,
            name_en=one.name.en,
            by=owner,
            scheme="uscc" if one.country == "CN" else "foreign",
            country=one.country,
            number=one.number,
            kind=one.kind,
            region=self._regions.get(one.region),
            longitude=one.spot[0] if one.spot else None,
            latitude=one.spot[1] if one.spot else None,
            summary=_in(one.summary, one.language) if one.summary else "",
            summary_language="en" if one.language == "en" else "zh",
            licence=papers.licence(one),
        )
        self.bodies[one.key] = row
        return row

    def _claim_proofs(self, one: Participant, row: Enterprise) -> None:
        owner = self.users[one.key]
        # Without a paper it stays stated; with one it waits at the desk. Both are to be seen.
        shown = one.stated if one.days_ago % 3 == 0 else []
        for code in one.qualifications:
            kind = self._qualifications[code]
            enterprises.claim_qualification(
                enterprise=row,
                kind=kind,
                issuer=kind.issuer_zh,
                evidence=papers.certificate(kind, row) if code in shown else None,
                valid_from=day(-260),
                valid_until_on=day(880),
                by=owner,
            )
        for number, code in enumerate(one.certifications):
            held = self._certifications[code]
            enterprises.claim_certification(
                enterprise=row,
                kind=held,
                evidence=papers.certificate(held, row) if code in shown else None,
                number=f"DEMO-{row.pk:05d}-{number}",
                valid_from=day(-200),
                valid_until_on=day(900),
                by=owner,
            )

    def _decide(self, one: Participant, row: Enterprise) -> None:
        desk = self.desk_of(row)
        if one.state == "returned":
            enterprises.return_(enterprise=row, reason="营业执照不清晰，请重新上传首页。", by=desk)
            return
        enterprises.verify(enterprise=row, by=desk)
        proofs: list[Qualification | Certification] = []
        proofs += Qualification.objects.filter(enterprise=row).select_related("kind").order_by("pk")
        proofs += Certification.objects.filter(enterprise=row).select_related("kind").order_by("pk")
        for proof in proofs:
            if proof.kind.code not in one.stated:
                enterprises.decide_proof(proof=proof, accept=True, by=desk)
        row.refresh_from_db()

    def _offer(self, one: Participant, row: Enterprise) -> None:
        if one.state == "returned":
            return
        owner = self.users[one.key]
        with at(days_ago(max(one.days_ago - 3, 0.3), 15)):
            self.contacts[one.key] = contacts.save_contact(
                enterprise=row,
                by=owner,
                name=f"联系人 {row.pk % 100:02d} / Contact {row.pk % 100:02d}",
                job_title="供应链负责人 / Supply chain",
                phone=f"000-0000-{row.pk % 10_000:04d}",
                email=f"contact{row.pk:04d}@example.com",
            )
            for place, offer in enumerate(one.offers):
                has_supplied = place == 0 and one.key == "supplier"
                self._publish_offer(offer, row, owner, has_supplied=has_supplied)
            if one.state == "suspended":
                enterprises.suspend(
                    enterprise=row, reason="年报信息与登记不符，核实前暂停。", by=self.desk_of(row)
                )

    def _publish_offer(
        self, offer: Offer, row: Enterprise, owner: User, *, has_supplied: bool
    ) -> None:
        zh, en = offer.language in ("zh", "both"), offer.language in ("en", "both")
        capability = capabilities.save_draft(
            enterprise=row,
            by=owner,
            categories=[self._categories[offer.filed]] if offer.filed else [],
            cooperation_kinds=[self._cooperation[code] for code in offer.cooperation],
            title_zh=offer.title.zh[:120] if zh else "",
            text_zh=offer.words.zh if zh else "",
            title_en=offer.title.en[:160] if en else "",
            text_en=offer.words.en if en else "",
            yearly_capacity=offer.capacity.value if offer.capacity else None,
            unit=self._units[offer.capacity.unit] if offer.capacity else None,
            lead_time_days=offer.lead_time_days,
            sample_days=offer.sample_days,
            is_new=offer.is_new,
            references=_references(offer, zh=zh) if has_supplied else None,
        )
        capabilities.publish(capability=capability, by=owner)
        if offer.is_decoy:
            self.truth["decoys"][capability.public_id] = offer.leaf

    def _join_others(self) -> None:
        """A viewer at the buyer's, a request that waits, two affiliates, known bodies without members."""
        buyer = self.bodies["buyer"]
        with at(days_ago(20)):
            asked = members.request_join(enterprise=buyer, by=self.users["viewer"], role="viewer")
            members.decide_membership(membership=asked, accept=True, by=self.users["buyer"])
        with at(days_ago(0.3)):
            members.request_join(enterprise=buyer, by=self.users["desk"])
        pair = [self.bodies[key] for key in ("owner-pv", "owner-lb")]
        group = EnterpriseGroup.objects.create(name="示例新能源集团 / Demo New Energy Group")
        Enterprise.objects.filter(pk__in=[row.pk for row in pair]).update(group=group)
        with at(days_ago(18)):
            self._mandate()

    def _mandate(self) -> None:
        posting = next((one for one in self.postings if one.posted_by), None)
        if posting is None:
            return
        mandate = members.offer_mandate(
            association=self.bodies["association"],
            member=self.bodies[posting.owner],
            by=self.users["association"],
        )
        members.accept_mandate(mandate=mandate, by=self.users[posting.owner])

    # --- Requirements -----------------------------------------------------------------------------------

    def post_all(self, hold_back: Callable[[Requirement], object]) -> None:
        """`hold_back` puts a submitted one on the list of an event whose moment is still to come."""
        for posting in sorted(self.postings, key=lambda one: -one.days_ago):
            self._post(posting, hold_back)
        requirements.close_due()

    def _post(self, posting: Posting, hold_back: Callable[[Requirement], object]) -> None:
        enterprise = self.bodies[posting.owner]
        by = self.users[posting.posted_by or posting.owner]
        with at(days_ago(posting.days_ago, 9)):
            requirement = self._draft(posting, enterprise, by)
            if posting.state != "draft":
                requirements.submit(requirement=requirement, by=by)
        self.requirements.append((posting, requirement))
        if posting.state in ("draft", "submitted"):
            return
        with at(days_ago(max(posting.days_ago - 0.4, 0.05), 10)):
            if posting.state == "embargoed":
                hold_back(requirement)
            desk = self.desk_of(enterprise)
            if posting.state == "returned":
                first = requirement.lines.order_by("number").first()
                remark = RemarkDraft(text="请补充规格、数量和单位，供应商才能报价。", line=first)
                requirements.return_(requirement=requirement, remarks=[remark], by=desk)
                return
            requirements.approve(requirement=requirement, by=desk)
        if posting.state in ("filled", "withdrawn"):
            with at(days_ago(0.2)):
                self._end(posting, requirement, by)

    def _end(self, posting: Posting, requirement: Requirement, by: User) -> None:
        if posting.state == "withdrawn":
            requirements.withdraw(requirement=requirement, by=by)
            return
        for line in requirement.lines.order_by("number"):
            requirements.fill_line(line=line, by=by)

    def _draft(self, posting: Posting, enterprise: Enterprise, by: User) -> Requirement:
        closes = day(posting.closes_in)
        zh = posting.language == "zh"
        project = self._project(posting.project, posting, enterprise, by)
        requirement = requirement_drafts.save(
            enterprise=enterprise,
            by=by,
            title=_in(posting.title, posting.language)[:160],
            text=_in(posting.text, posting.language) if posting.text else "",
            language=posting.language,
            docking_kind=self._docking[posting.docking_kind],
            seeks=posting.seeks,
            chain=self._chains.get(posting.chain),
            region=self._regions.get(posting.region),
            project=project,
            needed_by_on=day(posting.needed_in),
            closes_on=closes,
            answer_by_on=closes + datetime.timedelta(days=10),
            is_urgent=posting.is_urgent,
            import_substitution=posting.import_substitution,
            contact=self.contacts[posting.owner],
            contact_policy=posting.policy,
            cooperation_kinds=[self._cooperation[code] for code in posting.cooperation],
            lines=[self._line(line) for line in posting.lines],
            conditions=[ConditionDraft(kind=t.kind, text=t.text, strength=t.strength) for t in posting.terms],
            questions=[q.zh if zh else q.en for q in posting.questions],
        )  # fmt: skip
        for row, line in zip(requirement.lines.order_by("number"), posting.lines, strict=True):
            self.truth["lines"][row.public_id] = line.leaf
            if posting.planted:
                kind, _colon, key = posting.planted.partition(":")
                self.truth["only_by"][kind] = {
                    "line": row.public_id,
                    "supplier": self.bodies[key].public_id,
                }
        return requirement

    def _project(self, venture: Venture | None, posting: Posting, enterprise: Enterprise, by: User) -> Project | None:  # fmt: skip
        if venture is None:
            return None
        return projects.save(
            enterprise=enterprise,
            by=by,
            name=_in(venture.name, posting.language),
            chain=self._chains.get(posting.chain),
            region=self._regions.get(posting.region),
            amount_cents=venture.yuan * 100,
            stage=venture.stage,
            needed_by_on=day(posting.needed_in),
        )

    def _line(self, line: Line) -> LineDraft:
        amount = line.amount
        return LineDraft(
            text=line.text,
            specification=line.specification,
            category=self._categories[line.leaf] if line.leaf and line.is_filed else None,
            quantity=amount.value if amount else None,
            unit=self._units[amount.unit] if amount else None,
            period=amount.period if amount else "once",
            conditions=[
                ConditionDraft(kind=t.kind, text=t.text, strength=t.strength) for t in line.terms
            ],
        )


def know_unclaimed(market: Market, count: int) -> None:
    """Bodies that are known but have no member: they can be found and invited, never matched."""
    rows = []
    for serial, one in enumerate(market.enterprises()[:count]):
        name = Words(
            one.name.zh.replace("示例", "示例待邀"), one.name.en.replace("Demo", "Demo Known")
        )
        rows.append(
            Enterprise(
                name=name.zh,
                name_en=name.en,
                number=None,
                scheme="uscc",
                status=Enterprise.Status.UNCLAIMED,
                region=None,
                search_text=document("", names=[name.zh, name.en]),
                sort_key=f"known {serial:04d}",
            )
        )
    Enterprise.objects.bulk_create(rows)


def _references(offer: Offer, *, zh: bool) -> list[dict[str, Any]]:
    """Customers are not named: none is said to have agreed."""
    title = (offer.title.zh if zh else offer.title.en)[:120]
    given = (
        (Words("某装备制造企业", "a maker of equipment"), Words("江苏", "Jiangsu"), 400),
        (Words("某示范项目业主", "the owner of a pilot plant"), Words("内蒙古", "Inner Mongolia"), 800),
    )  # fmt: skip
    return [
        {
            "text": title,
            "customer": customer.zh if zh else customer.en,
            "place": place.zh if zh else place.en,
            "year": day(-ago).year,
        }
        for customer, place, ago in given
    ]


def _in(words: Words, language: str) -> str:
    return words.en if language == "en" else words.zh


def _holidays() -> list[datetime.date]:
    """The province's own list of days on which desks rest, for this year and the next."""
    year = day(0).year
    days = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
    return [datetime.date(y, month, day) for y in (year, year + 1) for month, day in days]
