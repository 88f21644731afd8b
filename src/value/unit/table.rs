//! The known units. In: a symbol without operators or exponents. Out: its atom and prefix. Never parses a product.
//!
//! Values: BIPM SI Brochure (9th edition) and NIST SP 811, appendix B, for units outside the SI.

use super::dimension::Dimension;
use super::factor::Factor;

pub(super) struct Atom {
    /// All spellings; the first is the one to suggest.
    pub symbols: &'static [&'static str],
    pub pretty: &'static str,
    /// SI value = (value + zero) * scale / over * π^pi, of decimals as they are written.
    scale: f64,
    over: f64,
    pi: i32,
    pub zero: f64,
    pub dimension: Dimension,
    prefixes: Prefixes,
}

impl Atom {
    pub fn factor(&self) -> Factor {
        Factor::written(self.scale, self.over, self.pi)
    }

    const fn over(self, over: f64) -> Self {
        Self { over, ..self }
    }

    const fn times_pi(self) -> Self {
        Self { pi: 1, ..self }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Prefixes {
    None,
    Metric,
    /// Only those above one: there is no millibyte.
    Large,
}

/// (spelling, pretty, factor)
const METRIC: &[(&str, &str, f64)] = &[
    ("da", "da", 1e1),
    ("T", "T", 1e12),
    ("G", "G", 1e9),
    ("M", "M", 1e6),
    ("k", "k", 1e3),
    ("h", "h", 1e2),
    ("d", "d", 1e-1),
    ("c", "c", 1e-2),
    ("m", "m", 1e-3),
    ("u", "µ", 1e-6),
    ("µ", "µ", 1e-6),
    ("μ", "µ", 1e-6),
    ("n", "n", 1e-9),
    ("p", "p", 1e-12),
    ("f", "f", 1e-15),
];

const BINARY: &[(&str, &str, f64)] = &[
    ("Ki", "Ki", 1024.0),
    ("Mi", "Mi", 1_048_576.0),
    ("Gi", "Gi", 1_073_741_824.0),
    ("Ti", "Ti", 1_099_511_627_776.0),
];

/// A symbol found: its atom, and the prefix as (pretty, factor).
pub(super) struct Found {
    pub atom: &'static Atom,
    pub prefix: (&'static str, f64),
}

/// Looks a symbol up: as it stands first, so that `min` is a minute and `cd` a candela, then with a prefix.
pub(super) fn find(symbol: &str) -> Option<Found> {
    if let Some(atom) = exact(symbol) {
        return Some(Found { atom, prefix: ("", 1.0) });
    }
    let prefixed = |prefixes: &'static [(&str, &'static str, f64)], allowed: fn(&Atom, f64) -> bool| {
        prefixes.iter().find_map(|&(spelling, pretty, factor)| {
            let atom = exact(symbol.strip_prefix(spelling)?)?;
            allowed(atom, factor).then_some(Found { atom, prefix: (pretty, factor) })
        })
    };
    prefixed(METRIC, |atom, factor| match atom.prefixes {
        Prefixes::Metric => true,
        Prefixes::Large => factor >= 1e3,
        Prefixes::None => false,
    })
    .or_else(|| prefixed(BINARY, |atom, _| atom.prefixes == Prefixes::Large))
}

fn exact(symbol: &str) -> Option<&'static Atom> {
    ATOMS.iter().find(|atom| atom.symbols.contains(&symbol))
}

/// Every spelling without prefix.
pub(super) fn spellings() -> impl Iterator<Item = &'static str> {
    ATOMS.iter().flat_map(|atom| atom.symbols.iter().copied())
}

const fn plain(symbols: &'static [&'static str], pretty: &'static str, scale: f64, dimension: Dimension) -> Atom {
    Atom { symbols, pretty, scale, over: 1.0, pi: 0, zero: 0.0, dimension, prefixes: Prefixes::None }
}

const fn metric(symbols: &'static [&'static str], pretty: &'static str, scale: f64, dimension: Dimension) -> Atom {
    Atom { symbols, pretty, scale, over: 1.0, pi: 0, zero: 0.0, dimension, prefixes: Prefixes::Metric }
}

const fn data(symbols: &'static [&'static str], pretty: &'static str, scale: f64) -> Atom {
    Atom {
        symbols,
        pretty,
        scale,
        over: 1.0,
        pi: 0,
        zero: 0.0,
        dimension: Dimension::INFORMATION,
        prefixes: Prefixes::Large,
    }
}

const fn temperature(symbols: &'static [&'static str], pretty: &'static str, scale: f64, zero: f64) -> Atom {
    Atom { symbols, pretty, scale, over: 1.0, pi: 0, zero, dimension: Dimension::TEMPERATURE, prefixes: Prefixes::None }
}

