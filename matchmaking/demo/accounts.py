"""Who can sign in to the demo: one account for each role, and the public bodies behind the desks."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from chains.models import User
from matchmaking.demo.names import Words

# Printed on the screen of whoever starts the demo; `seed_demo` refuses to run where DEMO is not set.
PASSWORD = "chain-dock-demo"  # noqa: S105 -- the demo's, known to all on purpose


@dataclass(frozen=True, slots=True)
class Account:
    key: str
    who: Words
    first: Words
    language: str = "zh"

    @property
    def email(self) -> str:
        return f"{self.key}@example.com"


@dataclass(frozen=True, slots=True)
class Body:
    """A public body with a desk: `region` is where it stands, `desk` what it looks after."""

    key: str
    name: Words
    region: str
    desk: str


ACCOUNTS = (
    Account("buyer", Words("采购方（链主企业管理员）", "Buyer, owner of a chain owner"), Words("我的需求：16 行配套清单及推荐供应商", "My requirements: 16 lines and their suppliers")),
    Account("supplier", Words("供应商（企业管理员）", "Supplier, owner of an enterprise"), Words("适合我：有哪些需求、为什么", "For you: open lines and why they fit")),
    Account("viewer", Words("采购方的只读成员", "Viewer at the buyer's"), Words("同一企业，只能查看", "The same enterprise, reading only")),
    Account("newcomer", Words("新注册企业（待审核）", "Newly registered, waits for its desk"), Words("可写草稿，尚不能提交", "Drafts, nothing submitted yet")),
    Account("foreign", Words("境外采购商", "Buyer from abroad"), Words("英文需求与匹配", "Requirements in English"), "en"),
    Account("university", Words("高校", "University"), Words("人才与联合研发需求", "Talent and joint R&D")),
    Account("bank", Words("金融机构", "Bank"), Words("融资需求", "Requests for finance")),
    Account("association", Words("行业协会", "Industry association"), Words("代会员发布需求", "Posts for a member")),
    Account("county", Words("县级组织方（嘉善）", "County organiser, Jiashan"), Words("待办：企业审核、需求审核、匹配复核", "Inbox: verify, moderate, review")),
    Account("city", Words("市级组织方（嘉兴）", "City organiser, Jiaxing"), Words("待办、匹配复核与市级活动", "Inbox, review, city events")),
    Account("province", Words("省级组织方（浙江）", "Provincial organiser, Zhejiang"), Words("省级对接会与报名、候补名单", "The opening event and its waiting list")),
    Account("analyst", Words("分析员", "Analyst"), Words("产业链图谱与短板", "Chain map and its gaps")),
    Account("moderator", Words("活动审核员", "Moderator of the opening event"), Words("活动清单上的需求", "What is listed at the event")),
    Account("desk", Words("活动签到人员", "Desk staff of the opening event"), Words("活动来宾名单（活动前一天起开放）", "The event's guest list, open from the day before")),
    Account("admin", Words("系统管理员", "Administrator"), Words("后台管理 /admin/", "Django admin at /admin/")),
)  # fmt: skip

BODIES = (
    Body("province", Words("示例浙江省经济和信息化厅", "Demo Zhejiang Department of Economy and IT"), "330100", "330000"),
    Body("city", Words("示例嘉兴市经济和信息化局", "Demo Jiaxing Bureau of Economy and IT"), "330400", "330400"),
    Body("county", Words("示例嘉善开发区管理委员会", "Demo Jiashan Development Zone Committee"), "330421", "330421"),
    Body("huzhou", Words("示例湖州市经济和信息化局", "Demo Huzhou Bureau of Economy and IT"), "330500", "330500"),
    Body("pinghu", Words("示例平湖开发区管理委员会", "Demo Pinghu Development Zone Committee"), "330482", "330482"),
    Body("changxing", Words("示例长兴开发区管理委员会", "Demo Changxing Development Zone Committee"), "330522", "330522"),
)  # fmt: skip


def create() -> dict[str, User]:
    """The people of the demo: with a password those of the table, without one those who only stand behind a desk."""
    password = make_password(PASSWORD)  # hashed once: a slow hash for each would cost a second
    named = {account.key: account for account in ACCOUNTS}
    keys = [*named, *(body.key for body in BODIES if body.key not in named)]
    users = User.objects.bulk_create(
        User(
            email=f"{key}@example.com",
            password=password if key in named else make_password(None),
            language=named[key].language if key in named else "zh",
            is_staff=key == "admin",
            is_superuser=key == "admin",
        )
        for key in keys
    )
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True)
        for key, user in zip(keys, users, strict=True)
        if key in named
    )
    return dict(zip(keys, users, strict=True))


def strangers(keys: list[str]) -> dict[str, User]:
    """Owners of the other enterprises; nobody signs in as one of them."""
    users = User.objects.bulk_create(
        User(email=f"{key}@example.com", password=make_password(None)) for key in keys
    )
    return dict(zip(keys, users, strict=True))
