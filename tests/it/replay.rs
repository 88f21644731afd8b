//! Recordings shown again: as they were seen, in any order, within any memory, without any connection.

pub mod run;
pub mod tape;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::prelude::*;
use pollux::alarm::{Action, AlarmBoard};
use pollux::analysis::Analysis;
use pollux::command::{
    AlarmCommand, AttentionCommand, JournalCommand, OperatorCommand, SceneCommand, StepBy, TimeCommand,
};
use pollux::event::EventLog;
use pollux::history::{Cursor, Extent, ViewTime};
use pollux::replay::{self, At, OpenError, Options};
use pollux::scene::LoadedScene;
use pollux::scene::rule::AlarmPath;
use pollux::source::Sources;
use pollux::state;
use pollux::value::Timestamp;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use run::{Run, record, record_in_two, seen};

fn open(options: Options) -> App {
    let mut app = App::new();
    replay::open(&mut app, Options { blocking: true, ..options }, Arc::new(|| {})).expect("a replay");
    app.finish();
    app.cleanup();
    app.update();
    app
}

fn seek(app: &mut App, at: Timestamp) -> serde_json::Value {
    app.world_mut().write_message(OperatorCommand::Time(TimeCommand::PauseAt(at)));
    app.update();
    seen(app)
}

/// The first place where two things differ, for people.
#[track_caller]
fn same(replayed: &serde_json::Value, live: &serde_json::Value, what: &str) {
    let lines = |value: &serde_json::Value| serde_json::to_string_pretty(value).unwrap();
    let (replayed, live) = (lines(replayed), lines(live));
    if replayed == live {
        return;
    }
    let at = replayed.lines().zip(live.lines()).position(|(a, b)| a != b).unwrap_or(0);
    let near = |text: &str| text.lines().skip(at.saturating_sub(12)).take(24).collect::<Vec<_>>().join("\n");
    panic!("{what}: line {at}\nreplayed:\n{}\nlive:\n{}", near(&replayed), near(&live));
}

fn in_random_order(run: &Run, seed: u64) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..100).map(|_| rng.random_range(0..run.seen.len())).collect()
}

#[test]
fn replay_equals_live_forwards_backwards_and_by_random_seeks() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..3 {
        let run = record(folder.path(), seed);
        assert!(run.seen.len() >= 48 && run.messages > 500 && run.keyframes > 15, "{} messages", run.messages);
        let forwards: Vec<usize> = (0..run.seen.len()).collect();
        let backwards: Vec<usize> = forwards.iter().rev().copied().collect();
        for (way, order) in
            [("forwards", forwards), ("backwards", backwards), ("anywhere", in_random_order(&run, seed))]
        {
            let mut app = open(Options::new([&run.file]));
            for which in order {
                let (at, live) = &run.seen[which];
                let replayed = seek(&mut app, *at);
                let secs = at.secs_since(run.start);
                same(&replayed, live, &format!("run {seed}, {way}, at {secs} s"));
            }
        }
    }
}

#[test]
fn a_small_memory_shows_the_same_and_is_not_exceeded() {
    let folder = tempfile::tempdir().unwrap();
    let run = record(folder.path(), 7);
    // What the signals take without any sample, and next to nothing beside it.
    for budget in [6_000, 12_000, 30_000, 200_000] {
        let options = Options { history_budget_bytes: budget, ..Options::new([&run.file]) };
        let mut app = open(options);
        for which in in_random_order(&run, budget) {
            let (at, live) = &run.seen[which];
            let replayed = seek(&mut app, *at);
            same(&replayed, live, &format!("{budget} bytes, at {} s", at.secs_since(run.start)));
            let usage = app.world().resource::<Analysis>().lock().history.usage();
            assert!(usage.bytes <= usage.budget_bytes, "{usage:?}");
        }
    }
}

