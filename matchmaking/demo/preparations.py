"""What the organiser of the opening has prepared: its day, its questions, its words, its checklist."""

from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone

from chains.models import User
from events.models import Event, FormQuestion
from events.services import agenda, letters, questions

_MEALS = [("普通", "Standard"), ("素食", "Vegetarian"), ("清真", "Halal")]
# Hours after the beginning, length, what, where, note.
_DAY = (
    (-0.5, 0.5, "签到", "Check-in", "序厅", "Foyer", "请出示报名二维码", "Bring the code in your confirmation"),
    (0, 1, "致辞与政策发布", "Welcome and policies", "一号厅", "Hall 1", "", ""),
    (1, 1, "配套需求发布", "Requirement release", "一号厅", "Hall 1", "光伏、锂电池、氢能、新能源汽车", "Photovoltaics, batteries, hydrogen, vehicles"),
    (2, 1.5, "环节路演", "Segment pitches", "二号厅", "Hall 2", "接线盒、碳纸、涂覆隔膜", "Junction boxes, carbon paper, coated separators"),
    (4.5, 3.5, "一对一洽谈", "One-to-one tables", "洽谈区", "Tables", "", ""),
)  # fmt: skip
_TO_DO = (
    ("确认场地与桌位图", -21, True),
    ("寄发桌牌与参会证", -7, False),
    ("大屏与网络联调", -2, False),
    ("核对需求清单", -1, False),
)


def prepare(event: Event, by: User) -> None:
    agenda.set_agenda(event=event, parts=[_part(event, *row) for row in _DAY], by=by)
    questions.set_questions(
        event=event,
        questions=[
            {"kind": "choice", "text_zh": "午餐", "text_en": "Lunch", "choices": _MEALS},
            {"kind": "text", "text_zh": "希望会面的企业", "text_en": "Whom you would like to meet"},
            {
                "kind": "consent",
                "text_zh": "同意主办单位在活动现场拍照并用于宣传",
                "text_en": "We agree that the host takes pictures at the event and shows them",
            },
        ],
        by=by,
    )
    letters.save_template(
        event=event,
        kind="confirmed",
        subject_zh="报名已确认：{event}",
        subject_en="Confirmed: {event}",
        body_zh="{enterprise}：\n\n您已获得 {seats} 个席位。活动于 {starts} 在{place}举行，请提前半小时签到。\n\n请在此登记参会人员：{link}\n\n{host}",
        body_en="{enterprise}:\n\nYou have {seats} seats. The event begins {starts} at {place}; please check in half an hour before.\n\nName your delegates here: {link}\n\n{host}",
        by=by,
    )
    day = timezone.localdate(event.starts_at)
    agenda.set_checklist(
        event=event,
        items=[
            {
                "text": text,
                "owner": by if n % 2 == 0 else None,
                "due_on": day + datetime.timedelta(days=days),
                "is_done": is_done,
            }
            for n, (text, days, is_done) in enumerate(_TO_DO)
        ],
        by=by,
    )


def _part(event: Event, after: float, hours: float, zh: str, en: str, *rest: str) -> dict[str, Any]:
    room_zh, room_en, note_zh, note_en = rest
    starts = event.starts_at + datetime.timedelta(hours=after)
    return {
        "starts_at": starts,
        "ends_at": starts + datetime.timedelta(hours=hours),
        "title_zh": zh,
        "title_en": en,
        "room_zh": room_zh,
        "room_en": room_en,
        "note_zh": note_zh,
        "note_en": note_en,
    }


def answers(event: Event, number: int) -> dict[str, Any] | None:
    """Two of three guests answer; most of them eat what there is."""
    if not event.asks_questions or number % 3 == 2:
        return None
    by_kind = {row.kind: row.public_id for row in event.questions.asked()}
    meal = "2" if number % 7 == 3 else "3" if number % 11 == 5 else "1"
    return {
        by_kind[FormQuestion.Kind.CHOICE]: meal,
        by_kind[FormQuestion.Kind.CONSENT]: number % 4 != 1,
    }
