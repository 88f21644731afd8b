//! Sets one value in a text and leaves all the rest alone. In: text, the node to start from, the way to the value, the
//! new literal. Out: the new text. A value that is there is replaced; one that is not is added with all that leads to it,
//! in the layout of its neighbours.

use std::ops::Range;

use super::super::ron_tree::{Kind, Node, skip_space};
use super::place::{Step, child, entry};

/// None if what stands on the way is of another shape.
pub(super) fn set(text: &str, start: &Node<'_>, steps: &[Step], literal: &str) -> Option<String> {
    let (mut node, mut rest) = (inner(start), steps);
    while let Some((step, after)) = rest.split_first() {
        let next = match step {
            Step::Field(name) => child(node, name),
            Step::Entry(name) => entry(node, name),
        };
        let Some(next) = next else {
            return insert(text, node, rest, literal);
        };
        (node, rest) = (inner(next), after);
    }
    replace(text, &[(node.span.range(), literal.to_owned())])
}

/// `Some(x)` is `x`.
fn inner<'n, 't>(node: &'n Node<'t>) -> &'n Node<'t> {
    match &node.kind {
        Kind::Tuple(Some("Some"), items) => match items.as_slice() {
            [only] => inner(only),
            _ => node,
        },
        _ => node,
    }
}

/// `limits: (high: 5.0)`
fn nested(steps: &[Step], literal: &str) -> String {
    let Some((step, rest)) = steps.split_first() else { return literal.to_owned() };
    let name = match step {
        Step::Field(name) => (*name).to_owned(),
        Step::Entry(name) => format!("\"{name}\""),
    };
    let value = nested(rest, literal);
    match rest.first() {
        Some(Step::Field(_)) => format!("{name}: ({value})"),
        Some(Step::Entry(_)) => format!("{name}: {{{value}}}"),
        None => format!("{name}: {value}"),
    }
}

fn insert(text: &str, container: &Node<'_>, steps: &[Step], literal: &str) -> Option<String> {
    let close = container.span.range().end.checked_sub(1)?;
    let last: Option<Range<usize>> = match (&container.kind, steps.first()?) {
        (Kind::Struct(_, fields), Step::Field(_)) => {
            fields.last().map(|field| field.span.range().start..field.value.span.range().end)
        }
        (Kind::Map(entries), Step::Entry(_)) => {
            entries.last().map(|(key, value)| key.span.range().start..value.span.range().end)
        }
        (Kind::Tuple(_, items), Step::Field(_)) if items.is_empty() => None,
        _ => return None,
    };
    let new = nested(steps, literal);
    let Some(last) = last else { return replace(text, &[(close..close, new)]) };
    let comma = skip_space(text, last.end);
    let has_comma = text.get(comma..)?.starts_with(',');
    let after = if has_comma { comma + 1 } else { last.end };

    // Neighbours on lines of their own: so is the new one, below whatever comment ends the line.
    let line_start = text.get(..last.start)?.rfind('\n').map_or(0, |newline| newline + 1);
    let indent = text.get(line_start..last.start)?;
    let line_end = after + text.get(after..close)?.find('\n').unwrap_or(close - after);
    let line_end = line_end - usize::from(text.get(..line_end)?.ends_with('\r'));
    let remark = text.get(after..line_end)?.trim();
    let own_lines = line_start > container.span.range().start
        && indent.chars().all(char::is_whitespace)
        && line_end < close
        && (remark.is_empty() || remark.starts_with("//"));
    if own_lines {
        let newline = if text.get(line_end..)?.starts_with('\r') { "\r\n" } else { "\n" };
        let tail = if has_comma { "," } else { "" };
        let line = format!("{newline}{indent}{new}{tail}");
        return match has_comma {
            true => replace(text, &[(line_end..line_end, line)]),
            false => replace(text, &[(after..after, ",".to_owned()), (line_end..line_end, line)]),
        };
    }
    let new = if has_comma { format!(" {new},") } else { format!(", {new}") };
    replace(text, &[(after..after, new)])
}

/// Ranges from first to last, none overlapping.
fn replace(text: &str, parts: &[(Range<usize>, String)]) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 80);
    let mut at = 0;
    for (range, new) in parts {
        out.push_str(text.get(at..range.start)?);
        out.push_str(new);
        at = range.end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::super::super::FileId;
    use super::super::super::ron_tree::parse;
    use super::*;

    fn high(text: &str) -> String {
        let steps = [Step::Field("signals"), Step::Entry("vib".to_owned()), Step::Field("limits"), Step::Field("high")];
        let tree = parse(text, FileId::default()).unwrap();
        let new = set(text, &tree, &steps, "5.0").unwrap();
        let read = parse(&new, FileId::default()).unwrap();
        // Whatever the layout, the value is there now.
        let limits = child(entry(child(&read, "signals").unwrap(), "vib").unwrap(), "limits").unwrap();
        assert_eq!(inner(child(inner(limits), "high").unwrap()).kind, Kind::Float(5.0), "{new}");
        new
    }

    #[test]
    fn a_value_that_is_there_is_replaced_and_nothing_else() {
        assert_eq!(
            high("(signals: { \"vib\" : (limits: ( high:4.5/* C */, low: 1)) })"),
            "(signals: { \"vib\" : (limits: ( high:5.0/* C */, low: 1)) })"
        );
        assert_eq!(
            high("(signals: {\"vib\": (limits: Some((high: 4)))})"),
            "(signals: {\"vib\": (limits: Some((high: 5.0)))})"
        );
    }

    #[test]
    fn a_value_that_is_not_there_joins_its_neighbours_on_their_line() {
        assert_eq!(high("(id: \"a\")"), "(id: \"a\", signals: {\"vib\": (limits: (high: 5.0))})");
        assert_eq!(high("(id: \"a\", )"), "(id: \"a\", signals: {\"vib\": (limits: (high: 5.0))}, )");
        assert_eq!(high("()"), "(signals: {\"vib\": (limits: (high: 5.0))})");
        assert_eq!(high("(signals: {})"), "(signals: {\"vib\": (limits: (high: 5.0))})");
        assert_eq!(high("(signals: {\"vib\": ()})"), "(signals: {\"vib\": (limits: (high: 5.0))})");
        assert_eq!(
            high("(signals: {\"flow\": (unit: \"m\") /* , */ , })"),
            "(signals: {\"flow\": (unit: \"m\") /* , */ , \"vib\": (limits: (high: 5.0)), })"
        );
        assert_eq!(
            high("(signals: {\"vib\": (limits: (low: 1 // why\n))})"),
            "(signals: {\"vib\": (limits: (low: 1, high: 5.0 // why\n))})"
        );
    }

    #[test]
    fn a_value_that_is_not_there_gets_a_line_of_its_own_where_its_neighbours_have() {
        assert_eq!(
            high("(\n    id: \"a\",\n    at: (1, 2), // here\n)"),
            "(\n    id: \"a\",\n    at: (1, 2), // here\n    signals: {\"vib\": (limits: (high: 5.0))},\n)"
        );
        assert_eq!(
            high("(\r\n  id: \"a\" // no comma\r\n)"),
            "(\r\n  id: \"a\", // no comma\r\n  signals: {\"vib\": (limits: (high: 5.0))}\r\n)"
        );
        assert_eq!(
            high("(\n  id: \"a\",\n  at: (1, 2))"),
            "(\n  id: \"a\",\n  at: (1, 2), signals: {\"vib\": (limits: (high: 5.0))})"
        );
    }
}
