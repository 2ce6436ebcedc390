"""One small market with everybody and everything in it, for the tests that walk all addresses.

Texts that not everybody may read carry a canary: a word that stands nowhere else.
"""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser
from django.core.files.base import ContentFile
from django.utils import timezone
from rest_framework.authtoken.models import Token

from chains.models import (
    CapabilityPhoto,
    Certification,
    CertificationKind,
    Evidence,
    GroupProposal,
    Import,
    Mandate,
    MemberInvitation,
    Membership,
    Notification,
    Project,
    Province,
    Qualification,
    QualificationKind,
    Remark,
    Report,
    RequirementFile,
)
from events.models import (
    Delegate,
    EventDocument,
    EventStaff,
    FormAnswer,
    FormQuestion,
    Invitation,
    Listing,
)
from matchmaking.models import Alert, Decision, Digest, InterestAttachment, SavedSearch
from matchmaking.services import interests
from tests.factories.chains import (
    AdministratorFactory,
    CapabilityFactory,
    ContactFactory,
    EnterpriseFactory,
    MembershipFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    RequirementLineFactory,
    UserFactory,
    region,
)
from tests.factories.events import (
    EventFactory,
    ProgrammeFactory,
    RegistrationFactory,
    SeriesFactory,
)
from tests.factories.matchmaking import (
    InterestFactory,
    MatchFactory,
    MatchRunFactory,
    draft_weighting,
    weighting_1,
)

# Who walks. "Member" roles are those of the buyer; the organiser works for the host of the events in the
# buyer's city, the other one in a city at the other end of the country, where the stranger's enterprise is.
ROLES = (
    "visitor",
    "newcomer",
    "stranger",
    "supplier",
    "viewer",
    "editor",
    "owner",
    "organiser",
    "elsewhere",
    "analyst",
    "administrator",
)

# Beside them, for what leaks (R7): who works at the event and not for its host, and a supplier that the buyer has
# accepted. They join for their own walk only, so that nobody else's world has them in it.
BESIDE = ("scanner", "moderator", "accepted")

CANARIES = {
    "buyer contact": ("Qcontactname", "000-1111-7001", "qbuyer@canary.example", "qbuyerwechat", "Qcontactjob"),
    "supplier contact": ("Qsuppliername", "000-1111-7002", "qsupplier@canary.example", "qsupplierwechat", "Qsupplierjob"),
    "delegate": ("Qdelegatename", "Qdelegatejob"),
    "answer": ("Qanswertext", "Qanswerfile"),
    "interest": ("Qinterestmessage",),
    "draft": ("Qdrafttitle", "Qdraftline", "Qdraftquestion"),
    "embargoed": ("Qembargotitle", "Qembargoline"),
    "submitted": ("Qsubmittedtitle", "Qsubmittedline"),
    "remark": ("Qremark",),
    "capability draft": ("Qcapabilitydraft",),
    "event draft": ("Qeventdraft",),
    "series being prepared": ("Qprogramme",),
    "licence": ("Qlicencename", "Qlicencebody"),
    "decision": ("Qdecisionnote",),
    "pending enterprise": ("Qpendingenterprise",),
    "token": ("qtoken0000000000000000000000000000canary",),
    "attachment": ("Qattachmentname", "Qattachmentbody"),
    "drawing": ("Qdrawingname", "Qdrawingbody"),
    "invited": ("qinvited@canary.example",),
    "report": ("Qreportnote",),
    "saved search": ("Qsavedsearch",),
    "phone": ("13900007003",),
    "account": ("qowner@canary.example", "qsupplieraccount@canary.example", "qorganiser@canary.example"),
}  # fmt: skip
# A search for this finds everything; the canary itself would be echoed by the search box.
FOUND_BY = "光伏接线盒"


LOGO = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32  # its beginning says what it is


def build() -> SimpleNamespace:
    world = SimpleNamespace()
    world.province = Province.objects.get(region__code="330000")
    world.province.logo, world.province.colour = LOGO, "#0b5563"
    world.province.save()
    _people(world)
    _register(world)
    _requirements(world)
    _gathering(world)
    _introduction(world)
    return world


