//! Tables that other programs wrote.

use super::{Case, Samples, check};

#[test]
fn tables_of_other_programs_are_read_or_refused_with_a_way_out() {
    check(&[Case {
        name: "csv01_decimal_comma",
        args: "import csv in.csv --scene scene.ron -o out.mcap",
        code: 0,
        says: &["2 messages, 4 samples"],
        never: &[],
        samples: &[Samples {
            twin: "P-1",
            signal: "flow",
            are: &["1970-01-01T00:01:40Z 7.5", "1970-01-01T00:01:41Z 8.25"],
        }],
    }]);
}
