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
