//! Models of types and twins, checked. In: definitions, with units. Out: parameters in the units of the model's
//! description, what inputs follow. Says of each number that does not fit what would.

use super::format::{FeedDef, ModelDef, QuantityDef, Table};
use super::nearest::nearest;
use super::report::{Hint, Report};
use super::span::{Span, Spanned};
use super::text;
use crate::model::{self, Description, Model};
use crate::value::Unit;

/// A model of a type or of a twin.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Empty for the only one.
    pub name: String,
    /// Where the model is named.
    pub span: Span,
    pub model: &'static dyn Model,
    /// Nanoseconds.
    pub step: Option<u64>,
    pub parameters: Vec<f64>,
    /// Where each parameter is given, if it is.
    pub spans: Vec<Option<Span>>,
    pub tables: Vec<Vec<f64>>,
}

/// What is said of the models of a type, with all that it inherits.
#[derive(Clone, Debug, Default)]
pub(super) struct Models {
    /// Whether one of them could not be read: what is said of it is no slip of its own.
    pub broken: bool,
    pub parts: Vec<Part>,
    /// By `speed` or `bearing.speed`.
    pub inputs: Vec<(Spanned<String>, Spanned<FeedDef>)>,
}

impl Models {
    /// The part that a path begins with and the rest of it; a bare name belongs to the one part that has it.
    pub fn find<'p>(&self, path: &'p str, has: impl Fn(&Description, &str) -> bool) -> Option<(usize, &'p str)> {
        if let Some((part, name)) = path.split_once('.') {
            let at = self.parts.iter().position(|one| one.name == part)?;
            return Some((at, name)).filter(|(at, name)| has(self.parts[*at].model.description(), name));
        }
        let mut having = (0..self.parts.len()).filter(|at| has(self.parts[*at].model.description(), path));
        let at = having.next()?;
        having.next().is_none().then_some((at, path))
    }

    /// All names of one kind as paths, for hints.
    pub fn paths(&self, names: impl Fn(&'static Description) -> Vec<&'static str>) -> Vec<String> {
        let each = self.parts.iter().flat_map(|part| {
            let prefix = if part.name.is_empty() { String::new() } else { format!("{}.", part.name) };
            names(part.model.description()).into_iter().map(move |name| format!("{prefix}{name}"))
        });
        each.collect()
    }
}

/// Checks the models of a type: those that could be read, and whether one could not.
pub(super) fn prepare(
    item: &str,
    single: Option<&ModelDef>,
    several: &Table<ModelDef>,
    report: &mut Report,
) -> (Vec<Part>, bool) {
    let mut parts: Vec<Part> = single.and_then(|def| part(item, "", def, report)).into_iter().collect();
    let wanted = usize::from(single.is_some()) + several.0.len();
    for (name, def) in &several.0 {
        if name.is_empty() || name.contains('.') {
            let brief = "the name of a model within a machine is not empty and has no dot";
            report.error("bad-name", name.span, item, brief, Hint::NONE);
        }
        if let Some(single) = single {
            let brief = "has `model` and `models`";
            let hint = "name the first one as well: models: {\"pump\": …, \"bearing\": …}";
            report.error("model-twice", single.name.span, item, brief, hint.into());
        }
        parts.extend(part(item, name, def, report));
    }
    let broken = parts.len() < wanted;
    (parts, broken)
}

