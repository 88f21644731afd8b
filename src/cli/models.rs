//! `pollux models`: the catalogue, or one model with its tables. In: a name. Out: text or JSON on standard output.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::out::Format;
use super::{Failure, out};
use crate::model::{Description, Domain, End, OutputKind, Over, Role, catalogue, model};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// A model, such as CentrifugalPump; all of them in a line each unless given.
    model: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let chosen: Vec<&Description> = match &args.model {
        None => catalogue().iter().map(|model| model.description()).collect(),
        Some(name) => vec![model(name).ok_or_else(|| unknown(name))?.description()],
    };
    match (args.format, &args.model) {
        (Format::Json, _) => {
            let all: Vec<Value> = chosen.iter().map(|one| as_json(one)).collect();
            out::json(&all)?;
        }
        (Format::Text, None) => {
            let width = chosen.iter().map(|one| one.name.len()).max().unwrap_or(0);
            for one in chosen {
                out::line(format_args!("{:width$}  {}", one.name, one.about))?;
            }
        }
        (Format::Text, Some(_)) => chosen.iter().try_for_each(|one| out::print(page(one)))?,
    }
    Ok(())
}

fn unknown(name: &str) -> Failure {
    let names = catalogue().iter().map(|model| model.description().name);
    let near = names.clone().map(|known| (strsim::damerau_levenshtein(known, name), known)).min();
    let hint = match near {
        Some((distance, known)) if distance <= 1 + name.len() / 3 => format!("did you mean {known}?"),
        _ => format!("the models are {}", names.collect::<Vec<_>>().join(", ")),
    };
    Failure::Usage(format!("there is no model `{name}`; {hint}"))
}

/// Columns as wide as they need to be; the last one is not padded.
fn table(title: &str, rows: &[Vec<String>]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let widths: Vec<usize> =
        (0..first.len()).map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0)).collect();
    let mut text = format!("\n{title}\n");
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let _ = writeln!(text, "  {}", cells.join("  ").trim_end());
    }
    text
}

fn cells<const N: usize>(row: [&str; N]) -> Vec<String> {
    row.iter().map(|cell| (*cell).to_owned()).collect()
}

/// Bounds as people read them: `0 to 1`, `from 0`, `any`.
fn bounds((low, high): (f64, f64)) -> String {
    format!("{} to {}", number(low), number(high))
}

/// Seven digits: tables are read, not computed with.
fn number(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 || (1e-4..1e7).contains(&size) {
        let rounded: f64 = format!("{x:.6e}").parse().unwrap_or(x);
        return rounded.to_string();
    }
    let rounded: f64 = format!("{x:.6e}").parse().unwrap_or(x);
    format!("{rounded:e}")
}

fn page(one: &Description) -> String {
    let mut text = format!("{}: {}\nsource: {}\n", one.name, one.about, one.source);
    let _ = match one.step {
        Some(step) => writeln!(text, "step: {} s", number(step as f64 / 1e9)),
        None => writeln!(text, "step: none, it acts at events"),
    };
    if one.is_program {
        text +=
            "units: quantities without a unit are in that of what it is tied to; shares and switches are from 0 to 1\n";
    }
    let role = |role: Role| if role == Role::Condition { "condition" } else { "design" };
    let mut rows = vec![cells(["name", "unit", "default", "bounds", "role", "about", "source"])];
    rows.extend(one.parameters.iter().map(|p| {
        let (default, bounds) = (number(p.default), bounds(p.bounds));
        cells([p.name, p.unit, &default, &bounds, role(p.role), p.about.trim(), p.source])
    }));
    text += &section("parameters", rows);
    let mut rows = vec![cells(["name", "unit", "unless fed", "over a step", "about"])];
    rows.extend(one.inputs.iter().map(|i| {
        let default = i.default.map_or_else(|| "required".to_owned(), number);
        let over = if i.over == Over::Mean { "mean" } else { "last" };
        cells([i.name, i.unit, &default, over, i.about.trim()])
    }));
    text += &section("inputs", rows);
    let mut rows = vec![cells(["name", "unit", "kind", "follows", "about"])];
    rows.extend(one.outputs.iter().map(|o| {
        let kind = match o.kind {
            OutputKind::Number => "number".to_owned(),
            OutputKind::Flag => "flag".to_owned(),
            OutputKind::Words(words) => words.join(" | "),
        };
        let follows = if o.direct { "state and inputs" } else { "state" };
        cells([o.name, o.unit, &kind, follows, o.about.trim()])
    }));
    text += &section("outputs", rows);
    let mut rows = vec![cells(["name", "what flows", "link", "about"])];
    rows.extend(one.ports.iter().map(|p| {
        let link = if p.required { "required" } else { "optional" };
        cells([p.name, &p.domain.to_string(), link, p.about.trim()])
    }));
    text += &section("ports", rows);
    let mut rows = vec![cells(["name", "unit", "start", "bounds", "filter", "about"])];
    rows.extend(one.states.iter().map(|s| {
        let filter = if s.estimated { "may write" } else { "" };
        cells([s.name, s.unit, &number(s.start), &bounds(s.bounds), filter, s.about.trim()])
    }));
    text += &section("states", rows);
    let mut rows = vec![cells(["name", "about"])];
    rows.extend(one.counts.iter().map(|c| cells([c.name, c.about.trim()])));
    text += &section("counts", rows);
    let mut rows = vec![cells(["name", "columns", "about"])];
    rows.extend(one.tables.iter().map(|t| {
        let columns: Vec<String> = t.columns.iter().map(|(name, unit)| format!("{name} [{unit}]")).collect();
        cells([t.name, &columns.join(", "), t.about.trim()])
    }));
    text += &section("tables", rows);
    let mut rows = vec![cells(["name", "about"])];
    rows.extend(one.repairs.iter().map(|r| cells([r.name, r.about.trim()])));
    text += &section("repairs", rows);
    let mut rows = vec![cells(["name", "unit", "about"])];
    rows.extend(one.waveforms.iter().map(|w| cells([w.name, w.unit, w.about.trim()])));
    text += &section("waveforms", rows);
    text
}