def joined(world, role):
    """The same world with one of those beside in it."""
    if role == "accepted":
        membership = MembershipFactory(enterprise__name="示例已接受有限公司")
        person = membership.user
        accepted = InterestFactory(
            requirement=world.published, enterprise=membership.enterprise, sent_by=person,
            contact=ContactFactory(enterprise=membership.enterprise),
        )  # fmt: skip
        accepted.lines.set([world.published_line])
        interests.accept(interest=accepted, by=world.people["owner"])
    else:
        person = UserFactory()
        staff = {"scanner": EventStaff.Role.DESK, "moderator": EventStaff.Role.MODERATOR}
        EventStaff.objects.create(event=world.event, user=person, role=staff[role])
    return SimpleNamespace(**vars(world) | {"people": world.people | {role: person}})


def _contact(enterprise, key):
    name, phone, email, wechat, job = CANARIES[key]
    return ContactFactory(
        enterprise=enterprise, name=name, phone=phone, email=email, wechat=wechat, job_title=job
    )


def _people(world):
    far = region("440305")
    world.buyer = EnterpriseFactory(name="示例采购方有限公司", name_en="Demo Buyer Co., Ltd.")
    world.supplying = EnterpriseFactory(
        name="示例供应方有限公司", name_en="Demo Supplier Co., Ltd."
    )
    world.rival = EnterpriseFactory(name="示例另一供应方有限公司", name_en="Demo Rival Co., Ltd.")
    world.foreign = EnterpriseFactory(
        name="示例外地有限公司", name_en="Demo Far Co., Ltd.", region=far
    )
    world.host = EnterpriseFactory(
        name="示例市经信局", name_en="Demo City Bureau", kind_id="government", scheme="other",
        number=None, region=region("330400"),
    )  # fmt: skip
    owner, supplier, organiser = CANARIES["account"]
    role = OrganiserRoleFactory(body=world.host, user__email=organiser)
    away = region("440300")
    world.people = {
        "visitor": AnonymousUser(),
        "newcomer": UserFactory(),
        "stranger": MembershipFactory(enterprise=world.foreign).user,
        "supplier": MembershipFactory(enterprise=world.supplying, user__email=supplier).user,
        "viewer": MembershipFactory(enterprise=world.buyer, role="viewer").user,
        "editor": MembershipFactory(enterprise=world.buyer, role="editor").user,
        "owner": MembershipFactory(
            enterprise=world.buyer, user__email=owner, user__phone=f"+86{CANARIES['phone'][0]}"
        ).user,
        "organiser": role.user,
        "elsewhere": OrganiserRoleFactory(region=away, body__region=away).user,
        "analyst": OrganiserRoleFactory(role="analyst").user,
        "administrator": AdministratorFactory(),
    }
    world.below = OrganiserRoleFactory(role="analyst", region=region("330481"))
    assert tuple(world.people) == ROLES
    Token.objects.create(user=world.people["owner"], key=CANARIES["token"][0])


