"""How a text speaks of its product: what it asks for and what that is for, work or a machine, who gives and who takes.

By words that people write for it, in both languages; whoever writes none of them is read as a whole. Each rule stands
for a reason that can be told.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from matchmaking.engine.text import CLAUSE, asserted, ruled_out

Form = Literal["", "service", "machine"]
Party = Literal["", "taker", "buyer"]
FORMS: tuple[Form, ...] = ("", "service", "machine")
PARTIES: tuple[Party, ...] = ("", "taker", "buyer")

_LEAST_LEFT = 3
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LATIN_WORD = re.compile(r"[a-z]{3,}", re.IGNORECASE)

# -- what a page asks for -------------------------------------------------------------------------

# So long that a buyer tells of himself before he asks; what he is says what his rivals sell, not what he needs.
_PAGE_ZH, _PAGE_EN = 60, 40
_MOST_ASKED = 0.7
_SENTENCE = re.compile(r"(?:[^。！？!?；;\n.]|\.(?=\S))+[。！？!?；;\n.]*")
_ASKS = re.compile(
    r"采购(?!商|员|平台|中心)|求购|收购|招标|征集|求租|求助|急需|欲购|现需|特需|亟需|我[司厂院校方们公]+[^，。；]{0,6}(?:需要|需|求|找|要)"
    r"|(?<![追搜找])寻(?!常|址)|(?<![要需追请力讲谋研])求(?=[购助租\u4e00-\u9fff]{2})|(?:现|拟|计划|准备|打算|希望)[^，。；]{0,8}(?:找|购|上马|上一|新上|建设|引进|委托"
    r"|更换|有[^，。；]{0,12}(?:供|厂|商|机构|单位|公司))|计划上|卡在|[技术]*难题[:：]|(?<!客户)需求[:：]"
    r"|\b(?:we|i|our \w+)\b[^.]{0,40}?\b(?:need|seek|look(?:ing)? for|search(?:ing)? for|searching|require|(?<!not )want|wish|invite|intend|plan to"
    r"|would like|are after|request)\b|\b(?:looking for|searching for|seeking|wanted|required?:|rfq|request for|enquiry|inquiry"
    r"|invit\w+ (?:offers|bids|tenders|quotations)|tenders? for|need(?:ed)? (?:is|are|for|now)|to be procured)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def gist(text: str) -> tuple[str, str]:
    """What a pasted page asks for, and the rest of it; the whole text and "" where it is short or does not ask.

    Examples
    --------
    >>> page = "We knit socks and own 400 machines in three halls. Our brand is known in nine countries and our people "
    >>> page += "are our pride since the day on which the mill was founded. We need a waste water plant for 90 m3/h."
    >>> gist(page)[0].strip(), gist(page)[1][:13], gist("We need socks.")
    ('We need a waste water plant for 90 m3/h.', 'We knit socks', ('We need socks.', ''))
    """
    if len(_HAN.findall(text)) < _PAGE_ZH and len(text.split()) < _PAGE_EN:
        return text, ""
    kept, rest = text, []
    for sentence in _SENTENCE.finditer(text):
        if not _ASKS.search(sentence[0]):
            start, end = sentence.span()
            rest.append(sentence[0].strip())
            kept = kept[:start] + " " * (end - start) + kept[end:]
    asked = len(kept.replace(" ", ""))
    if asked < _LEAST_LEFT or asked > _MOST_ASKED * len(text.replace(" ", "")):
        return text, ""
    return kept, " ".join(rest)


# -- what it is for -------------------------------------------------------------------------------

# What stands before a product in a line that asks for it; the "for" of "looking for" opens no purpose.
LEAD = re.compile(
    r"^\s*(?:(?:[\w'-]+ ){1,5}?(?:needs|requires|seeks|wants)\b[\s:]*)?"
    r"(?:(?:we (?:are |urgently )?)?(?:urgently )?(?:looking for|look for|need(?:ed|s)?|require[sd]?|seek(?:ing|s)?"
    r"|want(?:ed)?|buy(?:ing)?|sourcing|purchas(?:e|ing)(?: of)?|procurement of|source (?:of|for)"
    r"|(?:qualified )?(?:supplier|maker|manufacturer|partner|producer|vendor)s? (?:of|for)|rfq(?: for)?"
    r"|quotation for|request for)\b[\s:]*)*",
    re.IGNORECASE,
)
_PURPOSE = re.compile(
    r"(?<!\s)\s+(?:(?:to be )?used (?:in|for|on|by)|(?:suitable|intended|designed|meant) for|for use (?:in|on|with)|in which"
    r"|on which|that|which|for|inside|at|on|in|between)\s+(?=\S)",
    re.IGNORECASE,
)
_PURPOSE_ALONE = re.compile(r"\s*(?:for|used)\s", re.IGNORECASE)
# 专用, 费用, 家用 … are words of their own: their 用 says nothing about a use.
_NO_USE = "使采费专通适应利作信租商医家民军"
_PURPOSES_BEFORE = tuple(
    map(
        re.compile,
        (
            r".{0,12}?(?:项目|工程|基地|园区|电站|机组|系统|扩产|技改|改造|[新产]线|整车|车型|主机)配套(?!件|服务|设备|的)(?=.{2,})",
            r"(?:给|为|配|供|替).{2,14}?(?:做|用|配套|配|涂\w|使用|生产|供应)?的(?=.{2,})",
            rf".{{2,16}}?(?<![{_NO_USE}药食启引借])(?:上用|内用|里用|用)(?!于|户|途|量|水|电|品|料|工|地|功|房|作|到|来)的?(?=.{{2,}})",
            r".{2,14}?(?:上|里|中|内|间)的(?=.{2,})",
            r".{1,8}?(?:工厂|车间|机房|洁净室|实验室|医院|生产线|产线|电站|厂|店|站)(?=[\u4e00-\u9fff]{3,})",
        ),
    )
)
_PURPOSE_AFTER = re.compile(r"(?:适?用于|应用于|适配|配套(?!件|服务|设备)|配合|装在|用在).{2,}$")
_ONLY_PURPOSE = re.compile(rf".{{2,}}(?<![{_NO_USE}])(?:专?用|使用)$")


_OWN = re.compile(
    r"(?:推广|推销|销售|代销|分销|购买|采购|选用|试用|使用|为)?(?:我们|我[司厂]|本[司厂]|我公司|本公司|自家)的?[^找寻求招]{2,}?(?=的?(?:客户|用户|买家)|[找寻求招]|$)"
    r"|(?:to|that|who|which) (?:would )?(?:buys?|purchases?|distributes?|resells?|stocks?|trial) .*$"
    r"|^\W*we (?:have|make|sell|produce|offer|own|run)\b.*?(?= and (?:look|seek|need|search|want)|$)",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def aim(text: str) -> tuple[str, str]:
    """What a line asks for, and what that is for; the whole line and "" where it does not say or nothing else is left.

    Examples
    --------
    >>> aim("加氢站用隔膜压缩机，90MPa"), aim("Looking for gloves for handling wafers, size M")
    (('    隔膜压缩机，90MPa', '加氢站用'), ('Looking for gloves                    , size M', 'for handling wafers'))
    >>> aim("家用空调"), aim("轴承")
    (('家用空调', ''), ('轴承', ''))
    """
    whole, rest = gist(text)
    kept, purposes = whole, [rest] if rest else []
    gives = _SEEKS_TAKER.search(whole) is not None
    for number, clause in enumerate(CLAUSE.finditer(whole)):
        start, end = _given(clause[0]) if gives else (0, 0)
        if start == end:
            start, end = _purpose(clause[0], is_first=not number)
        if start < end:
            start, end = clause.start() + start, clause.start() + end
            purposes.append(whole[start:end].strip())
            kept = kept[:start] + " " * (end - start) + kept[end:]
    if sum(map(str.isalnum, kept)) < _LEAST_LEFT:
        return whole, rest
    return kept, " ".join(purposes)


def _given(clause: str) -> tuple[int, int]:
    """Where a clause of a line that seeks takers says what there is to take: those who have the same are no takers."""
    found = _OWN.search(clause)
    return found.span() if found else (0, 0)


def _purpose(clause: str, *, is_first: bool) -> tuple[int, int]:
    """Where in a clause the purpose begins and ends; an empty stretch where there is none."""
    stripped = clause.strip()
    lead = len(clause) - len(clause.lstrip())
    for before in _PURPOSES_BEFORE:
        if found := before.match(stripped):
            return lead, lead + found.end()
    after = _PURPOSE_AFTER.search(stripped)
    if after is not None and after.start() >= 2:
        return lead + after.start(), len(clause)
    if not is_first and (_ONLY_PURPOSE.match(stripped) or _PURPOSE_ALONE.match(clause)):
        return 0, len(clause)
    asked = LEAD.match(stripped)
    begin = asked.end() if asked else 0
    found = _PURPOSE.search(stripped, begin + 1)
    if found is not None and _LATIN_WORD.search(stripped[begin : found.start()]):
        return lead + found.start(), len(clause)
    return 0, 0


# -- work or a machine ----------------------------------------------------------------------------

# Work that leaves no thing behind, or is done on somebody's own things. Not what plants are delivered by
# (设计, 安装, 总包, installation, turnkey): it goes with the machines.
_FORM_ZH = re.compile(
    r"(?P<service>检测|测试|检验|试验|维修|维保|维护|修复|修理|清洗|清洁|洗涤|灭菌|处置|收运|运输|物流|货运|海运|报关|仓储"
    r"|培训|打样|运维|服务|租赁|出租|咨询|认证|审核|保险|经纪|翻新|外包|委外|招聘|实验室|加工(?!中心)|代工|电镀|镀锌|喷涂"
    r"|涂装|热处理)(?!间|站|台|柜|箱|线(?!上)|\s*\d*\s*工位)"
    r"|(?P<machine>(?:检测|测试|检验|试验|清洗|喷涂|涂装|电镀|热处理)(?:台(?!阶)|线(?!上)|柜|箱|\s*\d*\s*工位)|设备|装置|仪器?|机床|机组|(?<![飞手耳相司主转有无电])机(?!构|械手|房|柜|箱|壳|身|油|器|能|加|座|动|场)"
    r"|炉(?!料|渣)|生产线|产线|加工中心|冲床|车床|铣床)"
)
_FORM_EN = re.compile(
    r"\b(?:(?P<service>testing|repairs?|maintenance|cleaning|recycling|disposal|transport|carriage|logistics|forwarder"
    r"|forwarding|training|courses|academy|insurance|broker|consulting|certification|rental|leasing|services?|laundry"
    r"|assembly|machining|galvanising|lay-up|sewing|cdmo|ems|studio|filling|finishing|processing)"
    r"|(?P<machine>machines?|presses|furnaces?|dryers?|robots?|equipment|mixers?|cent(?:re|er)s?|lines?))\b",
    re.IGNORECASE,
)
_HEAD_ENDS = re.compile(r"\b(?:of|for|with|from|to|in|on|by)\b", re.IGNORECASE)


def form_of(text: str) -> Form:
    """Whether the first clause ends in work, or in a machine that does some: the last such word says what it is.

    Examples
    --------
    >>> [form_of(text) for text in ("机床主轴维修", "注塑件清洗机", "Vial filling machine", "Cable assembly, 5,000", "轴承")]
    ['service', 'machine', 'machine', 'service', '']
    >>> [form_of(text) for text in ("测试间供气空压站", "电堆测试台", "在线检测4工位", "New line needs lithium carbonate")]
    ['', 'machine', 'machine', '']
    """
    clause = next((found[0].strip() for found in CLAUSE.finditer(text) if found[0].strip()), "")
    if _HAN.search(clause):
        found = [*_FORM_ZH.finditer(clause)]
    else:
        asked = LEAD.match(clause)
        head = _HEAD_ENDS.split(clause[asked.end() if asked else 0 :], maxsplit=1)[0]
        found = [*_FORM_EN.finditer(head)]
    return found[-1].lastgroup if found else ""  # type: ignore[return-value]  # the groups are named so


# -- who gives and who takes ----------------------------------------------------------------------

_SEEKS_TAKER = re.compile(
    r"(?:找|寻|招|征)[^，。；,;]{0,14}?(?:客户|买家|买方|订单|经销|代理商|分销|用人企业|投资方|投资商|投资人|租户|回收商"
    r"|回收单位|接收方|承接方|用户)|出口渠道|寻[^，。；,;]{0,6}渠道|寻找使用|^\s*(?:出售|转让|出租|处理|低价|急售|甩?卖(?![场点相家])|抛售|清仓)|招租|招商"
    r"|入驻|对外(?:许可|转让|出租|招)|待(?:处置|售|利用)|(?:库存|积压)[^，。；]{0,6}(?:出售|处理)"
    r"|(?:推广|推销|销售|代销|分销|购买|采购|选用|试用)(?:我们|我[司厂]|本[司厂]|我公司|本公司|自家)"
    r"|(?:找|寻|寻求|招|征)[^，。；,;]{0,10}?(?:货主|业主|[养种]殖?户|农户|商户|加盟商?|需求方|甲方|终端)"
    r"|\b(?:seek|look|search|find|want)\w*\b[^,.;]{0,30}?\b(?:distributor|dealer|reseller|customer|buyer|client|user"
    r"|agent|tenant|investor|licensee|taker|recycler)s?\b|\bmakers? to supply\b|\bhospitals? to trial\b"
    r"|\b(?:factories|mills|plants|makers) (?:for|to take) our\b|\bseeks? \w+ (?:factories|makers|plants|mills)\b"
    r"|\bneed an? (?:agent|distributor|dealer)\b"
    r"|\b(?:seek|look|search|find|want)\w*\b[^.;]{0,40}?\b(?:(?:to|who|that|which) (?:would )?(?:buys?|purchases?|distributes?|resells?"
    r"|stocks?)|(?:that|who|which) (?:outsources?|needs?|requires?|consumes?))\b"
    r"|^\W*(?:wholesale )?(?:buyer|tenant|investor|distributor|agent|off-?taker|user|customer)s? (?:wanted|sought|for)\b"
    r"|\bfor sale\b|\bwe sell\b|\blicen[cs](?:e partner|ee)s? for our\b",
    re.IGNORECASE,
)
_TAKES = re.compile(
    r"找[^，。；]{0,4}货源|^\W*(?:回收|收购|求购|高价收)|\bwe (?:buy|collect)\b|寻求[^，。；]{0,4}(?:物业|业主)", re.IGNORECASE
)  # fmt: skip
_GIVES = re.compile(
    r"(?:找|招|寻)[^，。；,;]{0,8}回收|待(?:处理|处置|利用|售)|转让|出租|对外(?:许可|招)|欢迎来单|寻求订单"
    r"|\b(?:for rent|to let|for sale|always available)\b",
    re.IGNORECASE,
)
_BUYS = re.compile(
    r"采购(?!服务|代理|平台|管理|商城)|[年月日]均?(?:消?耗|用)(?!时|电|水)[^，。；]{0,10}\d|外协(?:需求|量)|需求(?:大|稳定|旺盛)|求购|收购|外购|高价回收|全部外发|外发加工|拟引进|求租|求采|换成"
    r"|(?:寻找|寻求|求)[^，。；,;]{0,6}(?:屋顶|货源|资源|场地|厂房|货盘)"
    r"|\b(?:buys|buying (?!group|office|guide)|purchases|procures|consumes|outsources|sources? [\w ]{0,40}from outside|raising (?:its|a|our)|hiring|planning an? plant|we (?:buy|need)"
    r"|(?:looking for|seeks?|wants to rent|look for) (?:an?|about|[\w ]{0,20}(?:premises|workshop|plant|site|space|supply)))\b",
    re.IGNORECASE,
)
_SEEKS_MAKER = re.compile(
    r"(?:寻|找|征)[^，。；,;]{0,8}(?:代工|加工|贴牌|生产)(?:厂|企业|商|方|合作)(?!就)"
    r"|\b(?:looking for|seek(?:s|ing)?) (?:an? )?(?:contract |oem )?(?:manufacturers?|makers?|suppliers?|producers?|factory|factories|source)\b",
    re.IGNORECASE,
)
# Who makes things himself, and says so first, seeks a maker of what goes into them.
_MAKES = re.compile(
    r"(?:生产|制造)(?:厂|企业|商)|厂家|\b(?:manufacturers?|makers?|producers?) of\b|\bwe (?:make|manufacture|produce)\b",
    re.IGNORECASE,
)
_TAKER = re.compile(
    r"(?:电池|油脂|废旧|废料|金属|塑料|物资|设备)[^，。；]{0,4}回收(?!料|设备|系统|机|装置)|投资商|投资方|投资公司|基金"
    r"|经销商|代理商|贸易商|寻找|寻求|引进|计划|拟建"
    r"|\b(?:distributors?|sales agents?|traders?|trading house|funds?|investors?|looking for|looks for|seeks?|seeking"
    r"|take back|collectors?|planning)\b",
    re.IGNORECASE,
)  # fmt: skip


# Who wants none between himself and the maker has no use for a dealer.
_NO_MIDDLEMAN = re.compile(
    r"中间商|贸易商|经销商|代理商?|贸易公司|皮包|转手|倒卖|\b(?:re-?sale|re-?sellers?|traders?|trading|dealers?|distributors?|middlem[ae]n|agents?|brokers?)\b",
    re.IGNORECASE,
)
_FROM_THE_MAKER = re.compile(
    r"(?:只要|仅限|限|必须|须)(?:源头)?(?:生产)?(?:厂家|工厂|制造商)|源头(?:厂|工厂)|\b(?:manufacturers?|makers?|producers?|factor(?:y|ies)) only\b|\bonly (?:from )?(?:manufacturers?|makers?|producers?|factories)\b",
    re.IGNORECASE,
)


def maker_only(text: str) -> str:
    """The words by which a line says that it wants no dealer, "" where it does not.

    Examples
    --------
    >>> maker_only("不锈钢螺栓，中间商勿扰"), maker_only("Bolts, manufacturers only"), maker_only("Bolts, no painting")
    ('中间商', 'manufacturers only', '')
    """
    found = _NO_MIDDLEMAN.search(ruled_out(text)) or _FROM_THE_MAKER.search(asserted(text))
    return found[0] if found else ""


def party_of(text: str) -> Party:
    """Whether a firm presents itself as one that buys, or as one whose trade it is to take: a dealer, an investor.

    Examples
    --------
    >>> [party_of(text) for text in ("电池厂，长期采购隔膜", "Hand tool distributor", "隔膜生产", "转让设备，采购价三折")]
    ['buyer', 'taker', '', '']
    >>> [party_of(text) for text in ("洗发水品牌，寻代工厂", "Brand seeking contract manufacturer", "Buying old coils", "寻代理商")]
    ['buyer', 'buyer', 'buyer', 'taker']
    >>> [party_of(text) for text in ("阀门生产厂家，寻铸件加工厂合作", "找加工厂就找我们，CNC加工")]
    ['', '']
    """
    if _GIVES.search(text):
        return ""
    if _BUYS.search(text):
        return "buyer"
    seeks = _SEEKS_MAKER.search(text)
    if seeks is not None and not _MAKES.search(text[: seeks.start()]):
        return "buyer"
    return "taker" if _TAKER.search(text) else ""


def rivals_of(text: str) -> frozenset[Party]:
    """Parties that a line has no use for: whoever seeks customers has none for one who sells the same.

    Examples
    --------
    >>> sorted(rivals_of("卖闲置机床")), sorted(rivals_of("采购机床")), sorted(rivals_of("收购旧机床"))
    ([''], ['buyer'], ['buyer', 'taker'])
    """
    said = asserted(text)
    if maker_only(text):
        return frozenset({"buyer", "taker"})
    if _SEEKS_TAKER.search(said):
        return frozenset({""})
    return frozenset({"buyer", "taker"} if _TAKES.search(said) else {"buyer"})