/// Nothing where there is only a head.
fn section(title: &str, rows: Vec<Vec<String>>) -> String {
    if rows.len() > 1 { table(title, &rows) } else { String::new() }
}

fn as_json(one: &Description) -> Value {
    let end = |end: End| match end {
        End::Port(port) => one.ports.get(port).map_or("", |port| port.name).to_owned(),
        End::Inside => "inside".to_owned(),
        End::Outside => "outside".to_owned(),
    };
    json!({
        "name": one.name,
        "about": one.about,
        "source": one.source,
        "version": one.version,
        "step_secs": one.step.map(|step| step as f64 / 1e9),
        "parameters": one.parameters.iter().map(|p| json!({
            "name": p.name, "about": p.about.trim(), "unit": p.unit, "default": p.default,
            "bounds": [p.bounds.0, p.bounds.1],
            "role": if p.role == Role::Condition { "condition" } else { "design" }, "source": p.source,
        })).collect::<Vec<_>>(),
        "states": one.states.iter().map(|s| json!({
            "name": s.name, "about": s.about.trim(), "unit": s.unit, "start": s.start,
            "bounds": [s.bounds.0, s.bounds.1], "estimated": s.estimated,
        })).collect::<Vec<_>>(),
        "counts": one.counts.iter().map(|c| json!({ "name": c.name, "about": c.about.trim() })).collect::<Vec<_>>(),
        "inputs": one.inputs.iter().map(|i| json!({
            "name": i.name, "about": i.about.trim(), "unit": i.unit, "default": i.default,
            "over": if i.over == Over::Mean { "mean" } else { "last" },
        })).collect::<Vec<_>>(),
        "outputs": one.outputs.iter().map(|o| json!({
            "name": o.name, "about": o.about.trim(), "unit": o.unit, "direct": o.direct,
            "words": if let OutputKind::Words(words) = o.kind { json!(words) } else { Value::Null },
            "flag": o.kind == OutputKind::Flag,
        })).collect::<Vec<_>>(),
        "ports": one.ports.iter().map(|p| json!({
            "name": p.name, "about": p.about.trim(), "domain": domain(p.domain), "required": p.required,
        })).collect::<Vec<_>>(),
        "passages": one.passages.iter().map(|p| json!({ "from": end(p.from), "to": end(p.to) })).collect::<Vec<_>>(),
        "repairs": one.repairs.iter().map(|r| json!({ "name": r.name, "about": r.about.trim() })).collect::<Vec<_>>(),
        "waveforms": one.waveforms.iter().map(|w| json!({
            "name": w.name, "about": w.about.trim(), "unit": w.unit,
        })).collect::<Vec<_>>(),
    })
}

fn domain(domain: Domain) -> String {
    domain.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_every_table_of_the_model_and_no_empty_one() {
        let tank = page(model("Tank").expect("a tank").description());
        for word in ["Tank: An upright tank", "parameters", "inputs", "outputs", "ports", "states", "area", "m2"] {
            assert!(tank.contains(word), "{word}: {tank}");
        }
        assert!(!tank.contains("repairs"), "{tank}");
        assert!(tank.lines().all(|line| line.trim_end() == line));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest_one() {
        assert_eq!(unknown("Tnak").to_string(), "there is no model `Tnak`; did you mean Tank?");
        assert!(unknown("Perpetuum").to_string().contains("the models are AirConsumer, Arrivals, "));
    }

    #[test]
    fn numbers_are_short_and_keep_their_size() {
        assert_eq!([0.0, 303.687_289_8, 2e-3, 1e8, -1e-7].map(number), ["0", "303.6873", "0.002", "1e8", "-1e-7"]);
    }
}