/// Where the cursor stands after each step by a sample of `signal`, to one end of the recording.
fn steps(app: &mut App, (twin, signal): (&str, &str), forward: bool) -> Vec<Timestamp> {
    let cursor = |app: &App| app.world().resource::<Cursor>().shown(Timestamp::MAX);
    let signal = app.world().resource::<LoadedScene>().scene.signal(twin, signal).expect("a signal").index;
    let bounds = app.world().resource::<Extent>().bounds().expect("a recording");
    app.world_mut().write_message(OperatorCommand::Attention(AttentionCommand::ToggleTrend(signal)));
    seek(app, if forward { bounds.0 } else { bounds.1 });
    let mut stood = vec![cursor(app)];
    loop {
        app.world_mut().write_message(OperatorCommand::Time(TimeCommand::Step { by: StepBy::Sample, forward }));
        // A step that has to read goes on in the frames that follow.
        let mut moments = Vec::new();
        while moments.len() < 4 || moments[moments.len() - 3..].iter().any(|at| *at != cursor(app)) {
            assert!(moments.len() < 2_000, "it never ends");
            app.update();
            moments.push(cursor(app));
        }
        if stood.last() == Some(&cursor(app)) {
            app.world_mut().write_message(OperatorCommand::Attention(AttentionCommand::ToggleTrend(signal)));
            app.update();
            return stood;
        }
        stood.push(cursor(app));
    }
}

#[test]
fn steps_pass_no_sample_however_little_of_the_recording_fits_into_memory() {
    let folder = tempfile::tempdir().unwrap();
    let run = record(folder.path(), 9);
    let mut all = open(Options::new([&run.file]));
    let begun = Instant::now();
    while !replay::is_filled(&all) {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never ends");
        std::thread::sleep(Duration::from_millis(5));
        all.update();
    }
    let mut little = open(Options { history_budget_bytes: 60_000, ..Options::new([&run.file]) });
    for signal in [("P-1", "mode"), ("P-2", "flow")] {
        for forward in [true, false] {
            let (expected, stepped) = (steps(&mut all, signal, forward), steps(&mut little, signal, forward));
            println!("{signal:?}: {} steps", expected.len());
            assert!(expected.len() > 5, "{signal:?}: {expected:?}");
            assert_eq!(stepped, expected, "{signal:?}, forward: {forward}");
        }
    }
}

#[test]
fn the_files_of_a_series_are_one_recording_in_whatever_order_they_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let run = record_in_two(folder.path(), 16);
    let second = run.second.as_ref().expect("a second file");
    let mut app = open(Options::new([second, &run.file]));
    for which in in_random_order(&run, 16) {
        let (at, live) = &run.seen[which];
        let replayed = seek(&mut app, *at);
        same(&replayed, live, &format!("two files, at {} s", at.secs_since(run.start)));
    }
}

#[test]
fn a_file_of_another_program_is_shown_in_a_scene_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (file, scene) = (folder.path().join("foreign.mcap"), folder.path().join("scene.ron"));
    std::fs::write(&scene, run::SCENE).unwrap();
    let mut writer = mcap::Writer::new(std::io::BufWriter::new(std::fs::File::create(&file).unwrap())).unwrap();
    let channel = writer.add_channel(0, "hall/P-1/drive", "json", &Default::default()).unwrap();
    for second in 0..60_u32 {
        let log_time = u64::from(second) * 1_000_000_000;
        let header =
            mcap::records::MessageHeader { channel_id: channel, sequence: second, log_time, publish_time: log_time };
        let text = format!("{{\"torque\": {second}, \"speed\": 1000}}");
        writer.write_to_known_channel(&header, text.as_bytes()).unwrap();
    }
    writer.finish().unwrap();
    let mut bare = App::new();
    let error = replay::open(&mut bare, Options::new([&file]), Arc::new(|| {})).expect_err("no scene").to_string();
    assert!(error.contains("holds no scene") && error.ends_with("name the scene with --scene SCENE"), "{error}");
    let mut app = open(Options { scene: Some(scene), ..Options::new([&file]) });
    for second in [50, 3, 59] {
        let seen = seek(&mut app, Timestamp(second * 1_000_000_000 + 500_000_000));
        let signals = &seen["twins"]["P-1"]["signals"];
        assert_eq!(signals["torque"]["value"], second as f64);
        assert_eq!(signals["power"]["value"], second as f64 * 1000.0 / 9549.0, "derived as well");
    }
}

