use proptest::prelude::*;

use super::Unit;

fn unit(symbol: &str) -> Unit {
    Unit::parse(symbol).unwrap_or_else(|err| panic!("{err}"))
}

#[track_caller]
fn converts(value: f64, from: &str, to: &str, expected: f64) {
    let Some(conversion) = unit(from).conversion_to(&unit(to)) else { panic!("{from} does not fit {to}") };
    let got = conversion.apply(value);
    assert!((got - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{value} {from} = {got} {to}, not {expected}");
}

#[test]
fn values_convert_between_units_of_one_dimension() {
    converts(36.0, "m3/h", "L/s", 10.0);
    converts(1.0, "m3/h", "L/min", 1000.0 / 60.0);
    converts(1.0, "bar", "kPa", 100.0);
    converts(1.0, "psi", "Pa", 6_894.757_293_168_361);
    converts(120.0, "mmHg", "kPa", 15.998_686_489_8);
    converts(1.0, "kW.h", "MJ", 3.6);
    converts(1.0, "kWh", "kW*h", 1.0);
    converts(2.0, "t", "kg", 2000.0);
    converts(1.0, "g", "kg", 1e-3);
    converts(50.0, "%", "1", 0.5);
    converts(1.0, "%", "ppm", 10_000.0);
    converts(90.0, "km/h", "m/s", 25.0);
    converts(1.0, "W/(m2.K)", "kW.m-2.K-1", 1e-3);
    converts(1.0, "g/cm3", "kg/m3", 1000.0);
    converts(1.0, "V.A", "W", 1.0);
    converts(5.0, "kOhm", "V/A", 5000.0);
    converts(1.0, "N.m", "J", 1.0);
    converts(3.0, "kNm", "N.m", 3000.0);
    converts(1.0, "[g]", "m/s²", 9.80665);
    converts(1.0, "MiB", "kB", 1048.576);
    converts(1.0, "uS/cm", "S/m", 1e-4);
    converts(7.0, "pH", "[pH]", 7.0);
    converts(1.0, "10*3/uL", "1/nL", 1.0);
    converts(1.0, "lm/m2", "lx", 1.0);
    converts(1.0, "d", "h", 24.0);
    converts(22.413_969_54, "mol/s", "Nm3/s", 22.413_969_54 / 44.615_033_4);
}

#[test]
fn a_temperature_alone_has_a_zero_point_and_in_a_product_it_is_a_difference() {
    converts(100.0, "degC", "degF", 212.0);
    converts(-40.0, "°F", "Cel", -40.0);
    converts(0.0, "°C", "K", 273.15);
    converts(300.0, "K", "degC", 26.85);
    converts(9.0, "degF/s", "K/s", 5.0);
    converts(1.0, "W/(m2.degC)", "W/(m2.K)", 1.0);
    converts(5.0, "degC/min", "K/h", 300.0);
}

#[test]
fn a_turn_is_a_cycle_so_that_speeds_and_frequencies_fit() {
    converts(60.0, "rpm", "Hz", 1.0);
    converts(60.0, "rpm", "rad/s", std::f64::consts::TAU);
    converts(1500.0, "1/min", "rpm", 1500.0);
    converts(1.0, "Hz", "rad/s", std::f64::consts::TAU);
    converts(180.0, "deg", "rad", std::f64::consts::PI);
    converts(1.0, "rev", "°", 360.0);
    converts(1.0, "deg/s", "rpm", 1.0 / 6.0);
    converts(72.0, "bpm", "{beats}/min", 72.0);
    converts(72.0, "beats/min", "Hz", 1.2);
    converts(120.0, "{bottles}/min", "1/s", 2.0);
    assert!(!unit("rad").fits(&unit("%")), "an angle is not a ratio");
    assert!(!unit("rad/m").fits(&unit("1/m")), "only rates turn into frequencies");
}

#[test]
fn unlike_units_do_not_fit() {
    for (a, b) in [
        ("m", "s"),
        ("m3", "m2"),
        ("kPa", "kW"),
        ("dB", "%"),
        ("pH", "1"),
        ("lm", "cd"),
        ("Nm3/h", "m3/h"),
        ("", "m"),
        ("kW", "kWh"),
        ("bit", "1"),
    ] {
        assert!(!unit(a).fits(&unit(b)), "{a} and {b}");
        assert_eq!(unit(a).conversion_to(&unit(b)), None);
    }
}

#[test]
fn round_factors_are_exact() {
    let linear = |from, to| unit(from).conversion_to(&unit(to)).map(|found| (found.scale(), found.offset()));
    assert_eq!(linear("um", "mm"), Some((0.001, 0.0)));
    assert_eq!(linear("mbar", "kPa"), Some((0.1, 0.0)));
    assert_eq!(linear("degC", "degF"), Some((1.8, 32.0)));
    assert_eq!(linear("m3/h", "m3/h"), Some((1.0, 0.0)));
}

#[test]
fn units_read_well() {
    for (symbol, pretty) in [
        ("", ""),
        ("1", ""),
        ("m3/h", "m³/h"),
        ("degC", "°C"),
        ("Cel", "°C"),
        ("mm/s2", "mm/s²"),
        ("m/s^2", "m/s²"),
        ("m.s-1", "m·s⁻¹"),
        ("kW*h", "kW·h"),
        ("W/(m2.K)", "W/(m²·K)"),
        ("(m/s)2", "(m/s)²"),
        ("kOhm", "kΩ"),
        ("um", "µm"),
        ("{bottles}/min", "bottles/min"),
        ("/min", "1/min"),
        ("1/min", "1/min"),
        ("bar{g}", "bar(g)"),
        ("cm[H2O]", "cmH₂O"),
        ("mmH2O", "mmH₂O"),
        ("kNm", "kNm"),
        ("10*3/uL", "10³/µL"),
        ("l/min", "L/min"),
        ("%", "%"),
        ("L / min", "L/min"),
    ] {
        assert_eq!(unit(symbol).pretty(), pretty, "{symbol}");
        assert_eq!(unit(symbol).symbol(), symbol);
    }
    assert_eq!((unit("deg").suffix(), unit("%").suffix(), unit("1").suffix()), ("°".into(), " %".into(), "".into()));
}

#[test]
fn an_unknown_unit_is_named_with_the_nearest_known_one() {
    for (symbol, message, nearest) in [
        ("m3/hr", "unknown unit `hr` in `m3/hr`", Some("h")),
        ("KW", "unknown unit `KW`", Some("kW")),
        ("celsius", "unknown unit `celsius`", Some("degC")),
        ("kpa", "unknown unit `kpa`", Some("kPa")),
        ("barg", "unknown unit `barg`", Some("bar{g}")),
        ("mbarr", "unknown unit `mbarr`", Some("mbar")),
        ("bottles/min", "unknown unit `bottles` in `bottles/min`", None),
        ("mdegC", "unknown unit `mdegC`", Some("degC")),
        ("mB", "unknown unit `mB`", Some("MB")),
        ("m//s", "unit `m//s`: a unit is missing before or after `.`, `*` or `/`, or in `()`", None),
        ("m0", "unit `m0`: an exponent must be a whole number from -9 to 9, not 0", None),
        ("m s", "unit `m s`: units are joined by `.`, `*` or `/`", None),
        ("W/(m2", "unit `W/(m2`: a `(` is not closed", None),
        ("m)", "unit `m)`: a `)` closes no `(`", None),
        ("{}/min", "unit `{}/min`: an annotation is text in braces without `{`, as in `{bottles}/min`", None),
        ("0", "unit `0`: a number in a unit must be a whole one from 1 to 1000000", None),
        ("((m9)9)9", "unit `((m9)9)9`: an exponent must be a whole number from -9 to 9, not 0", None),
    ] {
        let err = Unit::parse(symbol).expect_err(symbol);
        assert_eq!((err.to_string().as_str(), err.nearest), (message, nearest), "{symbol}");
    }
}

#[test]
fn every_suggestion_is_itself_a_unit() {
    for slip in ["hr", "psig", "KPA", "wats", "kpaa", "degc", "litre", "rmp", "hertz", "mmhg", "khz", "oHm"] {
        let err = Unit::parse(slip).expect_err(slip);
        let nearest = err.nearest.unwrap_or_else(|| panic!("{slip} has no suggestion"));
        assert!(Unit::parse(nearest).is_ok(), "{slip} → {nearest}");
    }
}

#[test]
fn no_spelling_stands_for_two_units() {
    let all: Vec<_> = super::table::spellings().collect();
    let distinct: std::collections::HashSet<_> = all.iter().collect();
    assert_eq!(all.len(), distinct.len());
    for symbol in all {
        assert!(Unit::parse(symbol).is_ok(), "{symbol}");
    }
}

fn symbols() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(super::table::spellings().collect::<Vec<_>>());
    let factor = (atom, prop::sample::select(vec!["", "2", "-1", "^3", "²"])).prop_map(|(a, e)| format!("{a}{e}"));
    (factor.clone(), prop::collection::vec((prop::sample::select(vec![".", "*", "/", "·"]), factor), 0..3)).prop_map(
        |(first, rest)| rest.into_iter().fold(first, |text, (operator, factor)| format!("{text}{operator}{factor}")),
    )
}

proptest! {
    #[test]
    fn parsing_never_panics(text in any::<String>()) {
        let _ = Unit::parse(&text);
    }

    #[test]
    fn parsing_never_panics_on_what_looks_like_units(text in "[a-zA-Z0-9°µ%²³⁻/.*^(){}\\[\\] +-]{0,70}") {
        let _ = Unit::parse(&text);
    }

    #[test]
    fn whatever_is_built_from_known_symbols_parses_and_its_pretty_form_means_the_same(symbol in symbols()) {
        if let Ok(unit) = Unit::parse(&symbol) {
            let again = Unit::parse(&unit.pretty());
            // gₙ and the subscripts of H₂O are for eyes only.
            if !unit.pretty().contains(['ₙ', '₂']) && unit.pretty().chars().count() <= 64 {
                let again = again.map_err(|err| TestCaseError::fail(err.to_string()))?;
                let found = unit.conversion_to(&again).ok_or_else(|| TestCaseError::fail("does not fit"))?;
                prop_assert!((found.scale() - 1.0).abs() < 1e-12 && found.offset() == 0.0, "{symbol}: {found:?}");
            }
        }
    }

    #[test]
    fn there_and_back_is_the_same_value(a in symbols(), b in symbols(), value in -1e6..1e6_f64) {
        if let (Ok(a), Ok(b)) = (Unit::parse(&a), Unit::parse(&b)) {
            prop_assert_eq!(a.fits(&b), b.fits(&a));
            if let (Some(there), Some(back)) = (a.conversion_to(&b), b.conversion_to(&a)) {
                let returned = back.apply(there.apply(value));
                let size = value.abs().max((there.offset() * back.scale()).abs()).max(1.0);
                prop_assert!((returned - value).abs() <= 1e-9 * size, "{value} came back as {returned}");
            }
        }
    }
}