fn part(item: &str, name: &str, def: &ModelDef, report: &mut Report) -> Option<Part> {
    let Some(model) = model::model(&def.name) else {
        let names: Vec<&str> = model::catalogue().iter().map(|model| model.description().name).collect();
        let brief = format!("there is no model `{}`", def.name.value);
        let all = || format!("`pollux models` lists them: {}", names.join(", "));
        report.error(
            "unknown-model",
            def.name.span,
            item,
            brief,
            Hint::meant_or(nearest(&def.name, names.clone()), all),
        );
        return None;
    };
    let description = model.description();
    let mut part = Part {
        name: name.to_owned(),
        span: def.name.span,
        model,
        step: None,
        parameters: description.parameters.iter().map(|parameter| parameter.default).collect(),
        spans: vec![None; description.parameters.len()],
        tables: vec![Vec::new(); description.tables.len()],
    };
    for (field, value) in &def.fields.0 {
        let item = if item.is_empty() { description.name.to_owned() } else { format!("{item}: {}", description.name) };
        if let Some(at) = description.parameter(field) {
            set(&mut part, at, value, &item, report);
        } else if let Some(at) = description.tables.iter().position(|table| table.name == field.value) {
            part.tables[at] = rows(&item, description.tables[at].name, description.tables[at].columns, value, report);
        } else if field.value == "step" {
            part.step = step(&item, value, report);
        } else {
            let names = description.parameters.iter().map(|one| one.name);
            let names = names.chain(description.tables.iter().map(|one| one.name)).chain(["step"]);
            let brief = format!("has no parameter `{}`", field.value);
            let all = || format!("`pollux models {}` lists them", description.name);
            report.error("unknown-parameter", field.span, &item, brief, Hint::meant_or(nearest(field, names), all));
        }
    }
    Some(part)
}

/// Sets a parameter if what is given is within its bounds.
pub(super) fn set(part: &mut Part, at: usize, value: &Spanned<QuantityDef>, item: &str, report: &mut Report) {
    let said = &part.model.description().parameters[at];
    let Some(found) = quantity(item, said.name, said.unit, Some(said.default), value, report) else { return };
    let (low, high) = said.bounds;
    if !(low..=high).contains(&found) {
        let unit = if said.unit.is_empty() { String::new() } else { format!(" {}", said.unit) };
        let brief = format!("{} must be from {low}{unit} to {high}{unit}, found {found}{unit}", said.name);
        report.error("out-of-bounds", value.span, item, brief, said.about.trim().into());
        return;
    }
    part.parameters[at] = found;
    part.spans[at] = Some(value.span);
}

/// A number in `unit`. A quantity that has a unit is given with one, so that nobody guesses.
pub(super) fn quantity(
    item: &str,
    name: &str,
    unit: &str,
    example: Option<f64>,
    given: &Spanned<QuantityDef>,
    report: &mut Report,
) -> Option<f64> {
    let mut fail = |brief: String, hint: Hint| {
        report.error("bad-quantity", given.span, item, brief, hint);
        None
    };
    let wanted = || {
        let example = example.filter(|x| *x != 0.0).unwrap_or(1.0);
        if unit.is_empty() {
            return format!("it has no unit: write {} alone", short(example));
        }
        format!("write it with a unit: \"{} {unit}\", or another unit that fits", short(example))
    };
    match &given.value {
        QuantityDef::Flag(flag) if unit.is_empty() => Some(f64::from(u8::from(*flag))),
        QuantityDef::Number(x) if unit.is_empty() && x.is_finite() => Some(*x),
        QuantityDef::Number(x) => fail(format!("{name} is the bare number {x}"), wanted().into()),
        QuantityDef::Flag(_) | QuantityDef::Rows(_) => fail(format!("{name} is one number"), wanted().into()),
        QuantityDef::Text(text) => {
            let (number, symbol) = split(text);
            let Ok(number) = number.parse::<f64>() else {
                return fail(format!("{name}: {text:?} does not begin with a number"), wanted().into());
            };
            let given_unit = match Unit::parse(symbol) {
                Ok(unit) => unit,
                Err(error) => return fail(format!("{name}: {error}"), Hint::meant(error.nearest)),
            };
            let own = Unit::parse(unit).unwrap_or_default();
            match given_unit.conversion_to(&own) {
                Some(conversion) if conversion.apply(number).is_finite() => Some(conversion.apply(number)),
                Some(_) => fail(format!("{name}: {text:?} is not a finite number"), wanted().into()),
                None => fail(format!("{name}: `{symbol}` does not fit `{unit}`"), wanted().into()),
            }
        }
    }
}

