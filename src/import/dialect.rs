//! Finds the header of a table and what parts its columns. In: the beginning of the text, and a judge of headers. Out: a
//! [`Dialect`]. Never reads a row.

/// Lines that may stand above the header.
const ABOVE: usize = 100;

/// How a table is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Dialect {
    pub separator: u8,
    pub header: Vec<String>,
    /// Bytes of text above the header, and its line.
    pub offset: u64,
    pub line: u64,
    /// Line ends are CR alone, which nobody else counts as lines.
    pub has_only_returns: bool,
    /// What stands above the header is only `sep=;`.
    pub is_announced: bool,
}

/// How much of a header is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Fit {
    Nothing,
    Time,
    /// A time, and so many columns that belong to signals or say what a row is.
    Whole(usize),
}

/// The first line that fits whole, else one with a time, else the first line. None where nothing is written.
pub(super) fn find(head: &[u8], fit: impl Fn(&[String]) -> Fit) -> Option<Dialect> {
    let has_only_returns = !head.contains(&b'\n') && head.contains(&b'\r');
    let mut lines = lines(head);
    let announced = lines.first().and_then(|(from, to)| announced(head.get(*from..*to)?));
    if announced.is_some() {
        lines.remove(0);
    }
    let separators: &[u8] = announced.as_ref().map_or(b",;\t|", std::slice::from_ref);
    let mut best: Option<(Fit, Dialect)> = None;
    let mut first = None;
    for (number, (from, to)) in lines.iter().enumerate() {
        // A record is looked for in its first line.
        if head.get(*from..*to).is_none_or(|line| line.trim_ascii().is_empty()) {
            continue;
        }
        let line = number as u64 + 1 + u64::from(announced.is_some());
        let mut of_line: Option<(Fit, Dialect)> = None;
        for separator in separators {
            let Some(header) = record(head.get(*from..).unwrap_or_default(), *separator) else { continue };
            let fit = fit(&header);
            let dialect = Dialect {
                separator: *separator,
                header,
                offset: *from as u64,
                line,
                has_only_returns,
                is_announced: announced.is_some() && number == 0,
            };
            let is_better = |(best, known): &(Fit, Dialect)| (fit, dialect.header.len()) > (*best, known.header.len());
            if of_line.as_ref().is_none_or(is_better) {
                of_line = Some((fit, dialect));
            }
        }
        let Some((fit, dialect)) = of_line else { continue };
        if matches!(fit, Fit::Whole(_)) {
            return Some(dialect);
        }
        first.get_or_insert_with(|| dialect.clone());
        let has_more = |(_, known): &(Fit, Dialect)| dialect.header.len() > known.header.len();
        if fit == Fit::Time && best.as_ref().is_none_or(has_more) {
            best = Some((fit, dialect));
        }
    }
    best.map(|(_, dialect)| dialect).or(first)
}

/// Where the first lines begin and end.
fn lines(head: &[u8]) -> Vec<(usize, usize)> {
    let mut lines = Vec::new();
    let mut from = 0;
    while from < head.len() && lines.len() < ABOVE {
        let rest = head.get(from..).unwrap_or_default();
        let len = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        lines.push((from, from + len));
        let end = rest.get(len..).unwrap_or_default();
        from += len + if end.starts_with(b"\r\n") { 2 } else { 1 };
    }
    lines
}

/// `sep=;`, which spreadsheets write and read.
fn announced(line: &[u8]) -> Option<u8> {
    let line = line.trim_ascii_end();
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match line {
        [s, e, p, b'=', separator] if [s, e, p].map(u8::to_ascii_lowercase) == *b"sep" => Some(*separator),
        // The tab was taken for a blank at the end.
        [s, e, p, b'='] if [s, e, p].map(u8::to_ascii_lowercase) == *b"sep" => Some(b'\t'),
        _ => None,
    }
}

fn record(text: &[u8], separator: u8) -> Option<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).flexible(true).has_headers(false).from_reader(text);
    let mut record = csv::ByteRecord::new();
    if !reader.read_byte_record(&mut record).ok()? {
        return None;
    }
    Some(record.iter().map(|cell| super::text::cell(cell).0.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> (char, u64, usize) {
        let fit = |header: &[String]| match header.iter().any(|cell| cell == "time") {
            true if header.iter().any(|cell| cell.starts_with("P-1")) => Fit::Whole(1),
            true => Fit::Time,
            false => Fit::Nothing,
        };
        let dialect = find(text.as_bytes(), fit).expect("a header");
        (char::from(dialect.separator), dialect.line, dialect.header.len())
    }

    #[test]
    fn the_header_is_found_below_other_lines_and_between_all_separators() {
        assert_eq!(found("time,P-1.flow\n1,2\n"), (',', 1, 2));
        assert_eq!(found("time;P-1.flow;\"remark, a, b, c\"\n"), (';', 1, 3));
        assert_eq!(found("sep=;\r\ntime;P-1.flow\r\n"), (';', 2, 2));
        assert_eq!(found("\"sep=|\"\ntime|P-1.flow\n"), ('|', 2, 2));
        assert_eq!(found("Logger, of hall 3\ntime;12:00\n\ntime\tP-1.flow\n"), ('\t', 4, 2));
        assert_eq!(found("time,x,y\n1,2,3\n"), (',', 1, 3));
        assert_eq!(found("\na;b\n1;2\n"), (';', 2, 2));
        assert!(find(b"", |_| Fit::Nothing).is_none());
    }
}
