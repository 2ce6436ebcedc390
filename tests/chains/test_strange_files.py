"""Files as the programs and forms of strangers make them; each with the right answer beside it."""

# fmt: off
from __future__ import annotations

import time
from datetime import date
from decimal import Decimal

import pytest

from chains.errors import DomainError
from chains.forms.import_columns import columns_of
from chains.forms.import_sheet import read_rows
from chains.forms.register import Register
from chains.forms.requirement_sheet import read_file
from chains.models import Import
from chains.spreadsheets import Sheets, forms, open_sheets, propose, read_table
from chains.spreadsheets.grid import Grid
from chains.spreadsheets.header import _looked_at
from chains.spreadsheets.sheets import _tidy
from tests.chains.test_spreadsheets import workbook
from tests.factories.chains import OrganiserRoleFactory

pytestmark = pytest.mark.django_db


def book(*pages):
    """A workbook once opened: rows, or rows and what else is known of the sheet."""
    grids = []
    for number, page in enumerate(pages, 1):
        rows, more = page if isinstance(page, tuple) else (page, {})
        rows = [[_tidy(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
        grids.append(Grid(more.pop("name", f"Sheet{number}"), rows, **more))
    return Sheets("xlsx", grids)


LINES: dict[str, tuple] = {}
FIELDS = columns_of(Import.Kind.ENTERPRISES)
ENTERPRISES: dict[str, tuple] = {}
CAPABILITIES: dict[str, tuple] = {}
A, B, C = "91330421MA2AYCCC25", "91330421MA2PYA858W", "91330421MA273X9Q3M"

# --- ERP exports
LINES["kingdee purchase request"] = (book([
 ["采购申请单"], ["组织：示例电子", None, None, "日期：2026-11-01 至 2026-11-30"],
 ["单据编号","日期","行号","物料代码","物料名称","规格型号","单位","申请数量","到货日期","建议供应商","摘要"],
 ["CGSQ0001",date(2026,11,2),1,"1.01.001","滚动轴承","6205","套",40.0,date(2027,3,5),None,None],
 [None,None,2,"1.01.002","密封圈","O型 45×3.1","个",1000.0,date(2027,3,5),None,"急"],
 ["合计",None,None,None,None,None,None,1040.0,None,None,None],
]), [("滚动轴承",40,"套",date(2027,3,5)),("密封圈",1000,"件",date(2027,3,5))], [])
LINES["yonyou request"] = (book([
 ["请购单列表"], ["记录数：2"],
 ["选择","业务类型","单据号","存货编码","存货名称","规格型号","主计量","数量","需求日期","建议订货日期","执行量"],
 ["","普通采购","0000000012","010203","电磁阀","DN25 24V","只","200.00","2027-03-05","2027-01-05","0.00"],
 ["","普通采购","0000000012","010204","压力表","0-1.6MPa","块","50.00","2027-03-05","2027-01-05","0.00"],
 ["","","","","","","","250.00","","",""],
]), [("电磁阀",200,"只",date(2027,3,5)),("压力表",50,"件",date(2027,3,5))], [])
LINES["sap me5a"] = ("""Purch.Req.\tItem\tMaterial\tShort Text\tQuantity\tUn\tDeliv.Date\tPGr
0010012345\t10\t100-200\tHex bolt M12x60\t1.200,000\tPC\t31.03.2027\t001
0010012345\t20\t100-201\tWasher M12\t12,000\tPC\t31.03.2027\t001
0010012345\t30\t100-202\tGrease\t0,500\tKG\t15.04.2027\t001
""".encode("utf-16"), [("Hex bolt M12x60",1200,"件",date(2027,3,31)),("Washer M12",12,"件",date(2027,3,31)),("Grease",0.5,"千克",date(2027,4,15))], [])
LINES["oracle export"] = (b"""REQUISITION_NUMBER,LINE_NUM,ITEM_DESCRIPTION,QUANTITY,UOM_CODE,NEED_BY_DATE
4711,1,Gate valve DN50,12,EA,2027-03-05T00:00:00
4711,2,Gasket,"1,200",EA,2027-03-05T00:00:00
""", [("Gate valve DN50",12,"件",date(2027,3,5)),("Gasket",1200,"件",date(2027,3,5))], [])
LINES["german bom with decimals by comma"] = ("""Pos.;Bezeichnung;Werkstoff;Menge;ME;Liefertermin
1;Flachstahl 40x5;S235JR;1,5;t;05.03.2027
2;Mutter M8;8;250;Stk;05.03.2027
3;Öl;;12,25;L;KW 12/2027
""".encode("cp1252"), [("Flachstahl 40x5",1.5,"吨",date(2027,3,5)),("Mutter M8",250,"件",date(2027,3,5)),("Öl",12.25,"升",None)], [])
LINES["english bom with levels"] = (book([
 ["BILL OF MATERIAL"],["Assembly:","Inverter 50 kW"],[],
 ["Level","Find No.","Part Number","Nomenclature","Qty per Assy","U/M","Notes"],
 ["1","10","A-1","Housing","1","EA",""],["1.1","11","A-2","Gasket","2","EA","EPDM"],
]), [("Housing",1,"件",None),("Gasket",2,"件",None)], [])
LINES["rfq with price breaks"] = (book([
 ["Request for Quotation"],["RFQ No.","R-778","Due","15 Jan 2027"],[],
 ["Line #","Part Number","Part Description","Rev","Annual Qty","Target Price (USD)","Currency"],
 [1,"P-100","Bracket, left","B",12000,1.25,"USD"],[2,"P-101","Bracket, right","B",12000,1.25,"USD"],
]), [("Bracket, left",12000,None,None),("Bracket, right",12000,None,None)], [])
LINES["1688 inquiry"] = (book([
 ["询价单编号","商品名称","购买数量","计量单位","期望收货日期","商品图片链接"],
 ["XJ1","不锈钢法兰","300","片","2027-03-05","https://example.com/a.jpg"],
]), [("不锈钢法兰",300,"片",date(2027,3,5))], [])
LINES["japanese buyer"] = (book([
 ["見積依頼書"],["No.","品名","型式","数量","単位","納期"],[1,"ボールねじ","BNK1205",20,"本","2027/3/5"],[2,"軸受","6205ZZ",100,"個","2027/3/5"],
]), [("ボールねじ",20,"件",date(2027,3,5)),("軸受",100,"件",date(2027,3,5))], [])

# --- WPS and forms of authorities
LINES["full width"] = (book([
 ["序号","产　品　名　称","规　　格","数　量","单　位","交　货　期"],
 ["１","铜排","５０×５","１，２００","公斤","２０２７年３月５日"],["２","绝缘子","ＺＪ－１０","５００只","","２０２７．３．５"],
]), [("铜排",1200,"千克",date(2027,3,5)),("绝缘子",500,"只",date(2027,3,5))], [])
LINES["header in row 7 with a legend, a stamp at the end"] = (book([
 ["附件2"],["产业链协作配套需求汇总表"],["填报单位（盖章）：示例电子有限公司",None,None,"填报日期：2026年11月26日"],
 ["图例：★急需　☆一般"],["说明：数量为年用量；单位不填时为“件”"],[],
 ["序号","配套产品名称","规格型号","需求数量","计量单位","拟采购时间","紧急程度"],
 [1,"导轨","HGR20","约500套/年","","2027.3.5","★"],[2,"滑块","HGH20CA","2000","个/年","27年3月","☆"],
 ["单位负责人（签字）：",None,None,"经办人：","","联系电话："],["注：本表一式两份，电子版发送至指定邮箱。"],
]), [("导轨",500,"套",date(2027,3,5)),("滑块",2000,"件",None)], [])
LINES["survey export"] = (book([
 ["序号","提交答卷时间","所用时间","来源","来源详情","来自IP","1、贵公司名称","2、需求产品名称（必填）","3、规格型号","4、数量（填空题）","5、单位","6、期望交货日期"],
 ["1","2026/11/26 10:00:00","88秒","微信","直接访问","10.0.0.1(未知)","示例甲有限公司","液压缸","HSG63","30","支","2027-03-05"],
 ["2","2026/11/26 10:05:00","70秒","微信","直接访问","10.0.0.1(未知)","示例乙有限公司","蓄能器","NXQ","12","台","2027-03-05"],
]), [("液压缸",30,"件",date(2027,3,5)),("蓄能器",12,"台",date(2027,3,5))], [])
LINES["numbered header"] = (book([
 ["①产品名称","②技术参数","③数量","④单位","⑤交货期"],["铝箔","0.02mm","10","吨","2027-03-05"],
]), [("铝箔",10,"吨",date(2027,3,5))], [])
LINES["units in a row of their own"] = (book([
 ["产品名称","规格","数量","交货期"],[None,None,"（万件）","（年-月-日）"],["端子","2.8","12","2027-03-05"],["护套","2P","3.5","2027-03-05"],
]), [("端子",120000,"件",date(2027,3,5)),("护套",35000,"件",date(2027,3,5))], [])
LINES["units in a row of their own, bare"] = (book([
 ["品名","型号","需求量","交货期"],[None,None,"吨",None],["硅料","N型",120,"2027-03-05"],
]), [("硅料",120,"吨",date(2027,3,5))], [])
LINES["column numbers under the header"] = (book([
 ["序号","产品名称","规格","数量","单位"],["甲","乙","1","2","3"],["1","风扇","120mm","40","台"],
]), [("风扇",40,"台",None)], [])
LINES["numbers of columns under the header"] = (book([
 ["产品名称","规格","数量","单位"],["(1)","(2)","(3)","(4)"],["风扇","120mm","40","台"],
]), [("风扇",40,"台",None)], [])
LINES["page footers in the middle and repeated heads"] = (book([
 ["采购需求清单"],["序号","产品名称","规格","数量","单位"],[1,"甲件","a",10,"件"],[2,"乙件","b",20,"件"],
 ["小　　计",None,None,30,None],["第 1 页　共 2 页"],["采购需求清单（续）"],["序号","产品名称","规格","数量","单位"],
 [3,"丙件","c",30,"件"],["本页合计",None,None,30,None],["总　　计",None,None,60,None],["第2页/共2页"],["打印时间：2026-11-26 10:00:00"],["制单：甲  审核：乙"],
]), [("甲件",10,"件",None),("乙件",20,"件",None),("丙件",30,"件",None)], [])
LINES["page footers in english"] = (book([
 ["Item","Description","Qty","Unit"],["1","Valve","2","pcs"],["Page 1 of 2"],["Item","Description","Qty","Unit"],["2","Pump","3","pcs"],["Page 2 of 2"],["*** End of report ***"],["Printed on 26-Nov-2026 10:00"],
]), [("Valve",2,"件",None),("Pump",3,"件",None)], [])
LINES["a table of contacts beside"] = (book([
 ["产品名称","数量","单位",None,"联系人","电话"],["甲件",1,"台",None,"王丙","13900000001"],["乙件",2,"台",None,"李丁","13900000002"],[None,None,None,None,"赵戊","13900000003"],
]), [("甲件",1,"台",None),("乙件",2,"台",None)], [])
LINES["a list of units beside"] = (book([
 ["产品名称","数量","单位",None,"单位代码","单位名称"],["甲件",1,"台",None,"01","台"],["乙件",2,"套",None,"02","套"],[None,None,None,None,"03","只"],
]), [("甲件",1,"台",None),("乙件",2,"套",None)], [])
LINES["transposed"] = (book([
 ["需求对比表"],["产品名称","导轨","滑块","丝杠"],["规格型号","HGR20","HGH20","1605"],["数量",10,20,"30根"],["单位","根","个",None],["交货期","2027-03-05","2027-03-05","2027-03-05"],
]), [("导轨",10,"件",date(2027,3,5)),("滑块",20,"件",date(2027,3,5)),("丝杠",30,"件",date(2027,3,5))], [])
LINES["transposed with numbers above"] = (book([
 ["项目","需求一","需求二"],["产品名称","导轨","滑块"],["技术要求","HGR20","HGH20"],["需求数量",10,20],["计量单位","根","个"],
]), [("导轨",10,"件",None),("滑块",20,"件",None)], [])
LINES["dates"] = (book([
 ["产品名称","数量","单位","交货期"],
 ["a1",1,"台","2026.3.5"],["a2",1,"台","26年3月"],["a3",1,"台",46450],["a4",1,"台","3月底前"],["a5",1,"台","2027年一季度"],["a6",1,"台","2027/3/5 0:00:00"],
 ["a7",1,"台","2027年3月上旬"],["a8",1,"台","2027.03"],["a9",1,"台","二〇二七年三月五日"],["b1",1,"台","签订合同后30天内"],["b2",1,"台","2027-03-05~2027-04-05"],["b3",1,"台","2027年3月5日（周五）"],
 ["b4",1,"台","2027年3月5日前到货"],["b5",1,"台","下单后15个工作日"],["b6",1,"台","2027 年 3 月 5 日上午"],["b7",1,"台","2027-03-05 前"],["b8",1,"台","27.3.5"],["b9",1,"台","2027-2-30"],["c1",1,"台","不限"],["c2",1,"台","每月5日"],["c3",1,"台","FY2027 Q2"],["c4",1,"台","Mar-27"],["c5",1,"台","2027年春节前"],
]), [("a1",1,"台",date(2026,3,5)),("a2",1,"台",None),("a3",1,"台",date(2027,3,4)),("a5",1,"台",None),("a6",1,"台",date(2027,3,5)),("a7",1,"台",None),("a8",1,"台",None),("a9",1,"台",date(2027,3,5)),
     ("b1",1,"台",None),("b3",1,"台",date(2027,3,5)),("b4",1,"台",date(2027,3,5)),("b5",1,"台",None),("b6",1,"台",date(2027,3,5)),("b7",1,"台",date(2027,3,5)),("c1",1,"台",None)],
 [(5,"D"),(12,"D"),(18,"D"),(19,"D"),(21,"D"),(22,"D"),(23,"D"),(24,"D")])
LINES["quantities"] = (book([
 ["产品名称","数量","单位"],
 ["a1","约500套/年",""],["a2","10-20万件",""],["a3","≥300","台"],["a4","500+","台"],["a5","三千","台"],["a6","1,200.00","台"],["a7","1 200","台"],["a8","5万只（首批1万）",""],["a9","500左右","台"],["b1","若干","台"],["b2","10万-20万","件"],
 ["b3","1套/台","套"],["b4","年需求2万件",""],["b5","每年约3000吨",""],["b6","首批100台，后续500台",""],["b7","￥500","台"],["b8","100%","台"],["b9","2×50","台"],["c1","0.5万","台"],["c2","1200台（套）/年",""],["c3","5 k","pcs"],["c4","按实际需求","台"],["c5","300余台",""],["c6","300多台",""],["c7","两三百台",""],["c8","１０００",  "ＰＣＳ"],["c9","1.2.3","台"],["d1","月均5000","只"],["d2","500件起订",""],["d3","共 12 台",""],["d4","12台；","" ],["d5","12.","台"],["d6","200 pcs/month",""],["d7","数量：200","台"],["d8","-5","台"],
]), [("a1",500,"套",None),("a3",300,"台",None),("a4",500,"台",None),("a5",3000,"台",None),("a6",1200,"台",None),("a7",1200,"台",None),("a8",50000,"只",None),("a9",500,"台",None),("b1",None,"台",None),
     ("b4",20000,"件",None),("b5",3000,"吨",None),("c1",5000,"台",None),("c2",1200,"台",None),("c3",5000,"件",None),("c4",None,"台",None),("c5",300,"台",None),("c6",300,"台",None),("c8",1000,"件",None),("d1",5000,"只",None),("d3",12,"台",None),("d4",12,"台",None),("d5",12,"台",None),("d6",200,"件",None),("d7",200,"台",None)],
 [(3,"B"),(12,"B"),(13,"B"),(16,"B"),(17,"B"),(18,"B"),(19,"B"),(26,"B"),(28,"B"),(30,"B"),(36,"B")])
LINES["prices in yuan a ton"] = (book([
 ["原料名称","年采购量（吨）","单价（元/吨）","金额（万元）","到货地点"],["聚丙烯","1,200","8,500.00","1,020","海盐县"],["炭黑","35.5","12000","42.6","海盐县"],
]), [("聚丙烯",1200,"吨",None),("炭黑",35.5,"吨",None)], [])
LINES["hidden rows"] = (book(([
 ["产品名称","数量","单位"],["甲件",1,"台"],["乙件",2,"台"],["丙件",3,"台"],
], {"hidden": frozenset({3})})), [("甲件",1,"台",None),("乙件",2,"台",None),("丙件",3,"台",None)], [])
LINES["booleans, errors, unsaved"] = (book([
 ["产品名称","数量","单位"],["甲件","#N/A","台"],["乙件","#FORMULA!","台"],["丙件",True,"台"],["丁件",4.0,"台"],
]), [("甲件",None,"台",None),("丁件",4,"台",None)], [(3,"B"),(4,"B")])

# --- Text files
mix = "产品名称,数量,单位\r\n接触器,200,只\r\n".encode() + "断路器,150,只\r\n熔断器,30,只\r\n".encode("gb18030")
LINES["utf-8 with gb18030 behind it"] = (b"\xef\xbb\xbf"+mix, [("接触器",200,"只",None),("断路器",150,"只",None),("熔断器",30,"只",None)], [])
LINES["the same without a mark"] = (mix, [("接触器",200,"只",None),("断路器",150,"只",None),("熔断器",30,"只",None)], [])
LINES["gb18030 with utf-8 behind it"] = ("产品名称,数量,单位\r\n接触器,200,只\r\n".encode("gb18030")+"断路器,150,只\r\n".encode(), [("接触器",200,"只",None),("断路器",150,"只",None)], [])
LINES["files joined, each with its mark and header"] = ("\ufeff产品名称,数量,单位\r\n甲件,1,台\r\n\ufeff产品名称,数量,单位\r\n乙件,2,台\r\n".encode(), [("甲件",1,"台",None),("乙件",2,"台",None)], [])
LINES["a thousand commas behind each row"] = (("产品名称,数量,单位"+","*1021+"\r\n甲件,1,台"+","*1021+"\r\n").encode(), [("甲件",1,"台",None)], [])
LINES["semicolons with decimals"] = ("产品名称;数量;单位\r\n铜杆;1,5;吨\r\n铝杆;20;吨\r\n".encode("utf-8-sig"), [("铜杆",1.5,"吨",None),("铝杆",20,"吨",None)], [])
LINES["quotes over lines"] = ('"产品\n名称","技术\n要求",数量,单位\r\n"电机\n","功率 5.5kW,\n转速 ""1450"" r/min\n\n防护 IP55",3,台\r\n"减速机","速比 10",4,台\r\n'.encode("gb18030"), [("电机",3,"台",None),("减速机",4,"台",None)], [])
LINES["tabs in a file that calls itself csv"] = ('产品名称\t规格\t数量\t单位\n"螺栓, 高强"\tM12,长60\t1,200\t个\n垫圈\tφ12,平\t300\t个\n'.encode(), [("螺栓, 高强",1200,"件",None),("垫圈",300,"件",None)], [])
LINES["blanks between the columns"] = ("产品名称    规格      数量   单位\n接触器      CJX2-25   200    只\n断路器      DZ47-63   150    只\n".encode("gb18030"), [("接触器",200,"只",None),("断路器",150,"只",None)], [])
LINES["a table of a text document"] = ("| 产品名称 | 规格 | 数量 | 单位 |\n|---|---|---|---|\n| 接触器 | CJX2 | 200 | 只 |\n| 断路器 | DZ47 | 150 | 只 |\n".encode(), [("接触器",200,"只",None),("断路器",150,"只",None)], [])
LINES["an empty column first and empty rows between"] = (book([
 [None,"产品名称","数量","单位"],[None]*4,[None,"甲件",1,"台"],[None]*4,[None]*4,[None,"乙件",2,"台"],
]), [("甲件",1,"台",None),("乙件",2,"台",None)], [])
LINES["mhtml"] = (b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=\"----=_B\"\r\n\r\n------=_B\r\nContent-Location: file:///C:/r.htm\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: text/html; charset=\"utf-8\"\r\n\r\n<html><body><table border=3D1><tr><td>=E4=BA=A7=E5=93=81=E5=90=8D=E7=A7=B0</td><td>=E6=95=B0=E9=\r\n=87=8F</td><td>=E5=8D=95=E4=BD=8D</td></tr><tr><td>=E6=8E=A5=E8=A7=A6=E5=99=A8</td><td>200</td><td>=E5=8F=AA</td></tr></table></body></html>\r\n------=_B--\r\n", [("接触器",200,"只",None)], [])

# --- Forms of one line
form = [["产业链配套需求表"],["产品名称","三分体接线盒"],["规格型号","1500V 25A"],["数量","2万只"],["交货期","2027-03-05"],["备注","无"]]
LINES["form, one line"] = (book(form), [("三分体接线盒",20000,"只",date(2027,3,5))], [])
form2 = [["产业链配套需求表"],["产品名称","铝边框"],["规格型号","35mm"],["数量","600吨"],["交货期","2027-04-05"],["备注","现款"]]
LINES["forms, a sheet each"] = (book((form,{"name":"需求1"}),(form2,{"name":"需求2"})), [("三分体接线盒",20000,"只",date(2027,3,5)),("铝边框",600,"吨",date(2027,4,5))], [])
LINES["form with pairs in a row"] = (book([["需求信息登记表"],["企业名称","示例甲有限公司","联系人","王丙"],["产品名称","导轨","规格型号","HGR20"],["需求数量","30","计量单位","根"],["交货期","2027-03-05","联系电话","13900000001"]]), [("导轨",30,"件",date(2027,3,5))], [])
LINES["form with a colon in each cell"] = (book([["需求登记"],["产品名称：导轨","规格型号：HGR20"],["数量：30","单位：根"],["交货期：2027年3月5日"]]), [("导轨",30,"件",date(2027,3,5))], [])
LINES["cards below one another"] = (book([["产品名称：","导轨"],["数量：","30根"],["交货期：","2027-03-05"],[],["产品名称：","滑块"],["数量：","60个"],["交货期：","2027-03-05"]]), [("导轨",30,"件",date(2027,3,5)),("滑块",60,"件",date(2027,3,5))], [])
LINES["form whose amount is wrong"] = (book([["产品名称","导轨"],["规格型号","HGR20"],["数量","10-20万件"],["单位","根"]]), [], [(2,"C")])
LINES["labels in merged cells"] = (book(([["需求表"],["产品信息","产品名称",None,"导轨",None],[None,"规格型号",None,"HGR20",None],["采购信息","数量",None,"30",None],[None,"单位",None,"根",None]],{"merged":[(0,0,0,4),(1,0,2,0),(3,0,4,0),(1,1,1,2),(1,3,1,4),(2,1,2,2),(2,3,2,4),(3,1,3,2),(3,3,3,4),(4,1,4,2),(4,3,4,4)]})), [("导轨",30,"件",None)], [])
LINES["english form"] = (book([["Sourcing request"],["Product:","Junction box, split"],["Specification:","1500 V, 25 A, IP68"],["Quantity:","20,000 pcs/year"],["Needed by:","5 March 2027"],["Contact:","A. Nobody"]]), [("Junction box, split",20000,"件",date(2027,3,5))], [])

# --- Enterprises: name, number, region, telephones
ENTERPRISES["company search export"] = (book([
 ["数据来源：示例查询平台"],["导出时间：2026-11-26 10:00"],
 ["企业名称","登记状态","法定代表人","注册资本","成立日期","统一社会信用代码","企业地址","电话","更多电话","所属省份","所属城市","所属区县","邮箱","经营范围"],
 ["示例甲有限公司","存续","王丙","1000万元人民币","2011-01-01",A,"浙江省嘉兴市海盐县某路1号","13900000001","0573-86000000；13900000009","浙江省","嘉兴市","海盐县","a@example.com","一般项目：制造"],
 ["示例乙有限公司","注销","李丁","500万元人民币","2012-01-01",B,"","-","-","浙江省","嘉兴市","平湖市","-","-"],
]), [("示例甲有限公司",A,"海盐县",["13900000001 / 0573-86000000"])], [5])
ENTERPRISES["survey of enterprises"] = (book([
 ["序号","提交答卷时间","1、贵公司名称是？","2、统一社会信用代码","3、所在县（市、区）","4、联系人","5、联系电话"],
 ["1","2026/11/26",  "示例甲有限公司",A,"海盐县","王丙","13900000001"],
]), [("示例甲有限公司",A,"海盐县",["13900000001"])], [])
base=[["企业基本情况表"],["企业名称","示例甲有限公司","统一社会信用代码",A],["所在地区","海盐县","单位性质","民营企业"],["联系人","王丙","联系电话","13900000001"],["主要产品","光伏边框",None,None],["企业简介","生产光伏边框，年产能 2 万吨。",None,None],["填表人：甲",None,"填表日期：2026-11-26",None]]
ENTERPRISES["form of a body"] = (book(base), [("示例甲有限公司",A,"海盐县",["13900000001"])], [])
b2=[["企业基本情况表"],["企业名称","示例乙有限公司","统一社会信用代码",B],["所在地区","平湖市","单位性质","国有企业"],["联系人","李丁","联系电话","13900000002"],["主要产品","支架",None,None]]
ENTERPRISES["forms, a sheet each"] = (book((base,{"name":"甲"}),(b2,{"name":"乙"})), [("示例甲有限公司",A,"海盐县",["13900000001"]),("示例乙有限公司",B,"平湖市",["13900000002"])], [])
ENTERPRISES["form in one column, colon in the cell"] = ("企业名称：示例甲有限公司\n统一社会信用代码：91330421MA2AYCCC25\n所在地区：海盐县\n联系人：王丙\n联系电话：13900000001\n".encode(), [("示例甲有限公司",A,"海盐县",["13900000001"])], [])
ENTERPRISES["cards below one another"] = (book([["企业名称","示例甲有限公司"],["信用代码",A],["地址","海盐县武原街道"],["联系人","王丙"],["电话","13900000001"],[None],["企业名称","示例乙有限公司"],["信用代码",B],["地址","平湖市"],["联系人","李丁"],["电话","13900000002"]]), [("示例甲有限公司",A,"嘉善县",["13900000001"]),("示例乙有限公司",B,"嘉善县",["13900000002"])], [])
ENTERPRISES["two persons in a form"] = (book([["单位名称","示例甲有限公司",None,None],["信用代码",A,None,None],["联系人","王丙","电话","13900000001"],["联系人","李丁","电话","13900000002"],["邮箱","a@example.com"]]), [("示例甲有限公司",A,"嘉善县",["13900000001","13900000002"])], [])
ENTERPRISES["values below their names"] = (book([["企业名称","统一社会信用代码","所在地区"],["示例甲有限公司",A,"海盐县"],["联系人","联系电话","邮箱"],["王丙","13900000001","a@example.com"],["主要产品","网址","地址"],["边框","www.example.com","某路1号"]]), [("示例甲有限公司",A,"海盐县",["13900000001"])], [])
ENTERPRISES["english form"] = (book([["SUPPLIER PROFILE"],["Company name","Demo Pumps GmbH"],["Country","Germany"],["Registration no.","HRB 4711"],["Contact person","A. Nobody"],["Phone","+49 30 1234567"],["E-mail","a@example.com"],["Products","Pumps"]]), [("Demo Pumps GmbH","HRB4711",None,["+49 30 1234567"])], [])
ENTERPRISES["names wrapped in their cells"] = (book([["企业\n名称","信用\n代码","联系人\n电话"],["示例甲\n有限公司","91330421\nMA2AYCCC25","13900000001"]]), [("示例甲有限公司",A,"嘉善县",["13900000001"])], [])
ENTERPRISES["codes with blanks, small letters, a prefix"] = (book([["企业名称","统一社会信用代码","手机"],["示例甲有限公司","9133 0421 MA2A YCCC25",13900000001.0],["示例乙有限公司","91330421ma2pya858w","1.39E+10"],["示例丙有限公司","信用代码：９１３３０４２１ＭＡ２７３Ｘ９Ｑ３Ｍ","+86 139-0000-0003"]]), [("示例甲有限公司",A,"嘉善县",["13900000001"]),("示例乙有限公司",B,"嘉善县",[]),("示例丙有限公司",C,"嘉善县",["+86 139-0000-0003"])], [])
ENTERPRISES["bilingual list, english first"] = (book([["展位号 Booth","公司名称（英文）","公司名称（中文）","网址 Website","国家 Country"],["A01","Demo Jia Co., Ltd.","示例甲有限公司","www.example.com","中国"],["A02","Demo Pumps GmbH","","www.example.org","德国"]]), [("示例甲有限公司",None,"嘉兴市",[]),("Demo Pumps GmbH",None,None,[])], [])
ENTERPRISES["address book"] = (b"First Name,Last Name,Company,Job Title,Business Phone,E-mail Address\r\nA.,Nobody,Demo Pumps Ltd,Buyer,+44 20 7946 0000,a@example.com\r\n", [("Demo Pumps Ltd",None,"嘉兴市",["+44 20 7946 0000"])], [])
ENTERPRISES["attendance slip"] = (book([["参会回执"],["单位","姓名","性别","职务","手机","是否住宿"],["示例甲有限公司","王丙","男","经理","13900000001","是"],["示例甲有限公司","李丁","女","采购","13900000002","否"],["示例乙有限公司","赵戊","男","总监","13900000003","否"]]), [("示例甲有限公司",None,"嘉兴市",["13900000001"]),("示例甲有限公司",None,"嘉兴市",["13900000002"]),("示例乙有限公司",None,"嘉兴市",["13900000003"])], [])
ENTERPRISES["list with a county merged, headings, and a title with a count"] = (book(([["海盐县重点企业名单"],["（共3家，排名不分先后）"],["序号","县（市、区）","企业名称","统一社会信用代码","备注"],[1,"海盐县","示例甲有限公司",A,None],[2,None,"示例乙有限公司",B,"规上"],["二、平湖市"],[3,"平湖市","示例丙有限公司",C,None],["联系人：王丙 电话：13900000001"]],{"merged":[(0,0,0,4),(1,0,1,4),(3,1,4,1),(5,0,5,4)]})), [("示例甲有限公司",A,"海盐县",[]),("示例乙有限公司",B,"海盐县",[]),("示例丙有限公司",C,"平湖市",[])], [])

# --- Products: title, what is made in a year, unit
CAPABILITIES["catalogue"] = (book(([["产品目录"],["类别","产品名称","型号","年产能","单位"],["接线盒","三分体接线盒","JB-3","90万","套"],[None,"单体接线盒","JB-1","30万","套"]],{"merged":[(2,0,3,0)]})), [("三分体接线盒",900000,"套"),("单体接线盒",300000,"套")], [])
CAPABILITIES["outputs in words"] = (book([["主导产品","生产能力","交货周期"],["硅料","年产5000吨","30天"],["硅片","10万片/月","2周"],["支架","5000套","现货"],["胶膜","日产2万平方米","7天"],["背板","产能1200万㎡/年","15-20天"]]), [("硅料",5000,"吨"),("硅片",1200000,"片"),("支架",5000,"套"),("背板",12000000,"平方米")], [5])
CAPABILITIES["form of a product"] = (book([["产品信息表"],["产品名称","胶膜"],["产品介绍","EVA"],["年产能","1200万平方米"],["交货期","15天"],["是否新产品","否"]]), [("胶膜",12000000,"平方米")], [])
CAPABILITIES["transposed"] = (book([["产品名称","硅片","硅料"],["年产能","10万片","5000吨"],["交货期","15天","30天"],["说明","N型","颗粒"]]), [("硅片",100000,"片"),("硅料",5000,"吨")], [])

# --- The second round
LINES["a head of pairs above a list"] = (book([["采购询价单"],["询价单位：","示例甲有限公司","联系人：","王丙"],["电话：","13900000001","日期：","2026-11-26"],["序号","产品名称","型号","数量","单位","单价","备注"],[1,"甲件","a",10,"件",None,None],[2,"乙件","b",20,"件",None,None],["交货地点：海盐县某路1号"],["付款方式：货到30天"]]), [("甲件",10,"件",None),("乙件",20,"件",None)], [])
LINES["contract annex: sums in words, signatures of two sides"] = (book([["附件一 供货清单"],["序号","货物名称","规格型号","数量","单位","单价(元)","总价(元)"],[1,"水泵","IS50",2,"台",3000,6000],["合计人民币（大写）：陆仟元整",None,None,None,None,None,6000],["甲方（盖章）：",None,None,"乙方（盖章）："],["代表签字：",None,None,"代表签字："],["日期：",None,None,"日期："]]), [("水泵",2,"台",None)], [])
LINES["levels of numbers, parents without amounts"] = (book([["序号","设备名称","规格","数量","单位"],["一","电气系统"],["1","变压器","S13",2,"台"],["2","开关柜","GGD",6,"面"],["二","给排水系统"],["1","水泵","IS",4,"台"]]), [("变压器",2,"台",None),("开关柜",6,"件",None),("水泵",4,"台",None)], [])
LINES["groups in a column of the name"] = (book([["产品名称","规格","数量","单位"],["一、电气类"],["变压器","S13",2,"台"],["（二）机械类"],["水泵","IS",4,"台"],["其他类："],["阀门","DN50",5,"只"]]), [("变压器",2,"台",None),("水泵",4,"台",None),("阀门",5,"只",None)], [])
LINES["title in the file's first cells, header with a line of english below"] = (book([["Procurement list 采购清单"],["序号","产品名称","规格型号","数量","单位","交货期"],["No.","Product","Specification","Qty","Unit","Delivery"],[1,"导轨","HGR20",30,"根","2027-03-05"]]), [("导轨",30,"件",date(2027,3,5))], [])
LINES["amount and unit in one, unit also in the header"] = (book([["品名","数量(个)"],["螺栓","100个"],["螺母","2000"],["垫片","3k"]]), [("螺栓",100,"件",None),("螺母",2000,"件",None),("垫片",3000,"件",None)], [])
LINES["monthly plan"] = (book([["物料名称","单位","1月","2月","3月","合计"],["导轨","根",10,20,30,60]]), [("导轨",None,"件",None)], [])
LINES["header cells that say what to write"] = (book([["产品名称（填写需要采购的产品、零部件或原材料名称，如：接线盒）","数量（请填写阿拉伯数字，如 100）","单位（个/套/吨）","期望交付时间（如2027-03-05）"],["接线盒","100","套","2027-03-05"]]), [("接线盒",100,"套",date(2027,3,5))], [])
LINES["html export of a web system with links and menus"] = ("<html><head><meta charset=utf-8></head><body><table><tr><td>首页</td><td>退出</td></tr></table><table><thead><tr><th>商品名称</th><th>采购量</th><th>单位</th><th>操作</th></tr></thead><tbody><tr><td><a href='/1'>导轨</a></td><td>30</td><td>根</td><td><a>编辑</a>|<a>删除</a></td></tr></tbody><tfoot><tr><td colspan=4>共 1 条 每页 20 条</td></tr></tfoot></table></body></html>".encode(), [("导轨",30,"件",None)], [])
LINES["foot of a web list"] = (book([["商品名称","采购量","单位"],["导轨",30,"根"],["共 1 条记录，第 1/1 页"],["导出时间 2026-11-26 10:00:00"]]), [("导轨",30,"件",None)], [])
LINES["dates mixed in one column with serials as text"] = (book([["产品名称","数量","单位","需求日期"],["a",1,"台","46450"],["b",1,"台",46450.5],["c",1,"台","2027-03-04 00:00:00"],["d",1,"台","2027年3月4号"],["e",1,"台","20270304"],["f",1,"台","4-Mar-2027"],["g",1,"台","2027.3.4前"]]), [(c,1,"台",date(2027,3,4)) for c in "abcdefg"], [])
LINES["quantities with words behind"] = (book([["产品名称","需求数量"],["a","100台/套"],["b","5吨/月"],["c","3000 m"],["d","2,000㎡"],["e","50 件 / 年"],["f","1.5万米"],["g","12 sets"],["h","3车"],["i","一车"],["j","200KG"],["k","0.8t"],["l","5箱（每箱20只）"]]), [("a",100,"台",None),("b",5,"吨",None),("c",3000,"米",None),("d",2000,"平方米",None),("e",50,"件",None),("f",15000,"米",None),("g",12,"套",None),("j",200,"千克",None),("k",Decimal("0.8"),"吨",None),("l",5,"箱",None)], [(9,"B"),(10,"B")])
LINES["semicolons, thousands by dots"] = ("Artikel;Menge;Einheit\nSchraube;1.000;Stk\nMutter;2.500,50;kg\n".encode("utf-8-sig"), [("Schraube",1000,"件",None),("Mutter",2500.5,"千克",None)], [])
LINES["form with a column of instructions"] = (book([["填写项","填写内容","填写说明"],["产品名称","导轨","填写全称"],["数量","30","填数字"],["单位","根","如：套"],["交货期","2027-03-05","年-月-日"]]), [("导轨",30,"件",date(2027,3,5))], [])
LINES["form with numbers before its names"] = (book([["一、需求信息"],["1","产品名称","导轨"],["2","规格型号","HGR20"],["3","数量","30"],["4","单位","根"]]), [("导轨",30,"件",None)], [])
LINES["form numbered in the cell"] = (book([["1.产品名称","导轨"],["2.规格型号","HGR20"],["3.数量","30根"]]), [("导轨",30,"件",None)], [])
LINES["form with a list below"] = (book([["企业名称","示例甲有限公司"],["联系人","王丙"],["序号","产品名称","数量","单位"],[1,"导轨",30,"根"],[2,"滑块",60,"个"],[3,"丝杠",9,"根"]]), [("导轨",30,"件",None),("滑块",60,"件",None),("丝杠",9,"件",None)], [])
LINES["form of a web page"] = ("<html><meta charset=utf-8><table><tr><th>产品名称</th><td>导轨</td></tr><tr><th>数量</th><td>30</td></tr><tr><th>单位</th><td>根</td></tr></table></html>".encode(), [("导轨",30,"件",None)], [])
ENTERPRISES["form with boxes to tick and a stamp"] = (book([["产业链企业信息采集表"],["企业名称（盖章）","示例甲有限公司",None,None],["统一社会信用代码",A,None,None],["企业类型","☑民营企业 □国有企业 □外资企业",None,None],["所在县（市、区）","海盐县","详细地址","某路1号"],["联系人","王丙","手机","13900000001"],["主导产品","光伏边框"],["本单位承诺以上内容真实。"],["（盖章）",None,"2026年11月26日"]]), [("示例甲有限公司",A,"海盐县",["13900000001"])], [])
ENTERPRISES["members with no header"] = (book([["示例甲有限公司",A,"海盐县"],["示例乙有限公司",B,"平湖市"],["示例丙有限公司",C,"海宁市"]]), [("示例甲有限公司",A,"嘉善县",[]),("示例乙有限公司",B,"嘉善县",[]),("示例丙有限公司",C,"嘉善县",[])], [])
ENTERPRISES["telephones as numbers and with words"] = (book([["单位名称","联系人","联系电话"],["示例甲有限公司","王丙",13900000001],["示例乙有限公司","李丁（总经理）","办：0573-86000000 手：13900000002"],["示例丙有限公司","","13900000003 赵戊"]]), [("示例甲有限公司",None,"嘉兴市",["13900000001"]),("示例乙有限公司",None,"嘉兴市",["0573-86000000 / 13900000002"]),("示例丙有限公司",None,"嘉兴市",["13900000003"])], [])
ENTERPRISES["regions in two columns, a row of units of it"] = (book([["地市","县市区","企业全称","社会信用代码"],["嘉兴市","海盐县","示例甲有限公司",A],["","平湖市","示例乙有限公司",B],["合计",None,"2家",None]]), [("示例甲有限公司",A,"海盐县",[]),("示例乙有限公司",B,"平湖市",[])], [])
ENTERPRISES["two names in a form"] = (book([["中文名称","示例甲有限公司"],["英文名称","Demo Jia Co., Ltd."],["信用代码",A],["所属地区","海盐县"]]), [("示例甲有限公司",A,"海盐县",[])], [])
CAPABILITIES["certificate columns beside"] = (book([["产品名称","年产量(吨)","执行标准","获证情况","交货周期（天）"],["胶膜","1200","GB/T 29848","ISO 9001","15"],["背板","800","",None,"20天"]]), [("胶膜",1200,"吨"),("背板",800,"吨")], [])
CAPABILITIES["cards"] = (book([["产品名称","胶膜"],["年产能","1200万㎡"],[],["产品名称","背板"],["年产能","800吨/月"]]), [("胶膜",12000000,"平方米"),("背板",9600,"吨")], [])
CAPABILITIES["capacity with conditions"] = (book([["产品","产能"],["a","年产约1.2万吨"],["b","月产能500套"],["c","5条线，年产能3000台"],["d","设计产能2万台/年"],["e","1000-2000吨/年"],["f",">=500吨"]]), [("a",12000,"吨"),("b",6000,"套"),("d",20000,"台"),("f",500,"吨")], [4,6])
REFUSED = {
    "chat": "需要采购：\n1. 导轨 HGR20 30根\n2. 滑块 60个\n".encode(),
    "json": '[{"产品名称":"导轨","数量":30}]'.encode(),
    "rtf": b"{\\rtf1\\ansi a}",
    "empty form": book([["产品名称",None],["数量",None],["单位",None],["交货期",None]]),
}

# fmt: on
def kept(cases, read):
    """What is read of each file, beside what is to be read of it."""
    wanted = {name: (good, bad) for name, (_file, good, bad) in cases.items()}
    return {name: read(file) for name, (file, _good, _bad) in cases.items()}, wanted


def test_lines_out_of_all_kinds_of_files():
    register = Register()

    def read(file):
        sheet = read_file(file, register)
        good = [
            (d.text, d.quantity, d.unit.name_zh if d.unit else None, d.needed_by_on)
            for d in (row.draft for row in sheet.good)
        ]
        return good, [(row.number, note.column) for row in sheet.bad for note in row.errors]

    found, wanted = kept(LINES, read)

    assert found == wanted


def rows(kind, file, by):
    sheets = file if isinstance(file, Sheets) else open_sheets(file)
    layout = propose(sheets, columns_of(kind)).layout
    _table, read = read_rows(kind, sheets, layout, by)
    return read


def test_enterprises_out_of_all_kinds_of_files():
    by = OrganiserRoleFactory().user

    def read(file):
        found = rows(Import.Kind.ENTERPRISES, file, by)
        drafts = [row.draft for row in found if row.draft]
        return [
            (d.name, d.number, d.region and d.region.name_zh, [one.phone for one in d.people])
            for d in drafts
        ], [row.number for row in found if row.draft is None]

    found, wanted = kept(ENTERPRISES, read)

    assert found == wanted


def test_products_out_of_all_kinds_of_files():
    by = OrganiserRoleFactory().user

    def read(file):
        found = rows(Import.Kind.CAPABILITIES, file, by)
        drafts = [row.draft for row in found if row.draft]
        return [
            (
                d.titles.get("title_zh") or d.titles["title_en"],
                d.yearly_capacity,
                d.unit and d.unit.name_zh,
            )
            for d in drafts
        ], [row.number for row in found if row.draft is None]

    found, wanted = kept(CAPABILITIES, read)

    assert found == wanted


@pytest.mark.parametrize("name", REFUSED)
def test_what_holds_no_list_is_refused_with_a_sentence(name):
    with pytest.raises(DomainError) as refused:
        read_file(REFUSED[name], Register())

    assert refused.value.code.startswith("spreadsheet.")


def test_that_a_file_was_a_form_is_said():
    form, _good, _bad = LINES["forms, a sheet each"]

    read = read_file(form, Register())

    assert (read.is_form, read.has_remarks, read.ignored) == (True, True, ["备注"])
    plain, _good, _bad = LINES["numbered header"]
    assert read_file(plain, Register()).is_form is False


def test_workbook_with_a_form_on_each_of_its_sheets():
    def write(book, count):
        for number in range(count):
            page = book.add_worksheet()
            for at, row in enumerate((["产品名称", f"导轨{number}"], ["数量", f"{number + 1}根"])):
                page.write_row(at, 0, row)

    read = read_file(workbook(lambda book: write(book, 40)), Register())

    assert [row.draft.quantity for row in read.good] == list(range(1, 41))
    with pytest.raises(DomainError) as refused:
        open_sheets(workbook(lambda book: write(book, 101)))
    assert refused.value.code == "spreadsheet.too_many_sheets"


def test_form_that_goes_on_and_on_costs_no_more_than_its_rows():
    cards = "".join(f"产品名称：,导轨{n}\n数量：,3\n单位：,根\n" for n in range(30_000))
    colons = "产品名称：" * 100_000
    started = time.process_time()

    with pytest.raises(DomainError):
        read_file(cards.encode(), Register())
    with pytest.raises(DomainError):
        read_file(f"{colons}\n{colons}\n数量：1".encode(), Register())
    # Fixed blanks, of which a form in a mail has some: tried one with another they took minutes.
    read = read_file(f'产品名称,"导轨:1\n{chr(160) * 9000}b"\n数量,3根\n'.encode(), Register())
    assert [row.draft.quantity for row in read.good] == [3]

    assert time.process_time() - started < 4


def test_header_of_many_wide_sheets_is_not_looked_for_in_each_cell():
    wide = book(*([["x"] * 150 for _row in range(30)] for _sheet in range(20))).grids
    usual = book(*([["x"] * 25 for _row in range(30)] for _sheet in range(8))).grids
    long = book([["x" * 1000] * 150 for _row in range(30)]).grids

    # Of 600; and of each sheet as many.
    assert [first for _grid, first in _looked_at(wide, None)] == [0, 1] * 20
    assert len(list(_looked_at(usual, None))) == 240
    assert len(list(_looked_at(long, None))) == 2
    assert [(grid.name, first) for grid, first in _looked_at(wide[:2], 3)] == [
        ("Sheet1", 2), ("Sheet2", 2),
    ]  # fmt: skip


def test_texts_of_a_file_are_held_against_names_so_many_times_and_no_more(monkeypatch):
    asked = []
    monkeypatch.setattr(forms, "unnumbered", lambda text: asked.append(text) or text)
    label = ["企业名称", "值"]
    pages = [
        [[*label, *(f"词{page}甲{row}乙{at}" for at in range(80))] for row in range(40)]
        for page in range(20)
    ]

    forms.unfolded(book(*pages), FIELDS)

    # Of each row the first name is enough to know it by, and of wide sheets the names are no form's.
    assert len(asked) < 40_000

    form = [["企业名称", f"示例{n}有限公司", "电话", "13800000000"] for n in range(40)]
    forms.unfolded(book(form, form), FIELDS)
    monkeypatch.setattr(forms, "_MOST_CELLS", 200)
    with pytest.raises(DomainError) as refusal:
        forms.unfolded(book(form, form), FIELDS)
    assert refusal.value.code == "spreadsheet.too_long"


def test_form_that_cannot_be_told_is_refused_and_makes_no_rows():
    names = [name for column in FIELDS for name in (column.zh, column.en, *column.aliases)]
    full = [[names[(row * 7 + at) % len(names)] for at in range(20)] for row in range(40)]
    ordinary = [["企业名称", "单位类型", "联系人"], *[["示例有限公司", "企业", "负责人"]] * 30]

    for read in (propose, read_table):
        with pytest.raises(DomainError) as refusal:
            read(book(full), FIELDS)
        assert refusal.value.code == "spreadsheet.form"
        read(book(ordinary), FIELDS)
    # A person who has said where the header stands is believed.
    assert propose(book(full), FIELDS, header_row=1).layout.first == 0
