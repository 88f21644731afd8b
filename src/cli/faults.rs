//! `pollux faults`: the kinds of faults that scenarios can name, and the page of each.

use super::{Failure, out};
use crate::fault::{self, Kind, Measure, Parameter};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Print all about this kind.
    name: Option<String>,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let Some(name) = args.name else {
        for kind in fault::kinds() {
            out::line(format_args!("{:8} {:15} {}", kind.layer.name(), kind.name, kind.about()))?;
        }
        return Ok(());
    };
    let found: Vec<&Kind> = fault::kinds().filter(|kind| kind.name == name).collect();
    if found.is_empty() {
        let near = crate::scene::nearest::nearest(&name, fault::kinds().map(|kind| kind.name));
        let meant = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
        return Err(Failure::Usage(format!("there is no kind of fault `{name}`{meant}")));
    }
    found.iter().try_for_each(|kind| out::print(page(kind)))
}

fn page(kind: &Kind) -> String {
    let mut text = format!("{} ({})\n\n", kind.name, kind.layer.name());
    for line in kind.page.lines() {
        text += format!("  {}", line.trim()).trim_end();
        text.push('\n');
    }
    text.push('\n');
    for one in kind.parameters {
        text += &format!("  {:12} {:28} {}\n", one.name, measure(one), one.about.trim());
    }
    let ramps = if kind.ramps { "grows with `ramp`" } else { "has its full effect at once" };
    text += &format!("  {ramps}\n\n");
    text
}

/// `s, 0 to 1000000`, `unit of what it is on`
fn measure(one: &Parameter) -> String {
    let (low, high) = one.bounds;
    match one.measure {
        Measure::Target => "unit of what it is on".to_owned(),
        Measure::TargetPerSecond => "that unit in a second".to_owned(),
        Measure::Flag => "true or false".to_owned(),
        Measure::Unit("") => format!("{low} to {high}"),
        Measure::Unit(unit) => format!("{unit}, {low} to {high}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_what_a_fault_does_and_takes() {
        let kind = fault::kinds().find(|kind| kind.name == "spike").expect("a kind");
        let page = page(kind);
        assert!(page.starts_with("spike (sensor)\n") && page.contains("share") && page.contains("0 to 1"), "{page}");
    }
}
