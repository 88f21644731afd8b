//! Finds the unit that a misspelt symbol probably means. In: an unknown symbol. Out: the nearest known one. Never
//! decides anything.

use super::table;

/// Words that people write where a symbol is wanted.
const WORDS: &[(&str, &str)] = &[
    ("hr", "h"),
    ("hrs", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("mins", "min"),
    ("minute", "min"),
    ("minutes", "min"),
    ("day", "d"),
    ("days", "d"),
    ("year", "a"),
    ("celsius", "degC"),
    ("fahrenheit", "degF"),
    ("kelvin", "K"),
    ("degree", "deg"),
    ("degrees", "deg"),
    ("percent", "%"),
    ("meter", "m"),
    ("metre", "m"),
    ("liter", "L"),
    ("litre", "L"),
    ("ltr", "L"),
    ("gram", "g"),
    ("kilo", "kg"),
    ("ton", "t"),
    ("tonne", "t"),
    ("volt", "V"),
    ("volts", "V"),
    ("amp", "A"),
    ("amps", "A"),
    ("ampere", "A"),
    ("watt", "W"),
    ("watts", "W"),
    ("pascal", "Pa"),
    ("hertz", "Hz"),
    ("newton", "N"),
    ("joule", "J"),
    ("lux", "lx"),
    ("bytes", "B"),
    ("bits", "bit"),
    ("barg", "bar{g}"),
    ("bara", "bar{a}"),
    ("psig", "psi{g}"),
    ("psia", "psi{a}"),
    ("rev/min", "rpm"),
];

/// Prefixed symbols that are common enough to be meant.
const COMMON: &[&str] = &[
    "mm", "cm", "km", "um", "kg", "mg", "ms", "us", "mA", "kA", "mV", "kV", "kW", "MW", "GW", "kWh", "MWh", "Wh", "kJ",
    "MJ", "kN", "kPa", "MPa", "hPa", "mbar", "kHz", "MHz", "mL", "hL", "mmol", "kOhm", "MOhm", "uS", "mS", "mAh",
    "kVA", "kvar", "kB", "MB", "GB", "cP", "cSt", "kNm", "kcal",
];

pub(super) fn nearest(symbol: &str) -> Option<&'static str> {
    let lower = symbol.to_lowercase();
    let known = || COMMON.iter().copied().chain(table::spellings());
    if let Some(&(_, meant)) = WORDS.iter().find(|(word, _)| *word == lower) {
        return Some(meant);
    }
    if let Some(same_letters) = known().find(|candidate| candidate.to_lowercase() == lower) {
        return Some(same_letters);
    }
    // One slip in a short symbol, two in a long one: more would be guessing.
    let allowed = if lower.chars().count() <= 4 { 1 } else { 2 };
    known()
        .map(|candidate| (candidate, candidate))
        .chain(WORDS.iter().copied())
        .filter(|(spelling, _)| spelling.chars().count() > 1)
        .map(|(spelling, meant)| (strsim::damerau_levenshtein(&spelling.to_lowercase(), &lower), meant))
        .filter(|(slips, _)| *slips <= allowed)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, meant)| meant)
}
