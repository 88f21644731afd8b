//! A day of twenty twins against Debian's mosquitto, with violations that are known: what the journal must hold is
//! written down here line by line, worked out by hand. Once in one go, once with `kill -9` at noon.

use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use pollux::value::Timestamp;
use serde_json::Value;

use super::day_script::{AFTERNOON, EVENING, MORNING, NOON, clock, publish, say, scene, twins};
use super::program::{Program, wait_for};
use crate::support::Mosquitto;

/// One day: its broker, and where its record is kept.
struct Day {
    server: Mosquitto,
    folder: tempfile::TempDir,
}

impl Day {
    fn new() -> Option<Self> {
        Some(Self { server: Mosquitto::start()?, folder: tempfile::tempdir().unwrap() })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn watch(&self, store: &str) -> Program {
        let program = Program::live_with(&scene(&self.server.url()), |command| {
            command.args(["-v", "--for", "120s", "--events"]).arg(self.file("events.jsonl"));
            command.arg("--store").arg(self.file(store))
        });
        program.subscribed()
    }

    fn lines(&self) -> Vec<String> {
        events_of(&self.file("events.jsonl")).iter().map(line).collect()
    }

    /// Waits until the events file has `count` lines with `part`.
    fn has(&self, part: &str, count: usize) {
        let look = || (self.lines().iter().filter(|line| line.contains(part)).count() >= count).then_some(());
        wait_for(look, || format!("no `{part}`:\n{}", self.lines().join("\n")));
    }

    fn morning(&self) {
        for (twin, _, says) in twins() {
            say(&self.server, "06:00:00", &twin, says);
        }
        publish(&self.server, MORNING);
        // Known, and durable: the worst value came after the last transition.
        self.has("12:12:00 P-06/vibration.high raised", 1);
        let store = || std::fs::read_to_string(self.file("day.store")).unwrap_or_default();
        wait_for(|| store().contains(r#""worst":6.9"#).then_some(()), store);
    }

    /// The rest of the day, with a broker that is killed in the afternoon.
    fn rest(&mut self, program: &Program) {
        publish(&self.server, NOON);
        self.has("12:30:02 M-04/speed.high raised", 1);
        publish(&self.server, AFTERNOON);
        self.has("16:01:00 P-03/flow.low raised", 1);
        let subscribed = || program.heard().matches("subscribed to").count();
        let before = subscribed();
        self.server.kill();
        self.has("broker plant/connection raised", 1);
        self.server.restart();
        self.has("broker plant/connection cleared", 1);
        wait_for(|| (subscribed() > before).then_some(()), || program.heard());
        publish(&self.server, EVENING);
        self.has("23:59:00 M-03/mode.fault raised", 1);
    }
}

fn events_of(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    // The last line may be half written.
    text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(parse).collect()
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn number(value: &Value) -> String {
    value.as_f64().map_or_else(|| "-".to_owned(), |x| format!("{}", (x * 1e5).round() / 1e5))
}

/// What a script determines: no receive times, and times of connections and floods are such.
fn line(event: &Value) -> String {
    let time = clock(text(&event["time"]));
    let [twin, broker, kind, alarm] = ["twin", "broker", "kind", "alarm"].map(|name| text(&event[name]));
    match kind {
        "alarm" => {
            let (subject, time) =
                if broker.is_empty() { (twin.to_owned(), time) } else { (format!("broker {broker}"), "-") };
            let [cause, from, to, priority, message, unit] =
                ["cause", "from", "to", "priority", "message", "unit"].map(|name| text(&event[name]));
            let (value, worst) = (number(&event["value"]), number(&event["worst"]));
            format!(
                "{time} {subject}/{alarm} {cause} {from} > {to} [{priority}] {value} worst {worst} {unit}: {message}"
            )
        }
        "flood" => {
            format!("- flood began {} alarms {} first {}", event["began"], event["alarms"], text(&event["first"]))
        }
        "connection" => format!("- connection {broker} {}", text(&event["state"])),
        "birth" => format!("{time} {twin} birth"),
        "gap" => "- gap".to_owned(),
        other => format!("{other} {event}"),
    }
}

fn assert_consecutive(events: &[Value]) {
    let ids: Vec<u64> = events.iter().filter_map(|event| event["id"].as_u64()).collect();
    assert_eq!(ids, (1..=events.len() as u64).collect::<Vec<_>>());
}

/// The alarms of twins that have something to tell.
fn standing(state: &Value) -> String {
    let twins = state["twins"].as_object().unwrap().iter();
    let alarms = twins.flat_map(|(id, twin)| twin["alarms"].as_array().unwrap().iter().map(move |alarm| (id, alarm)));
    alarms
        .map(|(id, alarm)| {
            let [rule, state] = ["rule", "state"].map(|name| text(&alarm[name]));
            let since = clock(text(&alarm["since"]));
            let [trigger, worst] = ["trigger", "worst"].map(|name| number(&alarm[name]));
            let suppressed = if alarm["suppressed"] == true { " suppressed" } else { "" };
            let times = &alarm["activations"];
            assert_eq!(alarm["acknowledged_by"], Value::Null, "nobody was there: {alarm}");
            format!("{id}/{rule} {state} since {since}, from {trigger} to {worst}, {times} times{suppressed}\n")
        })
        .collect()
}

fn at_noon() -> Expect {
    expect![[r#"
        M-01/mode.fault unacknowledged since 12:00:00, from - to -, 1 times
        P-01/vibration.high returned_unacknowledged since 07:15:00, from 5.2 to 5.2, 1 times
        P-02/vibration.high_high latched_unacknowledged since 07:31:00, from 7.5 to 7.5, 1 times
        P-03/flow.low returned_unacknowledged since 08:20:00, from 0 to 0, 1 times
        P-04/flow.low returned_unacknowledged since 08:55:00, from 3 to 3, 1 times
        P-06/vibration.high unacknowledged since 12:12:00, from 5.5 to 6.9, 1 times
        T-01/pressure.unsteady returned_unacknowledged since 09:25:00, from 6.2 to 6.2, 1 times
        T-02/level.falling returned_unacknowledged since 10:25:00, from -0.01333 to -0.01333, 1 times
        T-03/level.broken returned_unacknowledged since 10:50:00, from - to -, 1 times
        V-01/position.off_command returned_unacknowledged since 11:46:00, from 40 to 40, 1 times
    "#]]
}

fn at_midnight() -> Expect {
    expect![[r#"
        M-01/mode.fault returned_unacknowledged since 13:30:00, from - to -, 1 times
        M-02/overload returned_unacknowledged since 14:00:00, from - to -, 1 times
        M-03/mode.fault unacknowledged since 23:59:00, from - to -, 1 times
        M-04/speed.high unacknowledged since 12:30:02, from 250 to 250, 1 times
        P-01/vibration.high unacknowledged since 14:22:00, from 4.8 to 4.9, 2 times
        P-02/vibration.high_high latched_unacknowledged since 07:31:00, from 7.5 to 7.5, 1 times
        P-03/flow.low unacknowledged since 16:01:00, from 0 to 0, 2 times suppressed
        P-04/flow.low returned_unacknowledged since 08:55:00, from 3 to 3, 1 times
        P-06/vibration.high returned_unacknowledged since 13:15:00, from 5.5 to 6.9, 1 times
        P-07/vibration.high unacknowledged since 17:02:00, from 8 to 8.5, 1 times
        P-07/vibration.high_high unacknowledged since 17:00:00, from 8 to 8.5, 1 times
        T-01/pressure.unsteady unacknowledged since 15:34:00, from 7 to 7, 2 times
        T-02/level.falling unacknowledged since 15:15:00, from -0.01667 to -0.01667, 2 times
        T-03/level.broken returned_unacknowledged since 10:50:00, from - to -, 1 times
        T-04/level.broken unacknowledged since 15:40:00, from - to -, 1 times
        V-01/position.off_command returned_unacknowledged since 11:46:00, from 40 to 40, 1 times
        V-02/position.off_command unacknowledged since 14:11:00, from -40 to -40, 1 times
    "#]]
}

/// The day after the births of all twins at 06:00.
fn the_day() -> Expect {
    expect![[r#"
        06:42:00 P-01/vibration.high raised normal > unacknowledged [medium] 5.2 worst - mm/s: vibration above 4.5 mm/s (high)
        07:15:00 P-01/vibration.high cleared unacknowledged > returned_unacknowledged [medium] 3.5 worst 5.2 mm/s: vibration above 4.5 mm/s (high)
        07:30:00 P-02/vibration.high_high raised normal > unacknowledged [high] 7.5 worst - mm/s: vibration above 7.1 mm/s (high high)
        07:31:00 P-02/vibration.high_high cleared unacknowledged > latched_unacknowledged [high] 4 worst 7.5 mm/s: vibration above 7.1 mm/s (high high)
        08:00:00 P-03/flow.low suppressed normal > normal [medium] 12 worst - m3/h: flow below 5 m³/h (low)
        08:01:00 P-03/flow.low raised normal > unacknowledged [medium] 0 worst - m3/h: flow below 5 m³/h (low)
        08:20:00 P-03/flow.low unsuppressed unacknowledged > unacknowledged [medium] 0 worst - m3/h: flow below 5 m³/h (low)
        08:20:00 P-03/flow.low cleared unacknowledged > returned_unacknowledged [medium] 12 worst 0 m3/h: flow below 5 m³/h (low)
        08:31:00 P-04/flow.low raised normal > unacknowledged [medium] 3 worst - m3/h: flow below 5 m³/h (low)
        08:55:00 P-04/flow.low cleared unacknowledged > returned_unacknowledged [medium] 6 worst 3 m3/h: flow below 5 m³/h (low)
        09:15:00 T-01/pressure.unsteady raised normal > unacknowledged [medium] 6.2 worst - bar: pressure above 6 bar (unsteady)
        09:25:00 T-01/pressure.unsteady cleared unacknowledged > returned_unacknowledged [medium] 5 worst 6.2 bar: pressure above 6 bar (unsteady)
        10:15:00 T-02/level.falling raised normal > unacknowledged [medium] -0.01333 worst - %/s: level falls by more than 0.5 % per min over 10 min
        10:25:00 T-02/level.falling cleared unacknowledged > returned_unacknowledged [medium] 0 worst -0.01333 %/s: level falls by more than 0.5 % per min over 10 min
        10:30:00 T-03/level.broken raised normal > unacknowledged [low] - worst - %: level cannot be used (broken)
        10:50:00 T-03/level.broken cleared unacknowledged > returned_unacknowledged [low] 79 worst - %: level cannot be used (broken)
        11:41:00 V-01/position.off_command raised normal > unacknowledged [low] 40 worst - %: position differs from command by more than 12 % (off command)
        11:46:00 V-01/position.off_command cleared unacknowledged > returned_unacknowledged [low] 5 worst 40 %: position differs from command by more than 12 % (off command)
        12:00:00 M-01/mode.fault raised normal > unacknowledged [high] - worst - : mode is Fault or EStop
        12:12:00 P-06/vibration.high raised normal > unacknowledged [medium] 5.5 worst - mm/s: vibration above 4.5 mm/s (high)
        12:30:02 M-04/speed.high raised normal > unacknowledged [medium] 250 worst - 1/min: speed above 200 1/min (high)
        - flood began true alarms 11 first P-01/vibration.high
        13:15:00 P-06/vibration.high cleared unacknowledged > returned_unacknowledged [medium] 3 worst 6.9 mm/s: vibration above 4.5 mm/s (high)
        13:30:00 M-01/mode.fault cleared unacknowledged > returned_unacknowledged [high] - worst - : mode is Fault or EStop
        13:45:00 M-02/overload raised normal > unacknowledged [critical] - worst - : overload: speed > 100 && temperature > 80
        14:00:00 M-02/overload cleared unacknowledged > returned_unacknowledged [critical] - worst - : overload: speed > 100 && temperature > 80
        14:11:00 V-02/position.off_command raised normal > unacknowledged [low] -40 worst - %: position differs from command by more than 12 % (off command)
        14:22:00 P-01/vibration.high raised returned_unacknowledged > unacknowledged [medium] 4.8 worst - mm/s: vibration above 4.5 mm/s (high)
        15:15:00 T-02/level.falling raised returned_unacknowledged > unacknowledged [medium] -0.01667 worst - %/s: level falls by more than 0.5 % per min over 10 min
        15:34:00 T-01/pressure.unsteady raised returned_unacknowledged > unacknowledged [medium] 7 worst - bar: pressure above 6 bar (unsteady)
        15:40:00 T-04/level.broken raised normal > unacknowledged [low] - worst - %: level cannot be used (broken)
        16:00:00 P-03/flow.low suppressed returned_unacknowledged > returned_unacknowledged [medium] 12 worst - m3/h: flow below 5 m³/h (low)
        16:01:00 P-03/flow.low raised returned_unacknowledged > unacknowledged [medium] 0 worst - m3/h: flow below 5 m³/h (low)
        - connection plant lost
        - broker plant/connection raised normal > unacknowledged [high] - worst - : no connection to the broker plant
        - connection plant connected
        - broker plant/connection cleared unacknowledged > returned_unacknowledged [high] - worst - : no connection to the broker plant
        17:00:00 P-07/vibration.high_high raised normal > unacknowledged [high] 8 worst - mm/s: vibration above 7.1 mm/s (high high)
        17:02:00 P-07/vibration.high raised normal > unacknowledged [medium] 8 worst - mm/s: vibration above 4.5 mm/s (high)
        23:59:00 M-03/mode.fault raised normal > unacknowledged [high] - worst - : mode is Fault or EStop
    "#]]
}

/// The connection, then all twins in the order in which they spoke.
fn beginning() -> Vec<String> {
    let births = twins().map(|(twin, ..)| format!("06:00:00 {twin} birth"));
    std::iter::once("- connection plant connected".to_owned()).chain(births).collect()
}

fn assert_is_the_day(lines: &[String]) {
    let (begun, day) = lines.split_at(beginning().len().min(lines.len()));
    assert_eq!(begun, beginning());
    the_day().assert_eq(&(day.join("\n") + "\n"));
}

#[test]
fn a_day_of_twenty_twins_is_on_record_line_by_line() {
    let Some(mut day) = Day::new() else { return };
    let program = day.watch("day.store");
    day.morning();
    day.rest(&program);
    let state = program.stop().state();
    let events = events_of(&day.file("events.jsonl"));
    assert_consecutive(&events);
    assert_is_the_day(&events.iter().map(line).collect::<Vec<_>>());
    // The state has the same, in the order of time.
    let told = state["events"].as_array().unwrap();
    let moment = |event: &Value| Timestamp::parse_rfc3339(text(&event["time"])).unwrap();
    assert!(told.is_sorted_by_key(moment), "in the order of time");
    let mut told = told.clone();
    told.sort_by_key(|event| event["id"].as_u64());
    assert_eq!(told, events);
    at_midnight().assert_eq(&standing(&state));
    assert_eq!(state["history"]["out_of_order"], 2, "late samples are kept, and counted");
    assert_eq!(state["troubles"], serde_json::json!([]));
    let source = &state["sources"]["plant"];
    assert_eq!(source["alarms"][0]["state"], "returned_unacknowledged", "{source}");
    let counters = ["decode_errors", "clock_problems", "dropped", "coalesced", "unknown_topics"];
    assert_eq!(counters.map(|name| source[name].as_u64()), [2, 0, 0, 0, 0].map(Some), "{source}");
}

#[test]
fn the_same_day_with_a_kill_at_noon_is_the_same_but_for_a_note_about_the_gap() {
    let Some(mut day) = Day::new() else { return };
    let program = day.watch("day.store");
    day.morning();
    program.kill();
    // Nobody publishes while nobody watches. What was left is looked at in a copy: a run of its own would leave a mark.
    std::fs::copy(day.file("day.store"), day.file("copy.store")).unwrap();
    let before = day.lines();
    let look = Program::live_with(&scene(&day.server.url()), |command| {
        command.args(["-v", "--for", "60s", "--store"]).arg(day.file("copy.store"))
    });
    at_noon().assert_eq(&standing(&look.subscribed().stop().state()));

    let program = day.watch("day.store");
    day.rest(&program);
    let state = program.stop().state();
    let events = events_of(&day.file("events.jsonl"));
    assert_consecutive(&events);
    let mut lines: Vec<String> = events.iter().map(line).collect();
    assert_eq!(lines[..before.len()], before, "what was on record stays");
    // All that a restart adds: the gap, the new connection, and that each twin is heard of for the first time again.
    let after = lines.split_off(before.len());
    let (added, after): (Vec<_>, Vec<_>) =
        after.into_iter().enumerate().partition(|(at, line)| *at < 2 || line.ends_with(" birth"));
    expect![[r#"
        - gap
        - connection plant connected
        12:30:00 M-04 birth
        13:00:00 P-06 birth
        13:30:00 M-01 birth
        13:40:00 M-02 birth
        14:10:00 V-02 birth
        14:20:00 P-01 birth
        14:30:00 P-02 birth
        15:00:00 T-02 birth
        15:30:00 T-01 birth
        15:40:00 T-04 birth
        16:00:00 P-03 birth
        17:00:00 P-07 birth
        23:59:00 M-03 birth
    "#]]
    .assert_eq(&added.iter().map(|(_, line)| format!("{line}\n")).collect::<String>());
    lines.extend(after.into_iter().map(|(_, line)| line));
    assert_is_the_day(&lines);
    at_midnight().assert_eq(&standing(&state));
    let mut told = state["events"].as_array().unwrap().clone();
    told.sort_by_key(|event| event["id"].as_u64());
    assert_eq!(told, events, "the store has given back what the first run had on record");
}
