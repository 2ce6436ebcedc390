from __future__ import annotations

import pytest

from chains import conditions
from chains.errors import DomainError
from chains.moderation import holds_contact_data

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "text", "parameter"),
    [
        ("certification", "TÜV or CQC, in date", {"codes": ["TUV", "CQC"]}),
        ("certification", "有效 TÜV 或 CQC", {"codes": ["TUV", "CQC"]}),
        ("certification", "iso9001", {"codes": ["ISO9001"]}),
        ("certification", "ISO-9001:2015", {"codes": ["ISO9001"]}),
        ("certification", "UL 9540A", {"codes": ["UL9540"]}),
        ("certification", "IATF16949 / VDA 6.3", {"codes": ["IATF16949", "VDA63"]}),
        ("certification", "3C认证", {"codes": ["CCC"]}),
        ("qualification", "专精特新小巨人", {"codes": ["little_giant"]}),
        (
            "qualification",
            "little giant or single champion",
            {"codes": ["little_giant", "champion_national"]},
        ),
        ("region", "Zhejiang or Jiangsu", {"codes": ["330000", "320000"]}),
        ("region", "浙江省内", {"codes": ["330000"]}),
        ("region", "嘉兴", {"codes": ["330400"]}),
        ("region", "长三角", {"codes": ["YRD"]}),
        ("region", "330421", {"codes": ["330421"]}),
        ("distance", "80 公里内", {"value": 80, "unit": "km"}),
        ("distance", "within 50 miles", {"value": 80.5, "unit": "km"}),
        ("distance", "80", {"value": 80, "unit": "km"}),
        ("capacity", "500,000 sets a year", {"value": 500000, "unit": "set"}),
        ("capacity", "50 万套/年", {"value": 500000, "unit": "set"}),
        ("capacity", "不低于 2万片/月", {"value": 240000, "unit": "sheet"}),
        ("lead_time", "6 weeks", {"value": 42, "unit": "day"}),
        ("lead_time", "两个月", {"value": 60, "unit": "day"}),
        ("sample_time", "20 天内送样", {"value": 20, "unit": "day"}),
        ("sample_time", "10 working days", {"value": 14, "unit": "day"}),
        ("cooperation", "联合研发", {"codes": ["joint_rd"]}),
        ("cooperation", "joint R&D or joint venture", {"codes": ["joint_rd", "joint_venture"]}),
        ("origin", "国产", {"codes": ["CN"]}),
        ("origin", "Germany or JP", {"codes": ["DE", "JP"]}),
        ("origin", "印度尼西亚", {"codes": ["ID"]}),
        ("other", "现场服务 24 小时到达", {}),
    ],
)
def test_read_gives_what_the_words_mean(kind, text, parameter):
    assert conditions.read(kind, text) == parameter


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        ("certification", "some paper", "condition.unknown"),
        ("certification", "ISO 9001 and IATF 16949", "condition.all_or_any"),
        ("certification", "ISO 9001、IATF 16949", "condition.all_or_any"),
        ("qualification", "the best", "condition.unknown"),
        ("region", "Atlantis", "condition.unknown"),
        ("region", "鼓楼区", "condition.several_regions"),
        ("distance", "near", "condition.figure"),
        ("distance", "50 km to 80 km", "condition.figure"),
        ("distance", "0 km", "condition.figure"),
        ("capacity", "plenty", "quantity.unreadable"),
        ("capacity", "500000", "condition.figure"),
        ("lead_time", "soon", "condition.figure"),
        ("lead_time", "2 to 3 weeks or 20 days", "condition.figure"),
        ("origin", "abroad", "condition.unknown"),
        ("cooperation", "friendship", "condition.unknown"),
        ("other", "  ", "condition.empty"),
    ],
)
def test_read_refuses_what_could_mean_several_things_or_none(kind, text, code):
    with pytest.raises(DomainError) as refused:
        conditions.read(kind, text)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("请联系 138-0000-0000", True),
        ("手机 13800000000", True),
        ("请联系 138 开头手机", True),
        ("电话 0573-80000000", True),
        ("write to a@example.com", True),
        ("微信号:abc_123", True),
        ("1500 V, 25 A, IP68", False),
        ("GB/T 19001-2016,数量 13800000 片", False),
        ("DN50 316L 无缝管 1200 m", False),
    ],
)
def test_contact_data_in_a_text_is_found(text, holds):
    assert holds_contact_data(text) is holds
