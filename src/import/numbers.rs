//! Finds how a column writes its numbers: which mark parts the decimals, and which the thousands. In: all cells of a
//! column. Out: a [`Mark`], and cells in the one spelling that programs share. Never decides by a single cell.

use std::borrow::Cow;

use crate::value::decimal::Decimal;

/// What parts the decimals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    Point,
    Comma,
}

/// What a column's numbers are known to be like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    Known(Mark),
    /// All of its marks may part decimals or thousands.
    Unclear,
    /// Some cells say a point, others a comma.
    Mixed,
}

/// What the cells of a column say.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Evidence {
    point: u64,
    comma: u64,
    /// Cells like `1,021` and like `1.021`.
    either_comma: u64,
    either_point: u64,
}

/// What one cell says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Says {
    Nothing,
    Decimals(Mark),
    /// One mark with three digits behind it: decimals of this mark, or thousands.
    Either(Mark),
    NoNumber,
}

impl Evidence {
    pub fn add(&mut self, cell: &str) {
        match says(cell) {
            Says::Decimals(Mark::Point) => self.point += 1,
            Says::Decimals(Mark::Comma) => self.comma += 1,
            Says::Either(Mark::Comma) => self.either_comma += 1,
            Says::Either(Mark::Point) => self.either_point += 1,
            Says::Nothing | Says::NoNumber => {}
        }
    }
}

/// The style of each column; whether some of them follow from semicolons between columns alone.
pub(super) fn styles(columns: &[Evidence], has_semicolons: bool) -> (Vec<Style>, bool) {
    let sum = |part: fn(&Evidence) -> u64| columns.iter().map(part).sum::<u64>();
    let (points, commas) = (sum(|one| one.point), sum(|one| one.comma));
    let mut is_by_separator = false;
    let styles = columns.iter().map(|column| match (column.point > 0, column.comma > 0) {
        (true, false) => Style::Known(Mark::Point),
        (false, true) => Style::Known(Mark::Comma),
        (true, true) => Style::Mixed,
        (false, false) => match (column.either_point > 0, column.either_comma > 0) {
            (true, true) => Style::Mixed,
            (false, false) => Style::Known(Mark::Point),
            // A point is a decimal point, unless other columns write commas.
            (true, false) if commas == 0 => Style::Known(Mark::Point),
            (true, false) => Style::Unclear,
            // A program writes all columns alike.
            (false, true) if points > 0 && commas == 0 => Style::Known(Mark::Point),
            (false, true) if commas > 0 && points == 0 => Style::Known(Mark::Comma),
            (false, true) if has_semicolons && points == 0 => {
                is_by_separator = true;
                Style::Known(Mark::Comma)
            }
            (false, true) => Style::Unclear,
        },
    });
    (styles.collect(), is_by_separator)
}

/// The number as `-1234.5`; other texts as they are. The error says why the cell cannot be taken.
pub(super) fn plain(cell: &str, style: Style) -> Result<Cow<'_, str>, String> {
    let said = says(cell);
    let mark = match (said, style) {
        (Says::NoNumber, _) => return Ok(cell.into()),
        (Says::Nothing, _) => Mark::Point,
        (Says::Decimals(mark), Style::Known(of_column)) if mark == of_column => mark,
        (Says::Decimals(mark), Style::Known(_)) => {
            return Err(format!("`{cell}` has a decimal {}, and its column has not", name(mark)));
        }
        (Says::Either(_), Style::Known(mark)) => mark,
        (Says::Decimals(Mark::Point), Style::Mixed) => Mark::Point,
        (_, Style::Mixed) => {
            return Err(format!(
                "`{cell}` is not clear, as its column has decimal points and decimal commas: write them alike, or say \
                 --decimal comma or --decimal point"
            ));
        }
        (_, Style::Unclear) => {
            return Err(format!("`{cell}` may have thousands or decimals: say --decimal comma or --decimal point"));
        }
    };
    let thousands = if mark == Mark::Point { ',' } else { '.' };
    let is_plain = !cell.contains(|c: char| is_group(c) || matches!(c, ',' | '−')) && mark == Mark::Point;
    if is_plain {
        return Ok(cell.into());
    }
    let kept = cell.trim().chars().filter(|c| !is_group(*c) && *c != thousands);
    let shared = |c| match c {
        ',' => '.',
        '−' => '-',
        other => other,
    };
    Ok(kept.map(shared).collect::<String>().into())
}

fn name(mark: Mark) -> &'static str {
    match mark {
        Mark::Point => "point",
        Mark::Comma => "comma",
    }
}

/// Blanks (also those that do not break, and narrow ones) and apostrophes part thousands, and nothing else.
fn is_group(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’')
}