def _register(world):
    world.applicant = UserFactory()
    world.membership = Membership.objects.create(
        user=world.applicant, enterprise=world.buyer, status="requested"
    )
    world.invited = MemberInvitation.objects.create(
        enterprise=world.buyer, email=CANARIES["invited"][0], invited_by=world.people["owner"],
        expires_on=timezone.localdate() + timedelta(days=14),
    )  # fmt: skip
    newcomer = world.people["newcomer"]
    EmailAddress.objects.create(user=newcomer, email=newcomer.email, verified=True, primary=True)
    world.invited_here = MemberInvitation.objects.create(
        enterprise=world.buyer, email=newcomer.email.lower(), invited_by=world.people["owner"],
        expires_on=timezone.localdate() + timedelta(days=14),
    )  # fmt: skip
    world.pending = EnterpriseFactory(
        pending=True,
        name=f"{FOUND_BY} {CANARIES['pending enterprise'][0]}",
        name_en=f"{FOUND_BY} {CANARIES['pending enterprise'][0]}",
        search_text=f"{FOUND_BY} {CANARIES['pending enterprise'][0]}".lower(),
    )
    name, body = CANARIES["licence"]
    world.evidence = Evidence(
        enterprise=world.buyer, purpose="licence", original_name=f"{name}.pdf",
        content_type="application/pdf", size=20, sha256="0" * 64, uploaded_by=world.people["owner"],
    )  # fmt: skip
    world.evidence.file.save("licence.pdf", ContentFile(f"%PDF-1.4 {body}".encode()))
    world.proof = Qualification.objects.create(
        enterprise=world.buyer, kind=QualificationKind.objects.get(code="srdi_sme"),
        valid_from=timezone.localdate(), evidence=world.evidence,
    )  # fmt: skip
    world.certification_kind = CertificationKind.objects.first()
    world.certificate = Certification.objects.create(
        enterprise=world.buyer, kind=world.certification_kind, valid_from=timezone.localdate()
    )
    world.capability = CapabilityFactory(enterprise=world.supplying)
    draft = f"{FOUND_BY} {CANARIES['capability draft'][0]}"
    world.capability_draft = CapabilityFactory(
        enterprise=world.buyer, title_zh=draft, text_zh=draft, title_en=draft, text_en=draft,
        status="draft", published_at=None,
    )  # fmt: skip
    world.photo = _photo(world, world.capability)
    world.photo_draft = _photo(world, world.capability_draft)
    world.contact = _contact(world.buyer, "buyer contact")
    world.supplier_contact = _contact(world.supplying, "supplier contact")
    association = EnterpriseFactory(
        kind_id="association", name="示例行业协会", name_en="Demo Association"
    )
    world.mandate = Mandate.objects.create(association=association, member=world.buyer)
    world.project = Project.objects.create(enterprise=world.buyer, name="示例项目")
    world.group_proposal = GroupProposal.objects.create(
        proposer=world.rival, partner=world.buyer, name="示例集团"
    )
    world.import_waiting = Import.objects.create(
        kind="capabilities", enterprise=world.buyer, asked_by=world.people["editor"], file_name="a.csv",
        content="产品名称\n阀门\n".encode(), layout={"sheet": 0, "first": 0, "depth": 1, "fields": {"0": "title"}},
    )  # fmt: skip
    body = world.people["organiser"].organiser_role_rows.get().body
    world.import_done = Import.objects.create(
        kind="enterprises", enterprise=body, asked_by=world.people["organiser"], file_name="b.csv",
        status="done", bad_count=1, layout={"heads": {"0": "企业名称"}, "fields": {"0": "name"}},
    )  # fmt: skip
    world.import_done.rows.create(
        number=2, cells={"0": "甲"}, notes=[{"column": "A", "header": "企业名称", "sentence": "?"}]
    )
    world.notice = Notification.objects.create(
        to=world.people["owner"],
        kind="enterprise_verified",
        context={"enterprise": world.buyer.public_id},
        channel="in_app",
    )


def _requirements(world):
    def post(key, *, title, line, **fields):
        row = RequirementFactory(
            enterprise=world.buyer, contact=world.contact, title=title, summary=line, text=line,
            search_text=f"{title} {line}".lower(), **fields,
        )  # fmt: skip
        setattr(world, key, row)
        setattr(world, f"{key}_line", RequirementLineFactory(requirement=row, number=1, text=line))
        return row

    post("published", title=FOUND_BY, line="三分体接线盒", contact_policy="accepted")
    title, line, question = CANARIES["draft"]
    post("draft", title=f"{FOUND_BY} {title}", line=line, draft=True).questions.create(
        order=1, text=question
    )
    for key, state in (("embargoed", "approved"), ("submitted", "submitted")):
        title, line = CANARIES[key]
        post(key, title=f"{FOUND_BY} {title}", line=line, **{state: True})
    post(
        "returned",
        title=FOUND_BY,
        line="接线盒",
        status="returned",
        published_at=None,
        approved_at=None,
    )
    name, body = CANARIES["drawing"]
    world.drawing = RequirementFile(
        requirement=world.published, original_name=f"{name}.pdf", content_type="application/pdf",
        size=20, sha256="0" * 64, uploaded_by=world.people["owner"],
    )  # fmt: skip
    world.drawing.file.save("drawing.pdf", ContentFile(f"%PDF-1.4 {body}".encode()))
    world.report = Report.objects.create(
        requirement=world.published, reason="other", note=CANARIES["report"][0], by=world.people["newcomer"]
    )  # fmt: skip
    Remark.objects.create(
        requirement=world.returned, text=CANARIES["remark"][0], by=world.people["organiser"]
    )


