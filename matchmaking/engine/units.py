"""Units of measure: which can be compared, and by what factor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit. `factor` converts to the first unit of its dimension; `names` are its spellings in texts."""

    code: str
    dimension: str
    factor: float
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Units:
    """The units known, by code. Only units of one dimension are ever compared."""

    by_code: dict[str, Unit] = field(default_factory=dict)

    @classmethod
    def of(cls, units: Iterable[Unit]) -> Units:
        return cls({unit.code: unit for unit in units})

    def convert(self, value: float, source: str, target: str) -> float | None:
        """`value` in the target unit, or None when the two cannot be compared.

        >>> units = Units.of([Unit("kg", "mass", 1), Unit("t", "mass", 1000)])
        >>> units.convert(2.5, "t", "kg")
        2500.0
        >>> units.convert(2.5, "t", "m") is None
        True
        """
        if source == target:
            return float(value)
        known, wanted = self.by_code.get(source), self.by_code.get(target)
        if known is None or wanted is None or known.dimension != wanted.dimension:
            return None
        return value * known.factor / wanted.factor


def _physical(dimension: str, *units: tuple[float, str]) -> list[Unit]:
    return [
        Unit(names.split()[0], dimension, factor, tuple(names.split())) for factor, names in units
    ]


# What technical texts measure by, whether or not anything is traded in it. Names are matched without case,
# unless two of them differ by nothing else (MPa, mPa): then as written.
PHYSICAL: tuple[Unit, ...] = (
    *_physical("length", (1e-9, "nm 纳米"), (1e-6, "um 微米 micron microns"), (1e-3, "mm 毫米"),
               (1e-2, "cm 厘米"), (1, "m 米 metre meter metres meters"), (1000, "km 公里 千米"),
               (0.0254, "inch inches 寸 英寸"), (0.3048, "ft feet foot 英尺"),
               (2.54e-5, "mil mils 密耳")),
    *_physical("mass", (1e-6, "mg 毫克"), (1e-3, "g 克"), (1, "kg 公斤 千克 kgs"),
               (1000, "t 吨 公吨 ton tons tonne tonnes mt"),
               (0.0283495, "oz ounce ounces 盎司"), (0.453592, "lb lbs pound pounds 磅")),
    *_physical("volume", (1e-6, "ml 毫升"), (1e-3, "l 升 liter litre liters litres"), (1, "m3 立方米 立方 cbm")),
    *_physical("area", (1e-6, "mm2 平方毫米"), (1e-4, "cm2 平方厘米"), (1, "m2 平方米 平米 平方 sqm 平"),
               (666.6667, "亩"), (1e4, "ha 公顷 hectare hectares"), (0.092903, "sqft ft2 平方英尺")),
    *_physical("weight_of_area", (1, "gsm g/m2 克/平方米 克每平方米 克/平米")),
    *_physical("flow", (1, "m3/h 立方米/小时 立方米每小时 立方/小时 方/小时 m3/hr cbm/h"),
               (60, "m3/min 立方米/分钟 立方米每分钟 立方米/分 立方/分 方/分"), (3600, "m3/s 立方米/秒"),
               (1e-3, "l/h 升/小时 升每小时 lph"), (0.06, "l/min 升/分钟 升/分 升每分钟 lpm"), (3.6, "l/s 升/秒 升每秒"),
               (6e-5, "ml/min 毫升/分钟 毫升/分"), (1.699011, "cfm"), (0.227125, "gpm")),
    *_physical("gas_flow", (1, "nm3/h 标方/小时 标准立方米/小时")),
    *_physical("voltage", (1e-3, "mV 毫伏"), (1, "v 伏 伏特 volt volts vdc vac"), (1000, "kv 千伏")),
    *_physical("current", (1e-3, "mA 毫安"), (1, "a 安 安培 amp amps"), (1000, "kA 千安")),
    *_physical("charge", (1e-3, "mah 毫安时"), (1, "ah 安时")),
    *_physical("power", (1e-3, "w 瓦 watt watts wp"), (1, "kw 千瓦 kwp"), (1000, "mw 兆瓦 megawatt mwp"),
               (1e6, "gw 吉瓦 gigawatt"), (0.7457, "hp 马力 horsepower"), (0.735499, "ps"), (3.51685, "rt 冷吨 usrt"),
               (2.93071e-4, "btu/h"), (1.163e-3, "kcal/h 大卡/小时 大卡")),
    *_physical("apparent_power", (1, "kva 千伏安"), (1000, "mva 兆伏安")),
    *_physical("energy", (1e-3, "wh 瓦时"), (1, "kwh 千瓦时 度"), (1000, "mwh 兆瓦时"), (1e6, "gwh 吉瓦时")),
    *_physical("pressure", (1, "pa 帕"), (1e-3, "mPa 毫帕"), (1000, "kpa 千帕"), (1e6, "MPa 兆帕"), (1e5, "bar 巴"),
               (100, "mbar 毫巴"), (6894.76, "psi"), (98066.5, "kgf/cm2 kg/cm2 公斤/平方厘米"),
               (1e9, "gpa 吉帕")),
    *_physical("frequency", (1, "hz 赫兹 赫"), (1e3, "khz 千赫"), (1e6, "mhz 兆赫"), (1e9, "ghz 吉赫")),
    *_physical("resistance", (1e-3, "mΩ 毫欧"), (1, "Ω 欧姆 欧 ohm ohms"), (1e3, "kΩ 千欧"), (1e6, "MΩ 兆欧")),
    *_physical("temperature", (1, "°c 摄氏度 度c celsius")),
    *_physical("percent", (1, "% 百分")),
    *_physical("time", (1 / 60, "min 分钟 minute minutes"), (1, "h 小时 hour hours hrs"),
               (24, "d 天 日 day days"), (168, "周 week weeks")),
    *_physical("torque", (1, "n·m Nm n.m n*m 牛米 牛·米"), (1e3, "kn·m kN.m 千牛米"), (9.80665, "kgf·m kgf.m")),
    *_physical("force", (1, "n 牛"), (1e3, "kn 千牛"), (1e6, "MN 兆牛"), (9.80665, "kgf 公斤力")),
    *_physical("speed", (1, "rpm r/min 转/分 转")),
    *_physical("pace", (1, "m/s 米/秒 米每秒"), (1 / 60, "m/min 米/分钟 米/分 米每分钟"), (1 / 3.6, "km/h 公里/小时 kph")),
    *_physical("count", (1, "pcs 件 个 只 支 根 条 块 片 套 台 辆 颗 张 pc piece pieces set sets unit units sheet sheets")),
)  # fmt: skip