fn says(cell: &str) -> Says {
    let cell = cell.trim();
    let body = cell.strip_prefix(['-', '+', '−']).unwrap_or(cell);
    let (body, has_exponent) = match body.split_once(['e', 'E']) {
        Some((body, exponent)) => {
            let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            if !is_digits(digits) {
                return Says::NoNumber;
            }
            (body, true)
        }
        None => (body, false),
    };
    if !body.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == ',')
        || !body.chars().all(|c| c.is_ascii_digit() || is_group(c) || c == '.' || c == ',')
    {
        return Says::NoNumber;
    }
    let bare: Cow<str> = if body.contains(is_group) {
        let whole = body.split(['.', ',']).next().unwrap_or_default();
        let groups: Vec<&str> = whole.split(is_group).collect();
        if !are_groups(&groups) || body[whole.len()..].contains(is_group) {
            return Says::NoNumber;
        }
        body.chars().filter(|c| !is_group(*c)).collect::<String>().into()
    } else {
        body.into()
    };
    let count = |mark| bare.matches(mark).count();
    let grouped = |text: &str, mark: char| are_groups(&text.split(mark).collect::<Vec<_>>());
    let one = |mark: char, is: Mark| {
        // Blanks part the thousands already.
        if grouped(&bare, mark) && !has_exponent && bare.len() == body.len() {
            Says::Either(is)
        } else {
            Says::Decimals(is)
        }
    };
    match (count('.'), count(',')) {
        (0, 0) => Says::Nothing,
        (1, 0) => one('.', Mark::Point),
        (0, 1) => one(',', Mark::Comma),
        (0, _) if grouped(&bare, ',') => Says::Decimals(Mark::Point),
        (_, 0) if grouped(&bare, '.') => Says::Decimals(Mark::Comma),
        (1, _) => match bare.split_once('.') {
            Some((whole, part)) if grouped(whole, ',') && !part.contains(',') => Says::Decimals(Mark::Point),
            _ if count(',') == 1 => by_comma(&bare),
            _ => Says::NoNumber,
        },
        (_, 1) => by_comma(&bare),
        _ => Says::NoNumber,
    }
}

/// `1.021,5`.
fn by_comma(bare: &str) -> Says {
    match bare.split_once(',') {
        Some((whole, part)) if are_groups(&whole.split('.').collect::<Vec<_>>()) && !part.contains('.') => {
            Says::Decimals(Mark::Comma)
        }
        _ => Says::NoNumber,
    }
}

/// One to three digits of which the first is not 0, then threes.
fn are_groups(groups: &[&str]) -> bool {
    let Some((first, rest)) = groups.split_first() else { return false };
    !rest.is_empty()
        && (1..=3).contains(&first.len())
        && is_digits(first)
        && !first.starts_with('0')
        && rest.iter().all(|group| group.len() == 3 && is_digits(group))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a whole number has more digits than a signal's value keeps.
pub(super) fn is_rounded(plain: &str) -> bool {
    let digits = plain.trim().trim_start_matches(['-', '+']);
    if digits.len() < 16 || !is_digits(digits) {
        return false;
    }
    let kept = |exact: Decimal| exact.whole_of_times(1) == Some(exact.nearest() as i128);
    !Decimal::parse(digits).is_some_and(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cells: &[&str], has_semicolons: bool) -> Vec<Option<String>> {
        let mut evidence = Evidence::default();
        cells.iter().for_each(|cell| evidence.add(cell));
        let style = styles(&[evidence], has_semicolons).0[0];
        cells.iter().map(|cell| plain(cell, style).ok().map(Cow::into_owned)).collect()
    }

    fn taken(cells: &[&str]) -> Vec<Option<String>> {
        cells.iter().map(|cell| Some((*cell).to_owned())).collect()
    }

    #[test]
    fn a_column_says_what_its_commas_and_points_are() {
        assert_eq!(read(&["980", "1,021", "1,234.5"], false), taken(&["980", "1021", "1234.5"]));
        assert_eq!(read(&["7,5", "1.021", "1.234,5"], false), taken(&["7.5", "1021", "1234.5"]));
        assert_eq!(read(&["1,234,567", "1,021"], false), taken(&["1234567", "1021"]));
        assert_eq!(read(&["1.021", "21.125"], false), taken(&["1.021", "21.125"]));
        assert_eq!(read(&["1.25E+04", "3e-4", "-.5", "ERR"], false), taken(&["1.25E+04", "3e-4", "-.5", "ERR"]));
        assert_eq!(read(&["1 234,5", "-1'234,5"], false), taken(&["1234.5", "-1234.5"]));
    }

    #[test]
    fn what_may_be_either_is_refused() {
        assert_eq!(read(&["1,021", "980"], false), [None, Some("980".into())]);
        assert_eq!(read(&["1,021"], true), taken(&["1.021"]), "semicolons are there because of decimal commas");
        assert_eq!(read(&["7,5", "7.5"], false), [None, Some("7.5".into())]);
        let of_table = |other: &str| {
            let mut columns = [Evidence::default(); 2];
            columns[0].add("1,021");
            columns[1].add(other);
            styles(&columns, false).0[0]
        };
        assert_eq!(of_table("0,5"), Style::Known(Mark::Comma));
        assert_eq!(of_table("0.5"), Style::Known(Mark::Point));
        assert_eq!(of_table("5"), Style::Unclear);
    }

    #[test]
    fn whole_numbers_beyond_a_value_are_known() {
        assert!(is_rounded("9007199254740993") && is_rounded("-9007199254740993"));
        assert!(!is_rounded("9007199254740992") && !is_rounded("9007199254740994") && !is_rounded("1e300"));
    }
}