def _gathering(world):
    world.series = SeriesFactory(programme=ProgrammeFactory(owner=world.host))
    world.programme = world.series.programme
    world.event = EventFactory(host=world.host, series=[world.series], seats=1, chains=["PV"])
    # Nothing of it is public yet: it stays in its province.
    name = CANARIES["series being prepared"][0]
    world.programme_prepared = ProgrammeFactory(owner=world.host, name_zh=name, name_en=name)
    world.series_prepared = SeriesFactory(programme=world.programme_prepared)
    draft = f"{FOUND_BY} {CANARIES['event draft'][0]}"
    world.event_draft = EventFactory(
        draft=True, host=world.host, series=[world.series], name_zh=draft, name_en=draft, place=draft,
        place_en=draft, text=draft, search_text=draft.lower(),
    )  # fmt: skip
    for order, row in enumerate([world.published, world.embargoed], 1):
        Listing.objects.create(event=world.event, requirement=row, order=order, code=f"list{order}")
    world.registration = RegistrationFactory(event=world.event, enterprise=world.supplying)
    world.waiting = RegistrationFactory(
        event=world.event, enterprise=world.rival, status="waitlisted", queue_no=0
    )
    world.invitation = Invitation.objects.create(
        event=world.event, enterprise=world.foreign, cause="by_hand", reason="They make what is asked for.",
        invited_by=world.people["organiser"],
    )  # fmt: skip
    name, job = CANARIES["delegate"]
    Delegate.objects.create(
        registration=world.registration, event=world.event, name=name, job_title=job
    )

    _answers(world)
    world.document = _document(world, world.event, "plan")
    world.document_draft = _document(world, world.event_draft, CANARIES["event draft"][0])


def _photo(world, capability):
    row = CapabilityPhoto(
        capability=capability, caption="Line", language="en", width=1, height=1, original_name="photo.png",
        content_type="image/png", size=20, sha256="0" * 64, uploaded_by=world.people["owner"],
    )  # fmt: skip
    row.file.save("photo.png", ContentFile(b"\x89PNG\r\n\x1a\n"))
    return row


def _document(world, event, title):
    row = EventDocument(
        event=event, title_zh=title, title_en=title, original_name="plan.pdf", content_type="application/pdf",
        size=20, sha256="0" * 64, uploaded_by=world.people["organiser"],
    )  # fmt: skip
    row.file.save("plan.pdf", ContentFile(f"%PDF-1.4 {title}".encode()))
    return row


def _answers(world):
    text, file = CANARIES["answer"]
    world.event.asks_questions = True
    world.event.save()
    asked = [
        FormQuestion.objects.create(
            event=world.event, kind=kind, text_zh="问", text_en="Ask", order=n
        )
        for n, kind in enumerate(("text", "file"))
    ]
    stored = Evidence(
        enterprise=world.supplying, purpose="registration", original_name=f"{file}.pdf",
        content_type="application/pdf", size=20, sha256="0" * 64, uploaded_by=world.people["supplier"],
    )  # fmt: skip
    stored.file.save("answer.pdf", ContentFile(f"%PDF-1.4 {file}".encode()))
    FormAnswer.objects.create(
        registration=world.registration, question=asked[0], text=text, version=1
    )
    world.question = asked[1]
    world.answer = FormAnswer.objects.create(
        registration=world.registration, question=asked[1], evidence=stored, version=1
    )


def _introduction(world):
    organiser = world.people["organiser"]
    world.weighting = weighting_1()
    world.weighting_draft = draft_weighting(region("330000"), text=40, locality=15)
    world.run = MatchRunFactory(
        scope="requirement", requirement=world.published, asked_by=organiser, status="queued"
    )
    world.match = MatchFactory(
        line=world.published_line, supplier=world.supplying, status="approved"
    )
    world.proposed = MatchFactory(line=world.published_line, supplier=world.rival)
    MatchFactory(line=world.embargoed_line, supplier=world.supplying)
    Decision.objects.create(
        match=world.match, verdict="approved", note=CANARIES["decision"][0], score=world.match.score,
        by=organiser,
    )  # fmt: skip
    world.interest = InterestFactory(
        requirement=world.published, enterprise=world.supplying, contact=world.supplier_contact,
        message=CANARIES["interest"][0], sent_by=world.people["supplier"],
    )  # fmt: skip
    world.interest.lines.set([world.published_line])
    reader = world.people["supplier"]
    name, body = CANARIES["attachment"]
    world.attachment = InterestAttachment(
        interest=world.interest, original_name=f"{name}.pdf", content_type="application/pdf", size=20,
        sha256="0" * 64, uploaded_by=reader,
    )  # fmt: skip
    world.attachment.file.save("sheet.pdf", ContentFile(f"%PDF-1.4 {body}".encode()))
    world.search = SavedSearch.objects.create(
        user=reader, name=CANARIES["saved search"][0], query="q=x"
    )
    world.digest = Digest.objects.create(user=reader)
    Alert.objects.create(
        user=reader,
        requirement=world.published,
        digest=world.digest,
        cause="search",
        search=world.search,
    )