#[test]
fn played_at_any_speed_it_stops_at_both_ends() {
    let folder = tempfile::tempdir().unwrap();
    let run = record(folder.path(), 8);
    let ends = |speed: f64, at: u64| {
        let at = Some(At::After(Duration::from_secs(at)));
        let mut app = open(Options { at, speed: Some(speed), ..Options::new([&run.file]) });
        let begun = Instant::now();
        while matches!(app.world().resource::<Cursor>(), Cursor::Playing { .. }) {
            assert!(begun.elapsed() < Duration::from_secs(20), "it plays on");
            app.update();
            std::thread::sleep(Duration::from_millis(2));
        }
        app.update();
        let Cursor::Paused(at) = *app.world().resource::<Cursor>() else { panic!("it is live") };
        let extent = app.world().resource::<Extent>().bounds().expect("a recording");
        assert_eq!(app.world().resource::<ViewTime>().shown, at);
        (at, extent)
    };
    let (at, (_, end)) = ends(200.0, 3);
    assert_eq!(at, end);
    let (at, (start, _)) = ends(-200.0, 60);
    assert_eq!(at, start);
}

#[test]
fn going_live_in_a_recording_goes_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let run = record(folder.path(), 9);
    let mut app = open(Options::new([&run.file]));
    app.world_mut().write_message(OperatorCommand::Time(TimeCommand::GoLive));
    app.update();
    let moment = *app.world().resource::<ViewTime>();
    assert_eq!(*app.world().resource::<Cursor>(), Cursor::Paused(moment.now));
    assert_eq!(moment.shown, moment.now);
    let state = serde_json::to_value(state::of(app.world_mut())).unwrap();
    assert_eq!(state["cursor"]["mode"], "paused");
    assert_eq!(state["cursor"]["recording"]["end"], moment.now.to_string());
}

#[test]
fn nobody_acts_on_the_alarms_of_a_recording_and_nothing_is_found_anew() {
    let folder = tempfile::tempdir().unwrap();
    let run = record(folder.path(), 10);
    let mut app = open(Options::new([&run.file]));
    let (at, before) = run.seen.last().expect("a moment");
    seek(&mut app, *at);
    let scene = app.world().resource::<LoadedScene>().scene.clone();
    let alarms: Vec<AlarmPath> = scene.alarms.iter().map(|rule| AlarmPath::of_rule(rule, &scene)).collect();
    let one = alarms[0].clone();
    let shelve = Action::Shelve { lasting: None };
    app.world_mut().write_message(OperatorCommand::Alarm(AlarmCommand::Act {
        alarms,
        action: shelve.clone(),
        comment: "why".to_owned(),
    }));
    let events = app.world().resource::<EventLog>().events.len();
    (0..5).for_each(|_| app.update());
    same(&seen(&mut app), before, "after the refusal");
    assert_eq!(app.world().resource::<EventLog>().events.len(), events);
    assert!(app.world().resource::<AlarmBoard>().performance.is_some());
    let deed = pollux::alarm::Deed { by: "ada".to_owned(), at: *at, comment: "why".to_owned() };
    let mut knowledge = app.world().resource::<Analysis>().lock();
    let refused = knowledge.act(&[one], &shelve, &deed);
    let [(_, refusal)] = &refused[..] else { panic!("a refusal") };
    assert_eq!(
        refusal.to_string(),
        "this is a recording: its alarms were dealt with when it was made; act on those of the live session"
    );
}

