//! Tables that other programs wrote.

use super::{Case, Outcome, Samples, call, call_in, check, samples};

/// Imports `in.csv` of the folder; `args` are what is said beside it.
const fn import(name: &'static str, args: &'static str) -> Case {
    Case { name, args, code: 0, says: &[], never: &[], samples: vec![] }
}

const PLAIN: &str = "import csv in.csv --scene scene.ron -o out.mcap";

const fn flow(are: &'static [&'static str]) -> Samples {
    Samples { twin: "P-1", signal: "flow", are }
}

const fn of(signal: &'static str, are: &'static [&'static str]) -> Samples {
    Samples { twin: "P-1", signal, are }
}

#[test]
fn tables_of_other_programs_are_read_or_refused_with_a_way_out() {
    check(&[Case {
        says: &["2 messages, 4 samples"],
        samples: vec![flow(&["1970-01-01T00:01:40Z 7.5", "1970-01-01T00:01:41Z 8.25"])],
        ..import("csv01_decimal_comma", PLAIN)
    }]);
}

#[test]
fn numbers_are_read_as_their_whole_column_writes_them() {
    check(&[
        Case {
            samples: vec![flow(&[
                "1970-01-01T00:01:40Z 980",
                "1970-01-01T00:01:41Z 1021",
                "1970-01-01T00:01:42Z 1234.5",
                "1970-01-01T00:01:43Z 12345",
            ])],
            ..import("csv02_thousands", PLAIN)
        },
        Case {
            samples: vec![flow(&[
                "1970-01-01T00:01:40Z 12500",
                "1970-01-01T00:01:41Z 0.0003",
                "1970-01-01T00:01:42Z 5",
            ])],
            ..import("csv10_scientific", PLAIN)
        },
        Case {
            samples: vec![of(
                "running",
                &[
                    "1970-01-01T00:01:40Z true",
                    "1970-01-01T00:01:41Z false",
                    "1970-01-01T00:01:43Z true",
                    "1970-01-01T00:01:44Z false",
                    "1970-01-01T00:01:45Z true",
                ],
            )],
            ..import("csv29_bool_pandas", PLAIN)
        },
        Case {
            samples: vec![flow(&["1970-01-01T00:01:40Z 36"]), of("temperature", &["1970-01-01T00:01:41Z 100"])],
            ..import("csv30_unit_column", PLAIN)
        },
        Case {
            samples: vec![of(
                "mode",
                &[
                    "1970-01-01T00:01:40Z 17:03:22",
                    "1970-01-01T00:01:41Z 007",
                    "1970-01-01T00:01:42Z 1e5",
                    "1970-01-01T00:01:43Z TRUE",
                    "1970-01-01T00:01:44Z none",
                    "1970-01-01T00:01:45Z =SUM(A1)",
                    "1970-01-01T00:01:46Z -5",
                ],
            )],
            ..import("csv34_colon_text", PLAIN)
        },
    ]);
}

#[test]
fn the_text_and_the_header_are_found_in_every_writing() {
    const TWO: &[&str] = &["1970-01-01T00:01:40Z 7.5", "1970-01-01T00:01:41Z 8.5"];
    const ONE: &[&str] = &["1970-01-01T00:01:40Z 7.5"];
    check(&[
        Case { samples: vec![flow(TWO)], ..import("csv03_bom_quoted", PLAIN) },
        Case { says: &["UTF-16"], samples: vec![flow(ONE)], ..import("csv04_utf16", PLAIN) },
        Case {
            says: &["Latin-1"],
            samples: vec![of("temperature", &["1970-01-01T00:01:40Z 21.5"])],
            ..import("csv05_latin1", PLAIN)
        },
        Case {
            says: &["1 rows, the first in line 4, are not all UTF-8"],
            samples: vec![flow(&[
                "1970-01-01T00:01:40Z 1",
                "1970-01-01T00:01:41Z 2",
                "1970-01-01T00:01:42Z 3",
                "1970-01-01T00:01:43Z 4",
            ])],
            ..import("csv05b_latin1_row", PLAIN)
        },
        Case {
            samples: vec![of("mode", &["1970-01-01T00:01:40Z auto, remote\nline two", "1970-01-01T00:01:41Z manual"])],
            ..import("csv06_quoted_newline", PLAIN)
        },
        Case { samples: vec![flow(TWO)], ..import("csv07_header_comma_semicolon", PLAIN) },
        Case {
            samples: vec![flow(&["1970-01-01T00:01:41Z 5", "1970-01-01T00:01:42Z 6"])],
            ..import("csv09_first_row_empty", PLAIN)
        },
        Case { samples: vec![flow(ONE)], ..import("csv11_sep_line", PLAIN) },
        Case { says: &["the header is line 4"], samples: vec![flow(ONE)], ..import("csv12_preamble", PLAIN) },
        Case {
            samples: vec![flow(&["2026-01-31T12:00:00Z 7.5", "2026-01-31T12:00:10Z 8.5"])],
            ..import("csv13_influx_annotated", PLAIN)
        },
        Case { samples: vec![flow(&["2026-01-31T12:00:00Z 7.5"])], ..import("csv13b_influx_plain", PLAIN) },
        Case {
            samples: vec![flow(&["1970-01-01T00:01:40Z 1", "1970-01-01T00:01:41Z 2", "1970-01-01T00:01:42Z 3"])],
            ..import("csv37_cr_only", PLAIN)
        },
        Case { samples: vec![flow(ONE)], ..import("csv38_semicolon_one_comma", PLAIN) },
    ]);
}

#[test]
fn every_value_keeps_its_own_time_whatever_the_order_of_rows() {
    const FIVE: &[&str] = &[
        "2026-01-31T12:00:00Z 1",
        "2026-01-31T12:00:01Z 2",
        "2026-01-31T12:00:02Z 3",
        "2026-01-31T12:00:03Z 4",
        "2026-01-31T12:00:04Z 5",
    ];
    check(&[
        Case {
            samples: vec![flow(&[
                "1970-01-01T00:01:40Z 1",
                "1970-01-01T00:01:40Z 2",
                "1970-01-01T00:01:40Z 3",
                "1970-01-01T00:01:41Z 4",
            ])],
            ..import("csv14_dup_time_wide", PLAIN)
        },
        Case {
            samples: vec![flow(&[
                "1970-01-01T00:01:40Z 1",
                "1970-01-01T00:01:40Z 99",
                "1970-01-01T00:01:40Z 3",
                "1970-01-01T00:01:41Z 4",
            ])],
            ..import("csv15_dup_time_long", PLAIN)
        },
        Case { says: &["3 events"], ..import("csv15b_dup_time_long_alarm", PLAIN) },
        Case {
            says: &["the newest row stands first"],
            samples: vec![flow(FIVE)],
            ..import("csv16_newest_first", PLAIN)
        },
        Case { samples: vec![flow(FIVE)], ..import("csv16b_newest_first_timefield", PLAIN) },
        Case { says: &["3 events"], ..import("csv16d_newest_first_alarm", PLAIN) },
        Case { says: &["3 events"], ..import("csv16e_newest_first_alarm_timefield", PLAIN) },
    ]);
}

#[test]
fn an_hour_that_comes_twice_needs_its_zone() {
    check(&[
        Case {
            code: 2,
            says: &["in.csv:4:", "summer time", "--zone Europe/Berlin"],
            ..import("csv18_dst_overlap", PLAIN)
        },
        Case {
            samples: vec![flow(&[
                "2026-10-25T02:00:00Z 3",
                "2026-10-25T02:20:00Z 4",
                "2026-10-25T02:30:00Z 1",
                "2026-10-25T02:40:00Z 5",
                "2026-10-25T02:59:59Z 2",
                "2026-10-25T03:00:00Z 6",
            ])],
            ..import("csv18_dst_overlap", "import csv in.csv --scene scene.ron -o out.mcap --zone UTC")
        },
        Case {
            code: 2,
            says: &["knows no such zone", "+02:00"],
            ..import("csv18_dst_overlap", "import csv in.csv --scene scene.ron -o out.mcap --zone Europe/Nowhere")
        },
    ]);
    // Where the system has no zones, offsets are all there is.
    if !std::path::Path::new("/usr/share/zoneinfo/Europe/Berlin").exists() {
        return;
    }
    check(&[Case {
        samples: vec![flow(&[
            "2026-10-25T00:30:00Z 1",
            "2026-10-25T00:59:59Z 2",
            "2026-10-25T01:00:00Z 3",
            "2026-10-25T01:20:00Z 4",
            "2026-10-25T01:40:00Z 5",
            "2026-10-25T02:00:00Z 6",
        ])],
        ..import("csv18_dst_overlap", "import csv in.csv --scene scene.ron -o out.mcap --zone Europe/Berlin")
    }]);
}

#[test]
fn times_are_never_taken_for_others() {
    check(&[
        Case {
            samples: vec![flow(&["2026-01-31T10:30:25Z 7.5", "2026-01-31T10:30:26Z 8.5"])],
            ..import("csv17_date_and_time", PLAIN)
        },
        Case { code: 2, says: &["line 2", "day from month", "--time-format"], ..import("csv19_day_first", PLAIN) },
        Case {
            samples: vec![flow(&["2026-04-03T10:00:00Z 1", "2026-04-15T10:00:00Z 2"])],
            ..import(
                "csv19_day_first",
                "import csv in.csv --scene scene.ron -o out.mcap --time-format %d/%m/%Y%n%H:%M:%S",
            )
        },
        Case { code: 2, says: &["--time-format"], ..import("csv19b_german_date", PLAIN) },
        Case {
            samples: vec![flow(&["2026-01-31T11:00:00Z 2", "2026-01-31T14:00:00Z 1"])],
            ..import("csv20_ampm", PLAIN)
        },
        Case {
            samples: vec![flow(&[
                "2023-09-12T15:27:05.580298Z 1",
                "2023-09-12T15:27:05.600298Z 2",
                "2023-09-12T15:27:05.6203Z 3",
            ])],
            ..import("csv21_epoch_fraction", PLAIN)
        },
        Case {
            samples: vec![flow(&["2022-03-31T12:55:11Z 1", "2022-03-31T12:55:11.5Z 2", "2022-03-31T12:55:12Z 3"])],
            ..import("csv22_ms", PLAIN)
        },
        Case {
            says: &["dates like 20260131"],
            samples: vec![flow(&["2026-01-31T00:00:00Z 1", "2026-02-01T00:00:00Z 2", "2026-02-02T00:00:00Z 3"])],
            ..import("csv23_compact_date", PLAIN)
        },
        Case {
            code: 2,
            says: &["days of a spreadsheet", "2026-01-31T12:00:00Z", "--time-format days"],
            ..import("csv23b_excel_serial", PLAIN)
        },
        Case {
            samples: vec![flow(&["2026-01-31T12:00:00Z 1", "2026-01-31T18:00:00Z 2", "2026-02-01T00:00:00Z 3"])],
            ..import("csv23b_excel_serial", "import csv in.csv --scene scene.ron -o out.mcap --time-format days")
        },
        Case {
            samples: vec![flow(&["2026-01-31T11:00:01Z 2", "2026-01-31T17:00:02Z 3"])],
            ..import("csv24_offset_slash", PLAIN)
        },
        Case {
            samples: vec![flow(&["2016-12-31T23:59:59Z 1", "2016-12-31T23:59:59Z 2", "2017-01-01T00:00:00Z 3"])],
            ..import("csv31_leap_second", PLAIN)
        },
        Case {
            samples: vec![flow(&[
                "1970-01-01T00:00:00Z 1",
                "1970-01-01T00:00:00.1Z 2",
                "1970-01-01T00:00:00.2Z 3",
                "1970-01-01T00:00:00.3Z 4",
                "1970-01-01T00:00:00.4Z 5",
            ])],
            ..import("csv32_relative_time", PLAIN)
        },
        Case {
            says: &["2 rows are not taken", "line 2", "before 1970", "out.rejected.csv"],
            samples: vec![flow(&["1970-01-01T00:00:00Z 3", "1970-01-01T00:00:00.1Z 4", "1970-01-01T00:00:00.2Z 5"])],
            ..import("csv32b_negative_time", PLAIN)
        },
        Case {
            says: &["beyond 2262", "line 5"],
            samples: vec![flow(&["2038-01-19T03:14:08Z 1", "2106-02-07T06:28:16Z 2", "2262-04-11T23:47:16Z 3"])],
            ..import("csv33_far_years", PLAIN)
        },
    ]);
}

#[test]
fn what_is_not_taken_is_told_with_its_line() {
    check(&[
        Case { code: 2, says: &["two columns", "P-1.flow"], ..import("csv08_dup_header", PLAIN) },
        Case {
            code: 2,
            says: &["line 2: it has 5 cells, and the header 3", "line 3"],
            ..import("csv25_ragged", PLAIN)
        },
        Case {
            says: &["1 rows are not taken: line 4: it has 2 cells, and the header 3"],
            samples: vec![flow(&["1970-01-01T00:01:40Z 21.5", "1970-01-01T00:01:41Z 21.6"])],
            ..import("csv25b_truncated_last", PLAIN)
        },
        Case { code: 2, says: &["no row below it"], ..import("csv26_header_only", PLAIN) },
        Case { code: 2, says: &["is empty"], ..import("csv26b_empty_file", PLAIN) },
        Case { says: &["payloads could not be decoded"], samples: vec![], ..import("csv28_missing_words", PLAIN) },
        Case { code: 2, says: &["spreadsheet", "save the sheet as CSV"], ..import("csv36_xlsx", PLAIN) },
        Case {
            says: &["2000 columns, such as `A0.x`, `A1.x`, `A2.x`, are not read"],
            never: &["A3.x"],
            samples: vec![flow(&["1970-01-01T00:01:40Z 7.5"])],
            ..import("csv27b_many_columns", PLAIN)
        },
    ]);
}

#[test]
fn nothing_is_left_where_no_row_was_read() {
    for name in ["csv19_day_first", "csv25_ragged", "csv26_header_only", "csv26b_empty_file", "csv36_xlsx"] {
        let Outcome { code, folder, .. } = call(name, &PLAIN.split(' ').collect::<Vec<_>>());
        let mut left: Vec<_> =
            std::fs::read_dir(folder.path()).expect("a folder").flatten().map(|one| one.file_name()).collect();
        left.retain(|name| name != ".state");
        left.sort();
        assert_eq!((code, left), (Some(2), vec!["in.csv".into(), "scene.ron".into()]), "{name}");
    }
}

#[test]
fn rejected_rows_import_once_they_are_mended() {
    let args: Vec<&str> = PLAIN.split(' ').collect();
    let Outcome { folder, .. } = call("csv25b_truncated_last", &args);
    let path = folder.path().join("out.rejected.csv");
    let rejected = std::fs::read_to_string(&path).expect("rejected rows");
    assert_eq!(
        rejected,
        "rejected_line,rejected_reason,time,P-1.flow,P-1.temperature\n4,\"it has 2 cells, and the header 3\",102,2\n"
    );
    std::fs::write(&path, rejected.replace(",102,2\n", ",102,21.7,50.3\n")).expect("a file");
    let again = ["import", "csv", "out.rejected.csv", "--scene", "scene.ron", "-o", "out.mcap", "--force"];
    let Outcome { code, said, folder } = call_in(folder, &again);
    assert_eq!((code, said.contains("not read")), (Some(0), false), "{said}");
    assert_eq!(samples(folder.path(), "P-1", "flow"), ["1970-01-01T00:01:42Z 21.7"]);
}

#[test]
fn what_pollux_exports_it_imports_to_the_same_samples() {
    let signals = ["flow", "mode", "running"];
    let Outcome { folder, .. } = call("csv39_roundtrip", &PLAIN.split(' ').collect::<Vec<_>>());
    let first = signals.map(|signal| samples(folder.path(), "P-1", signal));
    assert!(first.iter().all(|samples| samples.len() == 3), "{first:?}");
    assert_eq!(first[1][0], "1970-01-01T00:01:40Z -5");
    let mut folder = folder;
    for shape in ["long", "wide"] {
        let table = format!("{shape}.csv");
        let export = ["export", "out.mcap", "--to", "csv", "--shape", shape, "-o", &table];
        let Outcome { code, said, folder: there } = call_in(folder, &export);
        assert_eq!(code, Some(0), "{said}");
        let import = ["import", "csv", &table, "--scene", "scene.ron", "-o", "out.mcap", "--force"];
        let Outcome { code, said, folder: there } = call_in(there, &import);
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(signals.map(|signal| samples(there.path(), "P-1", signal)), first, "{shape}");
        folder = there;
    }
}

#[test]
fn rows_that_are_not_taken_go_into_the_recording_too() {
    let Outcome { code, said, folder } = call("csv25b_truncated_last", &PLAIN.split(' ').collect::<Vec<_>>());
    assert_eq!(code, Some(0), "{said}");
    let beside = std::fs::read(folder.path().join("out.rejected.csv")).unwrap();
    let recording = pollux::record::read::RecordingFile::open(&folder.path().join("out.mcap")).unwrap();
    assert_eq!(recording.attachment("import/rejected.csv").unwrap(), beside);
    assert!(String::from_utf8(beside).unwrap().contains("4,\"it has 2 cells, and the header 3\""));
}

#[cfg(unix)]
#[test]
fn an_import_that_is_told_to_end_leaves_nothing_behind_and_the_old_recording_as_it_was() {
    import_and_end("exec \"$0\" \"$@\"");
}

#[cfg(unix)]
#[test]
fn so_does_one_in_the_background_that_hears_no_interrupts() {
    import_and_end("trap '' INT; exec \"$0\" \"$@\"");
}

/// Imports in a program that a shell starts by a command line, and tells it to end.
#[cfg(unix)]
fn import_and_end(how: &str) {
    use std::io::Write;

    let Outcome { code, folder, .. } = call("csv25b_truncated_last", &PLAIN.split(' ').collect::<Vec<_>>());
    assert_eq!(code, Some(0));
    let before = std::fs::read(folder.path().join("out.mcap")).unwrap();
    // So many that it is never done before it is told to end.
    let mut table = std::io::BufWriter::new(std::fs::File::create(folder.path().join("in.csv")).unwrap());
    writeln!(table, "time,P-1.flow").unwrap();
    (0..2_000_000).for_each(|row| writeln!(table, "{},{}.5", 1_700_000_000 + row, row % 100).unwrap());
    table.into_inner().unwrap();
    let names = || {
        let entries = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        entries.map(|name| name.into_string().unwrap()).collect::<std::collections::BTreeSet<_>>()
    };
    let stood = names();
    let mut program = std::process::Command::new("sh")
        .args(["-c", how, env!("CARGO_BIN_EXE_pollux")])
        .args(["import", "csv", "in.csv", "--scene", "scene.ron", "-o", "out.mcap", "--force"])
        .current_dir(folder.path())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while names() == stood {
        assert_eq!(program.try_wait().unwrap(), None, "it ended before it began to write");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let told = std::process::Command::new("kill").args(["-TERM", &program.id().to_string()]).status().unwrap();
    assert!(told.success());
    let ended = program.wait().unwrap();
    assert_eq!(ended.code(), Some(130), "{ended}");
    assert_eq!(names(), stood);
    assert_eq!(std::fs::read(folder.path().join("out.mcap")).unwrap(), before);
}
