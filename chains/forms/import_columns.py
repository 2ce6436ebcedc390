"""What the columns of people's lists are called, and which of them are needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from chains.forms import requirement_sheet
from chains.models import Import
from chains.spreadsheets import Column, Layout, Proposal

ENTERPRISES = (
    Column(
        "number",
        "统一社会信用代码",
        "Social credit code",
        aliases=(
            "信用代码", "社会信用代码", "统一代码", "机构代码", "组织机构代码", "企业代码", "营业执照号", "营业执照号码", "注册号", "工商注册号",
            "税号", "纳税人识别号", "uscc", "unified social credit code", "credit code", "registration number", "registration no.", "reg. no.", "company number", "business registration number", "code", "tax id",
        ),
        kind="code",
        example="91330421MA2H06LY4R",
        note="Format the column as text, or its last digits are lost. 请将该列设为文本格式。",
        shape=re.compile(r"^\s*[0-9A-Za-z]{2}\d{6}[0-9A-Za-z]{10}\s*$"),
    ),
    Column(
        "name",
        "企业名称",
        "Name",
        aliases=(
            "中文名称", "企业中文名称", "公司中文名称", "单位中文名称", "公司名称(中文)", "企业名称(中文)", "名称", "单位名称", "法人单位名称", "法人名称", "参会企业全称", "公司名称", "公司", "企业", "单位", "企业全称", "公司全称", "单位全称", "全称", "参会单位", "参会企业", "供应商", "供应商名称",
            "供应商全称", "供货商", "供方", "供方名称", "厂家", "厂商", "厂家名称", "生产厂家", "生产企业", "制造商", "客商名称", "机构名称", "会员单位", "企业名",
            "company", "company name", "enterprise", "enterprise name", "organisation", "organization", "legal name", "supplier", "supplier name",
            "vendor", "vendor name", "manufacturer", "member",
        ),
        required=True,
        instead="name_en",
        fill_down=True,
        example="示例青禾光伏材料有限公司",
        note="As on the licence; a former name behind it in brackets. 与营业执照一致，原名可写在括号内。",
        shape=re.compile(r"(?:公司|集团|厂|合作社|研究院|研究所|大学|学院|银行|协会|商会)(?:\(.*\))?$|\b(?:ltd|limited|inc|gmbh|llc|corp|co)\.?$", re.IGNORECASE),
    ),
    Column(
        "name_en",
        "英文名称",
        "English name",
        aliases=("英文名", "企业英文名称", "公司英文名称", "公司名称(英文)", "企业名称(英文)", "单位名称(英文)", "公司名称(英)", "企业名称(英)", "公司名称英文", "企业名称英文", "单位英文名称", "外文名称", "name in english", "company name (english)", "name (en)"),
        example="Demo Qinghe PV Materials Co., Ltd.",
    ),
    Column(
        "former",
        "曾用名",
        "Former name",
        aliases=("原名", "原名称", "企业曾用名", "前称", "former names", "previous name", "formerly"),
    ),
    Column(
        "kind",
        "单位类型",
        "Kind of body",
        aliases=("类型", "企业类型", "机构类型", "主体类型", "单位性质", "参会类型", "kind", "type of body", "organisation type", "participant type"),
        note="Enterprise if empty. 不填即为企业。",
    ),
    Column(
        "standing",
        "登记状态",
        "Registration status",
        aliases=("经营状态", "企业状态", "存续状态", "登记注册状态", "工商状态", "company status", "legal status"),
        note="Bodies that have ended are left out. 已注销、吊销的不导入。",
    ),
    Column(
        "region",
        "所在地区",
        "Region",
        groups=True,
        aliases=(
            "地区", "区域", "所在地", "所在县(市、区)", "所在区县", "县市区", "县(市、区)", "区县", "所属地区", "所属区域", "所属县市区", "属地", "行政区划", "行政区划名称", "行政区划代码",
            "所在市", "城市", "所在城市", "市县", "所属县(市、区)", "所属区县", "所属县", "所在县市区", "所属市", "所属地", "县区", "区域(县市区)", "town", "region/city", "city/country", "city, country", "city and country", "注册地", "county", "city", "district", "location", "region code", "place",
        ),
        example="海盐县",
        note="County, district or city; by name or code. 县、区或市，可写名称或代码。",
    ),
    Column(
        "country",
        "国家",
        "Country",
        groups=True,
        aliases=(
            "国别", "国家/地区", "国家或地区", "国家(地区)", "国家和地区", "所属国家", "所在国家", "注册国家", "注册国", "所属国", "所在国", "国别/地区",
            "country/region", "country or region", "country of registration", "country code", "nation",
        ),
        example="中国",
        note="China if empty; a name in Chinese or English, or two letters. 不填即为中国。",
    ),
    Column(
        "area",
        "省、市",
        "Province, city above",
        aliases=("省", "省份", "所在省", "所在省份", "所属省", "所属省份", "所属城市", "市", "地市", "地级市", "州市", "province", "state"),
        many=True,
        note="Where the region stands in columns of its own. 省、市、区县分列时使用。",
    ),
    Column(
        "address",
        "地址",
        "Address",
        aliases=("企业地址", "公司地址", "单位地址", "注册地址", "详细地址", "通讯地址", "联系地址", "经营地址", "street", "registered address", "postal address"),
    ),
    Column(
        "summary",
        "主要产品",
        "Main products",
        aliases=(
            "主营产品", "主导产品", "产品", "主要产品(服务)", "主要产品或服务", "主营业务", "经营范围", "业务范围", "供应产品", "供货产品", "供货内容", "供应内容", "供货范围", "可供产品", "配套产品",
            "主营业务活动", "主要业务活动", "产品及服务", "主要产品及服务", "能力", "供应能力", "企业简介", "公司简介", "简介", "products", "product", "business", "scope", "summary", "about",
            "profile", "capabilities", "products and services", "supplies", "what they make",
        ),
        example="光伏边框、支架铝型材",
    ),
    Column(
        "website",
        "网址",
        "Website",
        aliases=("网站", "官网", "公司网站", "企业网址", "公司网址", "企业官网", "公司官网", "url", "web", "homepage"),
        shape=re.compile(r"^(?:https?://|www\.)", re.IGNORECASE),
    ),
    Column(
        "person",
        "联系人",
        "Contact person",
        aliases=(
            "姓名", "联系人姓名", "负责人", "负责人姓名", "企业联系人", "法定代表人", "法人", "法人代表", "参会人", "参会人员", "业务联系人", "对接人",
            "contact", "contact name", "person", "representative", "attn",
        ),
        many=True,
    ),
    Column(
        "job_title",
        "职务",
        "Job title",
        aliases=("联系人职务", "职位", "岗位", "position", "job", "title", "role"),
        many=True,
    ),
    Column(
        "phone",
        "电话",
        "Phone",
        aliases=(
            "更多电话", "其他电话", "更多号码", "企业电话", "公司电话", "有效手机号", "手机", "手机号", "business phone", "mobile number", "work phone", "company phone", "手机号码", "联系电话", "联系手机", "联系方式", "联系人电话", "联系人手机", "电话号码", "固定电话", "办公电话", "座机", "负责人手机", "负责人电话",
            "mobile", "mobile phone", "telephone", "tel", "phone number", "cell", "contact number",
        ),
        many=True,
        shape=re.compile(r"^\D*(?:1[3-9]\d{9}|0\d{2,3}[- ]?\d{7,8}|\+\d[\d\s-]{7,})\D*$"),
    ),
    Column(
        "email",
        "邮箱",
        "E-mail",
        aliases=("更多邮箱", "其他邮箱", "企业邮箱", "公司邮箱", "电子邮箱", "电子邮件", "邮件", "联系邮箱", "邮箱地址", "email", "mail", "e-mail address", "email address"),
        many=True,
        shape=re.compile(r"^\S+@\S+\.\S+$"),
    ),
)  # fmt: skip

CAPABILITIES = (
    Column(
        "title",
        "产品名称",
        "Title",
        aliases=(
            "名称", "产品", "能力名称", "供应能力", "品名", "产品(服务)名称", "服务名称", "主要产品", "主导产品", "技术名称", "成果名称", "产品/服务", "可供产品", "可提供产品", "提供产品", "可提供服务",
            "product", "product name", "capability", "item", "name", "service", "technology", "what",
        ),
        required=True,
        instead="title_en",
        example="1500 V 分体接线盒",
        note="One product or service a row. 每行一项产品或服务。",
    ),
    Column(
        "title_en",
        "英文名称",
        "English title",
        aliases=("产品英文名称", "英文名", "name in english", "title in english", "product name (english)"),
    ),
    Column(
        "text",
        "说明",
        "Description",
        aliases=(
            "产品说明", "产品描述", "描述", "介绍", "产品介绍", "详细说明", "技术参数", "参数", "规格", "规格型号", "规格参数", "技术指标", "性能", "性能指标", "特点",
            "text", "details", "specification", "specs", "parameters", "about",
            "英文说明", "英文描述", "产品英文说明", "english description", "description in english", "description (english)",
        ),
        many=True,
        example="三分体灌封，25 A，IP68，适配 182 与 210 组件",
    ),
    Column(
        "categories",
        "品类",
        "Category",
        groups=True,
        aliases=("产品类别", "类别", "分类", "产品分类", "所属品类", "品类代码", "类别代码", "所属行业", "category code", "categories", "product category", "class"),
        example="接线盒",
        note="Up to five names or codes. 至多五个，可写名称或代码。",
    ),
    Column(
        "capacity",
        "年产能",
        "Yearly capacity",
        aliases=(
            "产能", "年产量", "产量", "月产能", "月产量", "生产能力", "年生产能力", "年供货能力", "供货能力", "供应量", "设计产能", "capacity", "annual capacity",
            "monthly capacity", "output", "production capacity", "capacity per year",
        ),
        kind="value",
        fill_down=False,
        example="90万",
    ),
    Column(
        "unit",
        "单位",
        "Unit",
        aliases=("产能单位", "计量单位", "uom", "units", "unit of measure"),
        example="套",
    ),
    Column("period", "周期", "Period", aliases=("产能周期", "per", "frequency")),
    Column(
        "lead_time_days",
        "交货期(天)",
        "Delivery, days",
        aliases=("交货期", "交期", "最短交期", "交货周期", "供货周期", "交付周期", "生产周期", "lead time", "delivery", "delivery time", "lead time days"),
        kind="value",
        example="30",
    ),
    Column(
        "sample_days",
        "送样(天)",
        "Samples, days",
        aliases=("送样", "送样周期", "打样周期", "打样时间", "样品周期", "样品交期", "sample", "samples", "sample time", "sample lead time"),
        kind="value",
    ),
    Column(
        "cooperation_kinds",
        "合作方式",
        "Kinds of cooperation",
        aliases=("合作形式", "合作类型", "合作模式", "可合作方式", "意向合作方式", "cooperation", "kind of cooperation", "cooperation kinds"),
        example="采购订单、长期供货协议",
    ),
    Column(
        "certificates",
        "认证证书",
        "Certificates",
        aliases=("认证", "产品认证", "体系认证", "资质认证", "证书", "持有证书", "certificate", "certification", "certifications"),
        note="Those the enterprise has stated. 仅限本单位已填报的证书。",
    ),
    Column(
        "references",
        "供货业绩",
        "References",
        aliases=("业绩", "应用案例", "典型案例", "成功案例", "客户案例", "合作案例", "reference", "reference projects", "case studies"),
        many=True,
        note="One a line, or with semicolons between. 每行一项，或以分号隔开。",
    ),
    Column("is_new", "是否新产品", "New product", aliases=("新产品", "新品", "是否新品", "new")),
    Column(
        "valid_until_on",
        "有效期至",
        "Valid until",
        aliases=("有效期", "截止日期", "有效日期", "expires", "expiry", "expiry date"),
        kind="value",
    ),
)  # fmt: skip

_COLUMNS = {
    Import.Kind.ENTERPRISES: ENTERPRISES,
    Import.Kind.CAPABILITIES: CAPABILITIES,
    Import.Kind.LINES: requirement_sheet.COLUMNS,
}


def columns_of(kind: str) -> tuple[Column, ...]:
    return _COLUMNS[Import.Kind(kind)]


def faults_of(kind: str, fields: Mapping[int, str]) -> list[str]:
    """What is wrong with a choice of columns, by their place in the file."""
    taken = list(fields.values())
    known = columns_of(kind)
    faults = [
        _("“%(field)s” is chosen for several columns. Leave one of them.")
        % {"field": requirement_sheet.label_of(column)}
        for column in known
        if taken.count(column.field) > 1 and not column.many
    ]
    return faults + [
        _("Choose the column that holds “%(field)s”.")
        % {"field": requirement_sheet.label_of(column)}
        for column in known
        if column.required and column.field not in taken
    ]


def words_of(proposal: Proposal, layout: Layout) -> dict[str, Any]:
    """What the file calls its columns, and what is remembered of the choice."""
    named = [one for one in proposal.columns if one.title != one.letter]
    return {
        "heads": {one.place: one.title for one in proposal.columns},
        "chosen": {one.key: layout.fields.get(one.place, "") for one in named},
    }