const AREA: Dimension = Dimension::of(2, 0, 0, 0);
const VOLUME: Dimension = Dimension::of(3, 0, 0, 0);
const SPEED: Dimension = Dimension::of(1, 0, -1, 0);
const ACCELERATION: Dimension = Dimension::of(1, 0, -2, 0);
const FLOW: Dimension = Dimension::of(3, 0, -1, 0);
const FREQUENCY: Dimension = Dimension::of(0, 0, -1, 0);
const FORCE: Dimension = Dimension::of(1, 1, -2, 0);
const PRESSURE: Dimension = Dimension::of(-1, 1, -2, 0);
const ENERGY: Dimension = Dimension::of(2, 1, -2, 0);
const POWER: Dimension = Dimension::of(2, 1, -3, 0);
const CHARGE: Dimension = Dimension::of(0, 0, 1, 1);

static ATOMS: &[Atom] = &[
    // Length, area, volume
    metric(&["m"], "m", 1.0, Dimension::LENGTH),
    plain(&["in", "[in_i]", "inch"], "in", 0.0254, Dimension::LENGTH),
    plain(&["ft", "[ft_i]"], "ft", 0.3048, Dimension::LENGTH),
    plain(&["yd", "[yd_i]"], "yd", 0.9144, Dimension::LENGTH),
    plain(&["mi", "[mi_i]"], "mi", 1609.344, Dimension::LENGTH),
    plain(&["nmi", "[nmi_i]"], "nmi", 1852.0, Dimension::LENGTH),
    plain(&["ha", "har"], "ha", 1e4, AREA),
    metric(&["L", "l"], "L", 1e-3, VOLUME),
    plain(&["gal", "[gal_us]"], "gal", 3.785_411_784e-3, VOLUME),
    // Mass
    metric(&["g"], "g", 1e-3, Dimension::MASS),
    metric(&["t"], "t", 1e3, Dimension::MASS),
    plain(&["lb", "[lb_av]"], "lb", 0.453_592_37, Dimension::MASS),
    plain(&["oz", "[oz_av]"], "oz", 0.028_349_523_125, Dimension::MASS),
    // Time
    metric(&["s"], "s", 1.0, Dimension::TIME),
    plain(&["min"], "min", 60.0, Dimension::TIME),
    plain(&["h"], "h", 3600.0, Dimension::TIME),
    plain(&["d"], "d", 86_400.0, Dimension::TIME),
    plain(&["wk"], "wk", 604_800.0, Dimension::TIME),
    plain(&["a", "yr"], "a", 31_557_600.0, Dimension::TIME),
    // Temperature
    metric(&["K"], "K", 1.0, Dimension::TEMPERATURE),
    temperature(&["degC", "Cel", "°C", "℃"], "°C", 1.0, 273.15),
    temperature(&["degF", "[degF]", "°F", "℉"], "°F", 5.0, 459.67).over(9.0),
    // Amount, light
    metric(&["mol"], "mol", 1.0, Dimension::AMOUNT),
    // p·V / (R·T) at 101 325 Pa and 0 °C (DIN 1343) or 15 °C (ISO 13443); what stands below is R·T.
    plain(&["Nm3", "Nm³"], "Nm³", 101_325.0, Dimension::AMOUNT).over(2_271.095_464_106_7),
    plain(&["Sm3", "Sm³"], "Sm³", 101_325.0, Dimension::AMOUNT).over(2_395.812_403_376_7),
    metric(&["cd"], "cd", 1.0, Dimension::LUMINOUS),
    metric(&["lm"], "lm", 1.0, Dimension::LUMINOUS.with_angle(2)),
    metric(&["lx"], "lx", 1.0, Dimension::LUMINOUS.with_length(-2).with_angle(2)),
    // Angle and turning
    metric(&["rad"], "rad", 1.0, Dimension::ANGLE),
    plain(&["deg", "°"], "°", 1.0, Dimension::ANGLE).over(180.0).times_pi(),
    plain(&["arcmin", "′"], "′", 1.0, Dimension::ANGLE).over(10_800.0).times_pi(),
    plain(&["arcsec", "″"], "″", 1.0, Dimension::ANGLE).over(648_000.0).times_pi(),
    plain(&["gon"], "gon", 1.0, Dimension::ANGLE).over(200.0).times_pi(),
    plain(&["rev", "turn"], "rev", 2.0, Dimension::ANGLE).times_pi(),
    plain(&["sr"], "sr", 1.0, Dimension::NONE.with_angle(2)),
    plain(&["rpm", "RPM"], "rpm", 2.0, FREQUENCY.with_angle(1)).over(60.0).times_pi(),
    plain(&["rps"], "rps", 2.0, FREQUENCY.with_angle(1)).times_pi(),
    // Frequency and counting
    metric(&["Hz"], "Hz", 1.0, FREQUENCY),
    metric(&["Bq"], "Bq", 1.0, FREQUENCY),
    plain(&["bpm", "BPM"], "bpm", 1.0, FREQUENCY).over(60.0),
    plain(&["beats"], "beats", 1.0, Dimension::NONE),
    plain(&["pcs"], "pcs", 1.0, Dimension::NONE),
    plain(&["cycles"], "cycles", 1.0, Dimension::NONE),
    // Ratios and levels
    plain(&["%", "pct"], "%", 1e-2, Dimension::NONE),
    plain(&["‰"], "‰", 1e-3, Dimension::NONE),
    plain(&["ppm", "[ppm]"], "ppm", 1e-6, Dimension::NONE),
    plain(&["ppb", "[ppb]"], "ppb", 1e-9, Dimension::NONE),
    plain(&["dB"], "dB", 1.0, Dimension::LEVEL),
    plain(&["dBA"], "dBA", 1.0, Dimension::LEVEL),
    plain(&["pH", "[pH]"], "pH", 1.0, Dimension::ACIDITY),
    // Motion and flow
    plain(&["mph"], "mph", 0.447_04, SPEED),
    plain(&["kn", "[kn_i]"], "kn", 1852.0, SPEED).over(3600.0),
    plain(&["gn", "[g]"], "gₙ", 9.806_65, ACCELERATION),
    plain(&["lpm", "LPM"], "lpm", 1e-3, FLOW).over(60.0),
    plain(&["gpm", "GPM"], "gpm", 3.785_411_784e-3, FLOW).over(60.0),
    plain(&["cfm", "CFM"], "cfm", 0.028_316_846_592, FLOW).over(60.0),
    // Force, pressure, viscosity
    metric(&["N"], "N", 1.0, FORCE),
    plain(&["kgf"], "kgf", 9.806_65, FORCE),
    plain(&["lbf", "[lbf_av]"], "lbf", 4.448_221_615_260_5, FORCE),
    metric(&["Pa"], "Pa", 1.0, PRESSURE),
    metric(&["bar"], "bar", 1e5, PRESSURE),
    plain(&["atm"], "atm", 101_325.0, PRESSURE),
    // A pound-force per square inch.
    plain(&["psi", "[psi]"], "psi", 4.448_221_615_260_5, PRESSURE).over(0.000_645_16),
    plain(&["mmHg", "mm[Hg]"], "mmHg", 133.322_387_415, PRESSURE),
    plain(&["inHg", "[in_i'Hg]"], "inHg", 3_386.388_640_341, PRESSURE),
    plain(&["mmH2O", "mm[H2O]"], "mmH₂O", 9.806_65, PRESSURE),
    plain(&["cmH2O", "cm[H2O]"], "cmH₂O", 98.0665, PRESSURE),
    plain(&["inH2O", "[in_i'H2O]"], "inH₂O", 249.088_91, PRESSURE),
    metric(&["P"], "P", 0.1, Dimension::of(-1, 1, -1, 0)),
    metric(&["St"], "St", 1e-4, Dimension::of(2, 0, -1, 0)),
    // Energy and power; a newton metre of torque is written without a dot as often as with one.
    metric(&["Nm"], "Nm", 1.0, ENERGY),
    metric(&["J"], "J", 1.0, ENERGY),
    metric(&["Wh"], "Wh", 3600.0, ENERGY),
    metric(&["VAh"], "VAh", 3600.0, ENERGY),
    metric(&["varh"], "varh", 3600.0, ENERGY),
    metric(&["eV"], "eV", 1.602_176_634e-19, ENERGY),
    metric(&["cal"], "cal", 4.184, ENERGY),
    plain(&["BTU", "[Btu_IT]"], "BTU", 1_055.055_852_62, ENERGY),
    metric(&["W"], "W", 1.0, POWER),
    metric(&["VA"], "VA", 1.0, POWER),
    metric(&["var", "VAr"], "var", 1.0, POWER),
    plain(&["hp", "[HP]"], "hp", 745.699_871_582_270_2, POWER),
    plain(&["PS"], "PS", 735.498_75, POWER),
    // Electricity and magnetism
    metric(&["A"], "A", 1.0, Dimension::CURRENT),
    metric(&["C"], "C", 1.0, CHARGE),
    metric(&["Ah"], "Ah", 3600.0, CHARGE),
    metric(&["V"], "V", 1.0, Dimension::of(2, 1, -3, -1)),
    metric(&["Ohm", "ohm", "\u{3a9}", "\u{2126}"], "Ω", 1.0, Dimension::of(2, 1, -3, -2)),
    metric(&["S"], "S", 1.0, Dimension::of(-2, -1, 3, 2)),
    metric(&["F"], "F", 1.0, Dimension::of(-2, -1, 4, 2)),
    metric(&["H"], "H", 1.0, Dimension::of(2, 1, -2, -2)),
    metric(&["Wb"], "Wb", 1.0, Dimension::of(2, 1, -2, -1)),
    metric(&["T"], "T", 1.0, Dimension::of(0, 1, -2, -1)),
    // Radiation
    metric(&["Gy"], "Gy", 1.0, Dimension::of(2, 0, -2, 0)),
    metric(&["Sv"], "Sv", 1.0, Dimension::of(2, 0, -2, 0)),
    // Information
    data(&["bit"], "bit", 1.0),
    data(&["B", "By", "byte"], "B", 8.0),
];
