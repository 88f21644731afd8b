//! Several recordings beside one: each with its own alignment, name, look and share of the memory.

use super::*;

/// What is shown and two others: one of the same time of day, and `two`'s second, 1000 s later and in another unit.
fn three(folder: &Path) -> (PathBuf, PathBuf, PathBuf) {
    let (here, there) = two(folder);
    let same_day = folder.join("same-day.mcap");
    tape(&same_day, &scene("m3/h", ""), noon(), |second| second as f64, 40);
    (here, same_day, there)
}

fn recording(file: &Path, align: Option<Align>) -> RecordingOptions {
    RecordingOptions { files: vec![file.to_owned()], align, by_hand: Shift::NONE }
}

fn replay_at(here: &Path, secs: u64) -> App {
    let mut app = App::new();
    let at = Some(At::After(Duration::from_secs(secs)));
    let options = replay::Options { at, blocking: true, ..replay::Options::new([here]) };
    replay::open(&mut app, options, Arc::new(|| {})).expect("a replay");
    app
}

fn pause_at(app: &mut App, secs: u64) {
    let at = TimeCommand::PauseAt(noon() + Duration::from_secs(secs));
    app.world_mut().write_message(OperatorCommand::from(at));
}

fn with(mut app: App, recordings: Vec<RecordingOptions>, budget_bytes: u64) -> App {
    let here = "yesterday.mcap".to_owned();
    let options = layers::Options { recordings, here, budget_bytes, blocking: true };
    layers::open(&mut app, options, Arc::new(|| {})).expect("recordings beside it");
    app.finish();
    app.cleanup();
    app.update();
    app
}

/// Value and difference of the flow in each layer.
fn flows(app: &mut App) -> Vec<(String, f64, f64)> {
    let flow = seen(app)["twins"]["P-1"]["signals"]["flow"].take();
    let number = |value: &Value| (value.as_f64().unwrap_or(f64::NAN) * 1e6).round() / 1e6;
    let told = |layer: &Value| {
        let name = layer["layer"].as_str().expect("a name").to_owned();
        (name, number(&layer["value"]), number(&layer["difference"]))
    };
    flow["layers"].as_array().expect("a list").iter().map(told).collect()
}

#[test]
fn two_recordings_at_once_each_show_the_moment_of_their_own_alignment() {
    let folder = tempfile::tempdir().unwrap();
    let (here, same_day, there) = three(folder.path());
    let by_trip = Some(Align::Event("trip".into()));
    let mut app =
        with(replay_at(&here, 25), vec![recording(&same_day, Some(Align::Wall)), recording(&there, by_trip)], 64 << 20);
    let own = |value: f64, other: f64| {
        let of = |name: &str, value: f64| (name.to_owned(), value, value - 50.0);
        vec![of("same-day.mcap", value), of("today.mcap", other)]
    };
    // The trip was at second 30 here and at second 32 there.
    assert_eq!(flows(&mut app), own(25.0, 70.0));
    for (secs, other) in [(17, 50.0), (18, 70.0), (37, 70.0), (38, 50.0), (5, 50.0)] {
        pause_at(&mut app, secs);
        app.update();
        assert_eq!(flows(&mut app), own(secs as f64, other), "second {secs}");
    }
    let state = seen(&mut app);
    assert_eq!(state["beside"], Value::Null, "the key of a lone recording");
    let told = |key: &str| state["layers"].as_array().expect("a list").iter().map(|layer| layer[key].clone()).collect();
    let (names, kinds, by): (Vec<_>, Vec<_>, Vec<_>) = (told("name"), told("kind"), told("aligned_by"));
    assert_eq!(
        (names, by),
        (vec![json!("same-day.mcap"), json!("today.mcap")], vec![json!("wall"), json!("event:trip")])
    );
    assert_eq!(kinds, [json!("recording"), json!("recording")]);
    let mode = &state["twins"]["P-1"]["signals"]["mode"];
    assert_eq!(mode.get("layers"), None, "no layer has it");
}

#[test]
fn a_signal_that_one_layer_lacks_keeps_the_places_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let (here, same_day, there) = three(folder.path());
    // Shown is the one with a level; yesterday has none.
    let mut app = with(
        replay_at(&there, 25),
        vec![recording(&here, Some(Align::Start)), recording(&same_day, Some(Align::Start)), recording(&there, None)],
        64 << 20,
    );
    let level = seen(&mut app)["twins"]["P-1"]["signals"]["level"].take();
    let names: Vec<_> = level["layers"].as_array().expect("a list").iter().map(|layer| &layer["layer"]).collect();
    assert_eq!(names, [&json!("today.mcap")]);
}

