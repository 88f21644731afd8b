//! Tables in, messages out.

use std::io::Cursor;

use super::*;

const SCENE: &str = r#"Scene(format: (1, 1), name: "Import", types: {"Pump": (signals: {
    "flow": (unit: "m3/h", topic: "{id}/data", json: "/flow"),
    "temperature": (unit: "degC", topic: "{id}/data", json: "/temp"),
    "head": (unit: "m", derived: "flow / 10"),
})}, twins: [(id: "P-1", type: "Pump"), (id: "P-2", type: "Pump")])"#;

fn scene() -> Scene {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scene.ron");
    std::fs::write(&path, SCENE).expect("a file");
    let loaded = crate::scene::load(&path);
    loaded.scene.clone().unwrap_or_else(|| panic!("{}", loaded.render(false)))
}

fn open<'s>(scene: &'s Scene, table: &'s str, options: &CsvOptions) -> Result<CsvReader<'s>, ImportError> {
    CsvReader::new("log.csv", Cursor::new(table), scene, options)
}

/// Each message as `seconds topic payload`.
fn read(reader: &mut CsvReader) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(sent) = reader.next_moment().expect("a good table") {
        lines.extend(sent.iter().map(|sent| {
            format!("{} {} {}", sent.time.as_secs_f64(), sent.topic, String::from_utf8_lossy(&sent.payload))
        }));
    }
    lines
}