#[test]
fn the_statistics_of_a_recording_are_those_of_the_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let run = record(folder.path(), 12);
    let mut app = open(Options::new([&run.file]));
    let whole = {
        let knowledge = app.world().resource::<Analysis>().lock();
        knowledge.chronicle().monitor().performance(app.world().resource::<ViewTime>().now, &[]).alarms
    };
    assert!(whole > 0);
    let mut counts = Vec::new();
    let (start, end) = app.world().resource::<Extent>().bounds().unwrap();
    for at in [end, start, Timestamp(start.0.midpoint(end.0)), end] {
        seek(&mut app, at);
        let performance = app.world().resource::<AlarmBoard>().performance.clone().unwrap();
        assert_eq!(performance.to, at);
        counts.push(performance.alarms);
    }
    assert!(counts[1] <= counts[2] && counts[2] <= counts[3], "{counts:?}");
    assert_eq!((counts[0], counts[1], counts[3]), (whole, 0, whole));
}

#[test]
fn a_replay_has_no_source_no_plant_and_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let run = record(folder.path(), 11);
    let mut app = open(Options::new([&run.file]));
    (0..3).for_each(|_| app.update());
    assert!(app.world().resource::<Sources>().running.is_empty());
    assert_eq!(pollux::session::embedded_url(&app), None);
    let knowledge = app.world().resource::<Analysis>().lock();
    assert!(knowledge.chronicle().store().is_none());
    assert!(knowledge.troubles().is_empty(), "{:?}", knowledge.troubles());
}

#[test]
fn notes_stand_beside_the_recording_and_show_from_their_moment_on() {
    let folder = tempfile::tempdir().unwrap();
    let run = record(folder.path(), 15);
    let bytes = std::fs::read(&run.file).unwrap();
    let mut app = open(Options::new([&run.file]));
    let at = run.start + Duration::from_secs(40);
    seek(&mut app, at);
    let note =
        OperatorCommand::Journal(JournalCommand::Note { text: "here it began".to_owned(), twin: None, at: None });
    app.world_mut().write_message(note);
    app.update();
    let scene = app.world().resource::<LoadedScene>().scene.clone();
    let alarm = AlarmPath::of_rule(&scene.alarms[0], &scene);
    let field = pollux::command::LimitField::Limit;
    app.world_mut().write_message(OperatorCommand::Scene(SceneCommand::EditLimit {
        alarm,
        field,
        value: 1.0,
        reason: String::new(),
    }));
    app.update();
    drop(app);
    assert_eq!(std::fs::read(&run.file).unwrap(), bytes, "the recording is as it was");
    let notes = std::fs::read_to_string(folder.path().join("hall.notes.jsonl")).unwrap();
    assert_eq!(notes.lines().count(), 1, "{notes}");

    let mut app = open(Options::new([&run.file]));
    let mut told = |at: Timestamp| seek(&mut app, at)["events"].to_string().contains("here it began");
    assert!(!told(at - Duration::from_millis(1)));
    assert!(told(at));
    assert!(told(at + Duration::from_secs(9)));
}

#[test]
fn the_scene_is_unpacked_for_as_long_as_it_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let run = record(folder.path(), 12);
    let app = open(Options::new([&run.file]));
    let scene = app.world().resource::<LoadedScene>().scene.clone();
    assert_eq!(std::fs::read_to_string(&scene.path).unwrap(), run::SCENE);
    drop(app);
    assert!(!scene.dir.exists(), "{}", scene.dir.display());
}

#[test]
fn trends_are_filled_around_the_cursor_while_nothing_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let run = record(folder.path(), 13);
    let mut app = open(Options::new([&run.file]));
    let begun = Instant::now();
    while !replay::is_filled(&app) {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never ends");
        app.update();
    }
    let knowledge = app.world().resource::<Analysis>().lock();
    let loaded: Vec<_> =
        run.samples.iter().map(|(signal, _)| (*signal, run::count(&knowledge.history, *signal))).collect();
    assert_eq!(loaded, run.samples, "all of it fits, and nothing is there twice");
}

