//! What a command is told. In: parameters, values or texts. Out: one value for each parameter, in its unit and within its
//! range; or every reason why not.

use crate::scene::Command;
use crate::scene::commands::{Parameter, ParameterKind};
use crate::value::{Unit, Value};

/// A value for each parameter of a command, in their order.
pub type Arguments = Vec<Value>;

/// The given values, and defaults for the rest. Values are in the units of the parameters.
pub fn arguments(command: &Command, given: &[(String, Value)]) -> Result<Arguments, Vec<String>> {
    let mut faults = Vec::new();
    for (at, (name, _)) in given.iter().enumerate() {
        if !command.parameters.iter().any(|parameter| parameter.name == *name) {
            let known: Vec<&str> = command.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
            let known =
                if known.is_empty() { "it takes none".to_owned() } else { format!("it has {}", known.join(", ")) };
            faults.push(format!("there is no parameter `{name}`: {known}"));
        } else if given[..at].iter().any(|(other, _)| other == name) {
            faults.push(format!("`{name}` is given twice"));
        }
    }
    let mut values = Arguments::new();
    for parameter in &command.parameters {
        let value = given.iter().find(|(name, _)| *name == parameter.name).map(|(_, value)| value);
        match value.or(parameter.default.as_ref()) {
            Some(value) => match parameter.kind.refusal(value) {
                Some(why) => faults.push(format!("{}: {why}", parameter.name)),
                None => values.push(value.clone()),
            },
            None => faults.push(format!("{}: {} is needed", parameter.name, parameter.kind.text())),
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

/// A value as people write it: `30`, `1800 rpm`, `true`, `auto`. A number may bear a unit, which is converted.
pub fn read(parameter: &Parameter, text: &str) -> Result<Value, String> {
    let text = text.trim();
    let wanted = || format!("{}: {} is expected, found `{text}`", parameter.name, parameter.kind.text());
    match &parameter.kind {
        ParameterKind::Bool => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(wanted()),
        },
        ParameterKind::OneOf(_) => Ok(Value::Text(text.into())),
        ParameterKind::Number { unit, .. } => {
            let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+');
            // `1e3` is a number, `3 eV` has a unit.
            let split = text.find(|c| !is_of_number(c)).unwrap_or(text.len());
            let (number, rest) = match text.parse::<f64>() {
                Ok(number) => (number, ""),
                Err(_) => (text[..split].parse::<f64>().map_err(|_| wanted())?, text[split..].trim()),
            };
            if !number.is_finite() {
                return Err(wanted());
            }
            if rest.is_empty() {
                return Ok(Value::Number(number));
            }
            let given = Unit::parse(rest).map_err(|error| format!("{}: {error}", parameter.name))?;
            match given.conversion_to(unit) {
                Some(conversion) => Ok(Value::Number(conversion.apply(number))),
                None if unit.symbol().is_empty() => Err(format!("{}: it has no unit, found `{rest}`", parameter.name)),
                None => Err(format!("{}: `{rest}` does not fit `{unit}`", parameter.name)),
            }
        }
    }
}