#[test]
fn a_wide_table_sends_a_message_for_each_topic_and_row() {
    let scene = scene();
    let table = "\u{feff}Timestamp;P-1.flow [l/s];p-2/Flow;P-2.temperature (degF);P-1.head;remark\n\
                 100;10;7,5;212;9;hello\n\
                 101;;8;;;\n\
                 ;1;1;1;;\n\
                 100.5;20;;;;late\n";
    let mut reader = open(&scene, table, &CsvOptions::default()).expect("a table");
    let messages = read(&mut reader);
    assert_eq!(messages[0], r#"100 P-1/data {"flow":36.0}"#);
    assert!(messages[1].starts_with(r#"100 P-2/data {"flow":7.5,"temp":"#), "{}", messages[1]);
    assert_eq!(
        messages[2..],
        [r#"100.5 P-1/data {"flow":72.0}"#, r#"101 P-2/data {"flow":8.0}"#],
        "a late row is put in order"
    );
    let ignored: Vec<_> = reader.ignored.iter().map(|one| (one.column.as_str(), one.is_computed)).collect();
    assert_eq!(ignored, [("P-1.head", true), ("remark", false)], "a derived signal is computed, not sent");
    let counts =
        TableCounts { rows: 4, messages: 4, late: 1, timeless: 1, first_timeless: Some(4), ..TableCounts::default() };
    assert_eq!(reader.counts, counts);
}

#[test]
fn a_long_table_gathers_the_values_of_a_moment() {
    let scene = scene();
    let table = "time,twin,signal,value\n1,P-1,flow,10\n1,P-1,temperature,20\n1,P-9,flow,1\n2,P-1,flow,nan\n";
    let mut reader = open(&scene, table, &CsvOptions::default()).expect("a table");
    assert_eq!(read(&mut reader), [r#"1 P-1/data {"flow":10.0,"temp":20.0}"#, r#"2 P-1/data {"flow":null}"#]);
    assert_eq!((reader.counts.unknown, reader.counts.first_unknown.as_deref()), (1, Some("P-9.flow")));

    let tags = "time\ttag\tvalue\n1\tP-2.flow\t3\n";
    let mut reader = open(&scene, tags, &CsvOptions::default()).expect("a table");
    assert_eq!(read(&mut reader), [r#"1 P-2/data {"flow":3.0}"#]);
}

#[test]
fn a_table_of_messages_is_sent_as_it_stands() {
    let scene = scene();
    let table = "time,topic,payload\n1,P-1/data,\"{\"\"flow\"\":1}\"\n";
    let mut reader = open(&scene, table, &CsvOptions::default()).expect("a table");
    assert_eq!(read(&mut reader), [r#"1 P-1/data {"flow":1}"#]);
}

#[test]
fn other_names_are_mapped() {
    let scene = scene();
    let options =
        CsvOptions { time: Some("when".into()), map: vec![("F1".into(), "P-1.flow".into())], ..CsvOptions::default() };
    let mut reader = open(&scene, "when,F1\n1,5\n", &options).expect("a table");
    assert_eq!(read(&mut reader), [r#"1 P-1/data {"flow":5.0}"#]);
}

#[test]
fn what_cannot_be_read_says_why_and_what_to_do() {
    let scene = scene();
    let refusal = |table: &'static str, map: &[(&str, &str)]| {
        let map = map.iter().map(|(column, signal)| ((*column).to_owned(), (*signal).to_owned())).collect();
        let options = CsvOptions { map, ..CsvOptions::default() };
        open(&scene, table, &options).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let all = [
        refusal("a,b\n1,2\n", &[]),
        refusal("time,P-1.flwo\n1,2\n", &[]),
        refusal("time,x\n1,2\n", &[("y", "P-1.flow")]),
        refusal("time,x\n1,2\n", &[("x", "P-1.flwo")]),
        refusal("time,x\n1,2\n", &[("x", "P-1.head")]),
        refusal("time,P-1.flow [degC]\n1,2\n", &[]),
    ];
    expect_test::expect![[r#"
        log.csv: no column is the time; name one `time`, `timestamp` or `date`, or say which it is with --time (columns: a, b)
        log.csv: no column belongs to a signal of the scene `Import`; call columns TWIN.SIGNAL (such as P-1.flow), or say with --map COLUMN=TWIN.SIGNAL what belongs together; `P-1.flwo` looks like P-1.flow
        log.csv: the column `y` of --map is not there (columns: time, x)
        --map x=P-1.flwo: the scene `Import` has no such signal; did you mean P-1.flow?
        --map x=P-1.head: the signal is not bound to a topic, so nothing can be sent for it
        log.csv: column `P-1.flow [degC]`: the unit degC does not fit the signal's m3/h"#]]
    .assert_eq(&all.join("\n"));
}

#[test]
fn values_of_one_signal_at_one_time_are_messages_of_their_own() {
    let scene = scene();
    let table = "time,tag,value\n1,P-1.flow,1\n1,P-2.flow,5\n1,P-1.flow,9\n2,P-1.flow,3\n";
    let mut reader = open(&scene, table, &CsvOptions::default()).expect("a table");
    let expected = [
        r#"1 P-1/data {"flow":1.0}"#,
        r#"1 P-2/data {"flow":5.0}"#,
        r#"1 P-1/data {"flow":9.0}"#,
        r#"2 P-1/data {"flow":3.0}"#,
    ];
    assert_eq!(read(&mut reader), expected);
}

#[test]
fn a_row_with_a_wild_clock_is_set_aside() {
    let scene = scene();
    let table = "time,P-1.flow\n2026-01-31T12:00:00Z,1\n2026-01-31T12:00:01Z,2\n2036-02-07T06:28:16Z,3\n\
                 2026-01-31T12:00:03Z,4\n";
    let mut reader = open(&scene, table, &CsvOptions::default()).expect("a table");
    assert_eq!(read(&mut reader).len(), 3);
    assert_eq!(reader.rejected().first.len(), 1);
    let (line, reason) = &reader.rejected().first[0];
    assert!(*line == 4 && reason.contains("2036-02-07T06:28:16Z is far"), "{line}: {reason}");
}

#[test]
fn a_cell_that_is_not_clear_is_refused_and_its_neighbours_are_taken() {
    let scene = scene();
    let table = "time,P-1.flow,P-2.flow\n1,\"1,021\",7\n2,980,8\n";
    let mut reader = open(&scene, table, &CsvOptions::default()).expect("a table");
    let expected = [r#"1 P-2/data {"flow":7.0}"#, r#"2 P-1/data {"flow":980.0}"#, r#"2 P-2/data {"flow":8.0}"#];
    assert_eq!(read(&mut reader), expected);
    assert_eq!((reader.rejected().rows, reader.rejected().parts), (0, 1));
    assert!(reader.rejected().told().contains("line 2: `1,021`"), "{}", reader.rejected().told());
    let options = CsvOptions { decimal: Some(Mark::Comma), ..CsvOptions::default() };
    let mut reader = open(&scene, table, &options).expect("a table");
    assert_eq!(read(&mut reader)[0], r#"1 P-1/data {"flow":1.021}"#);
}

#[test]
fn tables_that_were_put_together_are_one() {
    let scene = scene();
    let table = "time,P-1.flow\n1,1\n2,2\ntime,P-1.flow\n1,3\n3,4\n#group,a\n#default,b\ntime,P-2.flow\n4,5\n";
    let mut reader = open(&scene, table, &CsvOptions::default()).expect("a table");
    let flows: Vec<String> = read(&mut reader).iter().map(|line| line.replace("P-1/data ", "")).collect();
    assert_eq!(flows, [r#"1 {"flow":1.0}"#, r#"1 {"flow":3.0}"#, r#"2 {"flow":2.0}"#, r#"3 {"flow":4.0}"#]);
    assert!(reader.rejected().told().contains("another table"), "{}", reader.rejected().told());
}

#[test]
fn a_quote_that_is_not_closed_is_the_end_of_a_cut_table() {
    let scene = scene();
    let table = "time,P-1.flow,remark\n1,1,\"a\"\n2,2,\"b\"\n3,3,\"c\n";
    let mut reader = open(&scene, table, &CsvOptions::default()).expect("a table");
    assert_eq!(read(&mut reader).len(), 2);
    assert!(reader.rejected().told().starts_with("line 4: a quote"), "{}", reader.rejected().told());
}

#[test]
fn the_unit_of_a_time_is_that_of_its_column() {
    let scene = scene();
    let mut reader = open(&scene, "time [ms],P-1.flow\n0,1\n500,2\n", &CsvOptions::default()).expect("a table");
    assert_eq!(read(&mut reader)[1], r#"0.5 P-1/data {"flow":2.0}"#);
}

#[test]
fn whole_numbers_that_a_value_cannot_keep_are_told() {
    let scene = scene();
    let table = "time,P-1.flow\n1,9007199254740992\n2,9007199254740993\n";
    let mut reader = open(&scene, table, &CsvOptions::default()).expect("a table");
    read(&mut reader);
    assert_eq!((reader.counts.rounded, reader.counts.first_rounded), (1, Some((3, "9007199254740993".into()))));
}

mod permutations {
    use proptest::prelude::*;

    use super::*;

    /// Rows of few times, in any order; each has a value of its own.
    fn rows() -> impl Strategy<Value = (Vec<(u32, usize)>, Vec<usize>)> {
        prop::collection::vec((0_u32..40, 0_usize..3), 1..40).prop_flat_map(|rows| {
            let order: Vec<usize> = (0..rows.len()).collect();
            (Just(rows), Just(order).prop_shuffle())
        })
    }

    fn shuffled(rows: &[(u32, usize)], order: &[usize]) -> Vec<usize> {
        // Places of one time keep their order among themselves.
        let mut of_time: std::collections::BTreeMap<u32, std::collections::VecDeque<usize>> = Default::default();
        (0..rows.len()).for_each(|row| of_time.entry(rows[row].0).or_default().push_back(row));
        order.iter().filter_map(|row| of_time.get_mut(&rows[*row].0)?.pop_front()).collect()
    }

    fn imported(rows: &[(u32, usize)], order: impl Iterator<Item = usize>, is_long: bool) -> Vec<String> {
        const TAGS: [&str; 3] = ["P-1.flow", "P-1.temperature", "P-2.flow"];
        let mut table = if is_long { "time,tag,value\n".to_owned() } else { format!("time,{}\n", TAGS.join(",")) };
        for row in order {
            let (time, tag) = rows[row];
            let stamp = Timestamp(1_700_000_000_000_000_000 + i64::from(time) * 97_000_000_000);
            table += &match is_long {
                true => format!("{stamp},{},{row}\n", TAGS[tag]),
                false => format!("{stamp}{}{row}{}\n", ",".repeat(tag + 1), ",".repeat(2 - tag)),
            };
        }
        let scene = scene();
        let mut reader = open(&scene, &table, &CsvOptions::default()).expect("a table");
        read(&mut reader)
    }

    proptest! {
        #[test]
        fn any_order_of_rows_that_keeps_equal_times_gives_the_same(
            (rows, order) in rows(),
            is_long in any::<bool>(),
        ) {
            let mut sorted: Vec<usize> = (0..rows.len()).collect();
            sorted.sort_by_key(|row| rows[*row].0);
            let expected = imported(&rows, sorted.into_iter(), is_long);
            prop_assert_eq!(imported(&rows, shuffled(&rows, &order).into_iter(), is_long), expected);
        }
    }
}