#[test]
fn what_cannot_be_opened_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let run = record(folder.path(), 14);
    let error = |options: Options| {
        let mut app = App::new();
        let opened = replay::open(&mut app, options, Arc::new(|| {}));
        opened.expect_err("an error").to_string()
    };
    let missing = folder.path().join("missing.mcap");
    assert!(error(Options::new([&missing])).contains("cannot be opened"));
    let at = Some(At::After(Duration::from_secs(3600)));
    let outside = error(Options { at, ..Options::new([&run.file]) });
    assert!(outside.contains("is not within the recording, which is from 2026-01-31T12:00:00"), "{outside}");
    let bare = folder.path().join("bare.mcap");
    let mut writer = mcap::Writer::new(std::io::BufWriter::new(std::fs::File::create(&bare).unwrap())).unwrap();
    writer.finish().unwrap();
    let empty = error(Options::new([&bare]));
    assert!(empty.contains("there is nothing to show"), "{empty}");
    let scene = Some(folder.path().join("no.ron"));
    let mut app = App::new();
    let opened = replay::open(&mut app, Options { scene, ..Options::new([&run.file]) }, Arc::new(|| {}));
    assert!(matches!(opened, Err(OpenError::Scene(_))));
}

/// The program, with its messages in case it fails.
fn pollux(folder: &std::path::Path, args: &[&str]) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_pollux"))
        .env("XDG_STATE_HOME", folder)
        .env_remove("POLLUX_LOG")
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A signal's or an alarm's moment, in seconds before `end`.
fn age_secs(moment: &serde_json::Value, end: Timestamp) -> f64 {
    moment.as_str().and_then(Timestamp::parse_rfc3339).map_or(f64::INFINITY, |moment| end.secs_since(moment))
}

#[test]
fn what_the_program_has_recorded_of_the_bottling_hall_it_shows_as_it_ended() {
    /// What was received so shortly before the end may not have been learnt when the state was written.
    const UNDERWAY_SECS: f64 = 0.5;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (tape, live, replayed) = (path("hall.mcap"), path("live.json"), path("replayed.json"));
    let read =
        |file: &str| -> serde_json::Value { serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap() };
    let watch = ["live", "--plant", "--headless", "--no-store", "--for", "10s"];
    pollux(folder.path(), &[&watch[..], &["--record", &tape, "--state", &live]].concat());
    let live = read(&live);
    let at = live["cursor"]["at"].as_str().unwrap();
    pollux(folder.path(), &["play", &tape, "--headless", "--at", at, "--state", &replayed]);
    let replayed = read(&replayed);
    assert_eq!(replayed["troubles"], live["troubles"]);
    assert!(replayed["sources"].as_object().unwrap().is_empty());
    assert_eq!(replayed["cursor"]["mode"], "paused");

    let end = Timestamp::parse_rfc3339(at).unwrap();
    let underway = |moment: &serde_json::Value| age_secs(moment, end) < UNDERWAY_SECS;
    let (mut same, mut new) = (0, 0);
    for (id, twin) in live["twins"].as_object().unwrap() {
        let again = &replayed["twins"][id];
        for (name, signal) in twin["signals"].as_object().unwrap() {
            let shown = &again["signals"][name];
            // A derived signal has the receive time of the last of its inputs that were learnt together, and it is not on
            // record which were.
            let mut of_this_batch = signal.clone();
            if age_secs(&signal["receive_time"], end) - age_secs(&shown["receive_time"], end) < 1e-3 {
                of_this_batch["receive_time"] = shown["receive_time"].clone();
            }
            if &of_this_batch == shown {
                same += 1;
            } else {
                assert!(underway(&shown["receive_time"]), "{id}.{name}: {shown}, live {signal}");
                new += 1;
            }
        }
        let standing = |twin: &serde_json::Value| -> Vec<(String, String)> {
            let alarms = twin["alarms"].as_array().unwrap().iter().filter(|alarm| !underway(&alarm["since"]));
            alarms.map(|alarm| (alarm["rule"].to_string(), alarm["state"].to_string())).collect()
        };
        assert_eq!(standing(again), standing(twin), "{id}");
    }
    assert!(same > 3 * new, "{same} the same, {new} received since");
}
