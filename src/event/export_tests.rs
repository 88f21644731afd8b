use super::*;
use crate::alarm::{Cause, State};
use crate::scene::rule::Priority;
use crate::value::Timestamp;
use expect_test::expect;

fn events() -> Vec<Event> {
    let kinds = [
        Kind::Alarm {
            alarm: "vibration.high".into(),
            broker: None,
            cause: Cause::Raised,
            from: State::Normal,
            to: State::Unacknowledged,
            priority: Priority::High,
            message: "vibration above 4.5 mm/s (high)".into(),
            value: Some(5.1),
            worst: None,
            unit: "mm/s".into(),
            origin: None,
        },
        Kind::Alarm {
            alarm: "connection".into(),
            broker: Some("plant".into()),
            cause: Cause::Shelved { until: Some(Timestamp(3_600_000_000_000)) },
            from: State::Unacknowledged,
            to: State::Unacknowledged,
            priority: Priority::Medium,
            message: "not connected".into(),
            value: None,
            worst: None,
            unit: String::new(),
            origin: None,
        },
        Kind::Gap { from: Timestamp(0), to: Timestamp(61_500_000_000) },
        Kind::Note { text: "oiled, \"well\"\nand good".into() },
        Kind::Flood { began: true, alarms: 11, first: "P-101/vibration.high".into() },
    ];
    let event = |(kind, id): (Kind, u64)| Event {
        id,
        time: Timestamp(id as i64 * 1_500_000_000),
        received: Timestamp(id as i64 * 2_000_000_000),
        twin: (id == 1).then(|| "P-101".to_owned()),
        by: (id == 2).then(|| "Ada, shift 2".to_owned()),
        comment: if id == 2 { "=cmd|' /C calc'!A0".to_owned() } else { String::new() },
        kind,
    };
    kinds.into_iter().zip(1..).map(event).collect()
}

#[test]
fn a_table_has_a_header_quotes_what_needs_it_and_no_field_is_a_formula() {
    let csv = csv(events());
    assert_eq!(csv.matches("\r\n").count(), 6);
    expect![[r#"
        id,time,received,kind,twin,broker,alarm,priority,action,from,to,value,worst,unit,by,comment,text
        1,1970-01-01T00:00:01.5Z,1970-01-01T00:00:02Z,alarm,P-101,,vibration.high,high,raised,normal,unacknowledged,5.1,,mm/s,,,vibration above 4.5 mm/s (high): raised at 5.1 mm/s
        2,1970-01-01T00:00:03Z,1970-01-01T00:00:04Z,alarm,,plant,connection,medium,shelved,unacknowledged,unacknowledged,,,,"Ada, shift 2","'=cmd|' /C calc'!A0","broker plant: not connected: shelved until 1970-01-01T01:00:00Z ""=cmd|' /C calc'!A0"""
        3,1970-01-01T00:00:04.5Z,1970-01-01T00:00:06Z,gap,,,,,gap,1970-01-01T00:00:00Z,1970-01-01T00:01:01.5Z,,,,,,not recording for 61.5s
        4,1970-01-01T00:00:06Z,1970-01-01T00:00:08Z,note,,,,,note,,,,,,,,"oiled, ""well"" and good"
        5,1970-01-01T00:00:07.5Z,1970-01-01T00:00:10Z,flood,,,,,alarm flood began,,,,,,,,"alarm flood began: 11 alarms, first P-101/vibration.high"
    "#]].assert_eq(&csv.replace("\r\n", "\n"));
}

#[test]
fn json_lines_come_back_as_the_events_they_were() {
    let text = json_lines(events());
    let back: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(back, events());
    expect![[r#"{"id":1,"time":"1970-01-01T00:00:01.5Z","received":"1970-01-01T00:00:02Z","twin":"P-101","kind":"alarm","alarm":"vibration.high","cause":"raised","from":"normal","to":"unacknowledged","priority":"high","message":"vibration above 4.5 mm/s (high)","value":5.1,"unit":"mm/s"}"#]].assert_eq(text.lines().next().unwrap_or_default());
}

#[test]
fn a_summary_reads_as_a_line_of_a_log() {
    let lines: Vec<String> = events().iter().map(Event::summary).collect();
    expect![[r#"
        vibration above 4.5 mm/s (high): raised at 5.1 mm/s
        broker plant: not connected: shelved until 1970-01-01T01:00:00Z "=cmd|' /C calc'!A0"
        not recording for 61.5s
        oiled, "well" and good
        alarm flood began: 11 alarms, first P-101/vibration.high"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn a_disk_that_is_full_is_an_error() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    assert_eq!(write_csv(events(), Full).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(write_json_lines(events(), Full).unwrap_err().kind(), io::ErrorKind::StorageFull);
}