/// A difference between two values of a quantity, in `unit`: `0.1 K` is 0.1 °C.
pub(super) fn difference(text: &str, unit: &Unit) -> Result<f64, String> {
    let (number, symbol) = split(text);
    let number: f64 = number.parse().map_err(|_| format!("{text:?} does not begin with a number"))?;
    let given = Unit::parse(symbol).map_err(|error| error.to_string())?;
    let conversion = given.conversion_to(unit).ok_or_else(|| format!("`{symbol}` does not fit `{unit}`"))?;
    Some(number * conversion.scale()).filter(|x| x.is_finite()).ok_or_else(|| format!("{text:?} is too large"))
}

/// `60 m3/h` as number and unit.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        let exponent =
            matches!(c, 'e' | 'E') && text[at + 1..].starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c));
        let sign = matches!(c, '+' | '-') && (at == 0 || text[..at].ends_with(['e', 'E']));
        if !(c.is_ascii_digit() || c == '.' || sign || exponent) {
            end = at;
            break;
        }
    }
    (&text[..end], text[end..].trim())
}

fn short(x: f64) -> String {
    let rounded: f64 = format!("{x:.3e}").parse().unwrap_or(x);
    rounded.to_string()
}

fn step(item: &str, given: &Spanned<QuantityDef>, report: &mut Report) -> Option<u64> {
    let QuantityDef::Text(written) = &given.value else {
        report.error("bad-quantity", given.span, item, "step is a duration such as \"100ms\"", Hint::NONE);
        return None;
    };
    match text::duration(written) {
        Ok(duration) => u64::try_from(duration.as_nanos()).ok(),
        Err(brief) => {
            report.error("bad-duration", given.span, item, format!("step: {brief}"), Hint::NONE);
            None
        }
    }
}

/// The rows of a list, one after the other.
fn rows(
    item: &str,
    name: &str,
    columns: &[(&str, &str)],
    given: &Spanned<QuantityDef>,
    report: &mut Report,
) -> Vec<f64> {
    let heads: Vec<String> = columns.iter().map(|(name, unit)| format!("{name} [{unit}]")).collect();
    let wrong = |report: &mut Report| {
        let brief = format!("{name} is a list of rows of {} values", columns.len());
        report.error("bad-table", given.span, item, brief, format!("each row: {}", heads.join(", ")).into());
        Vec::new()
    };
    let QuantityDef::Rows(rows) = &given.value else { return wrong(report) };
    let mut numbers = Vec::with_capacity(rows.len() * columns.len());
    for row in rows {
        let QuantityDef::Rows(cells) = row else { return wrong(report) };
        if cells.len() != columns.len() {
            return wrong(report);
        }
        for (cell, (column, unit)) in cells.iter().zip(columns) {
            let cell = Spanned::new(cell.clone(), given.span);
            // A bare number is taken in the column's own unit: rows would be unreadable otherwise.
            let number = match &cell.value {
                QuantityDef::Number(x) if x.is_finite() => Some(*x),
                _ => quantity(item, column, unit, None, &cell, report),
            };
            match number {
                Some(number) => numbers.push(number),
                None => return Vec::new(),
            }
        }
    }
    numbers
}

/// Whether a text is a quantity and not the path of an output: paths begin with a letter.
pub(super) fn is_quantity(text: &str) -> bool {
    text.trim().starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_a_number_and_a_unit() {
        for (text, number, unit) in [
            ("60 m3/h", "60", "m3/h"),
            ("1e3Pa", "1e3", "Pa"),
            ("-2.5e-3 m", "-2.5e-3", "m"),
            ("7 eV", "7", "eV"),
            ("0.5", "0.5", ""),
            (" 20 degC ", "20", "degC"),
            ("m3/h", "", "m3/h"),
        ] {
            assert_eq!(split(text), (number, unit), "{text}");
        }
    }

    #[test]
    fn paths_begin_with_letters_and_quantities_with_digits() {
        assert!(is_quantity("60 m3/h") && is_quantity("-1") && is_quantity(".5"));
        assert!(!is_quantity("T-200.level") && !is_quantity("{feed}.level"));
    }
}