#[test]
fn a_layer_that_comes_while_others_are_shown_is_written_and_one_that_goes_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (here, same_day, there) = three(folder.path());
    let start = Some(Align::Start);
    let mut app =
        with(replay_at(&here, 25), vec![recording(&same_day, start.clone()), recording(&there, start)], 64 << 20);
    assert_eq!(flows(&mut app).len(), 2);
    let first = app.world().resource::<Layers>().iter().next().map(|slot| slot.id).expect("a layer");
    let gone = app.world_mut().resource_mut::<Layers>().remove(first).expect("it was there");
    app.update();
    let near = |value: &Value| (value.as_f64().unwrap_or(f64::NAN) - 70.0).abs() < 1e-9;
    assert!(near(&flow_beside(&mut app)["value"]), "what is left is the lone recording");
    app.world_mut().resource_mut::<Layers>().add(gone);
    app.update();
    let names: Vec<String> = flows(&mut app).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["today.mcap", "same-day.mcap"]);
    let layers = app.world().resource::<Layers>();
    let looks: Vec<_> = layers.iter().map(|slot| slot.look).collect();
    assert_eq!(looks, [layers::PALETTE[1], layers::PALETTE[0]], "the one that stayed keeps its look");
}

#[test]
fn names_that_clash_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let [here, other] = ["mon", "tue"].map(|day| {
        std::fs::create_dir(folder.path().join(day)).unwrap();
        let file = folder.path().join(day).join("run.mcap");
        tape(&file, &scene("m3/h", ""), noon(), |_| 1.0, 30);
        file
    });
    let recordings = [&here, &other, &other].map(|file| recording(file, None));
    let app = with(replay_at(&here, 5), recordings.to_vec(), 64 << 20);
    let names: Vec<&str> = app.world().resource::<Layers>().iter().map(|slot| &*slot.name).collect();
    assert_eq!(names, ["mon/run.mcap", "tue/run.mcap", "tue/run.mcap (2)"].map(|name| name.to_owned()));
}

/// An hour of one message a second.
fn long(file: &Path) {
    let mut tape = Tape::new(file, &scene("m3/h", ""), noon());
    for second in 0..3_600 {
        let receive_time = noon() + Duration::from_secs(second);
        let payload = format!("{{\"flow\": {}, \"running\": true}}", (second as f64).sin());
        let payload = payload.as_bytes();
        tape.message(&Message { topic: "hall/P-1", payload, retained: false, qos: 0, receive_time });
    }
    tape.finish();
}

#[test]
fn all_layers_together_stay_within_one_budget_and_give_way_when_one_comes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.mcap");
    long(&file);
    let alone = with(replay_at(&file, 10), vec![recording(&file, None)], 64 << 20);
    let wanted = alone.world().resource::<Layers>().usage().bytes;
    // Enough for one of them, not for two.
    let budget = wanted * 2;
    let mut app = with(replay_at(&file, 10), vec![recording(&file, None)], budget);
    let usage = |app: &App| app.world().resource::<Layers>().usage();
    let shares = |app: &App| -> Vec<u64> {
        app.world().resource::<Layers>().iter().map(|slot| slot.layer.usage().budget_bytes).collect()
    };
    assert_eq!((shares(&app), usage(&app).bytes), (vec![budget], wanted));
    let spare = with(replay_at(&file, 10), [1, 2, 3].map(|_| recording(&file, None)).to_vec(), budget);
    assert_eq!(shares(&spare), [budget / 3; 3]);
    let more: Vec<_> = spare.world().resource::<Layers>().iter().map(|slot| slot.id).collect();
    let mut spare = spare;
    for id in more {
        let layer = spare.world_mut().resource_mut::<Layers>().remove(id).expect("it was there");
        app.world_mut().resource_mut::<Layers>().add(layer);
        // The ones before give way at once, and are shown all the same.
        for secs in [10, 1_800, 3_000, 20] {
            pause_at(&mut app, secs);
            app.update();
            let usage = usage(&app);
            assert!(usage.bytes <= budget && usage.budget_bytes <= budget, "{usage:?}, of {budget}");
            let flows = flows(&mut app);
            assert!(flows.iter().all(|(_, _, difference)| *difference == 0.0), "second {secs}: {flows:?}");
        }
    }
    assert_eq!(shares(&app), [budget / 4; 4]);
}

#[test]
fn the_program_takes_several_with_an_alignment_for_each() {
    let folder = tempfile::tempdir().unwrap();
    let (here, same_day, there) = three(folder.path());
    let file = folder.path().join("state.json");
    let play = ["play", text(&here), "--at", "25s", "--headless", "--state", text(&file)];
    let beside = ["--beside", text(&same_day), "--beside", text(&there)];
    let (code, _, said) =
        pollux(&[&play[..], &beside, &["--align", "wall", "--align", "event:trip", "--shift", "-1s"]].concat());
    assert_eq!(code, Some(0), "{said}");
    let state: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let told: Vec<_> = state["layers"].as_array().expect("a list").iter().map(|layer| &layer["shift_secs"]).collect();
    assert_eq!(told, [&json!(-1.0), &json!(1001.0)]);
    assert_eq!(state["history"]["budget_bytes"], 512 << 20, "what is shown keeps half of the memory");
    let (code, _, said) = pollux(&[&play[..], &beside, &["--shift", "1s", "--shift", "2s", "--shift", "3s"]].concat());
    assert!(code == Some(2) && said.contains("--shift is given 3 times and --beside 2 times"), "{said}");
    // The files of one series are one layer.
    let series = format!("{},{}", text(&same_day), text(&there));
    let (code, _, said) = pollux(&[&play[..], &["--beside", &series, "--align", "wall"]].concat());
    assert_eq!(code, Some(0), "{said}");
    let state: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(state["beside"]["name"], "same-day.mcap and 1 more");
}
