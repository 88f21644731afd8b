//! Recording that an operator begins and stops in a running session, as the window's buttons do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::prelude::*;
use pollux::command::{OperatorCommand, RecordingCommand};
use pollux::record::{RecordState, Recording};
use pollux::session::{self, Options, StorePlace};

use super::reading::check_whole;

/// Frames until `done`.
fn frames(app: &mut App, what: &str, mut done: impl FnMut(&App) -> bool) {
    let begun = Instant::now();
    while !done(app) {
        assert!(begun.elapsed() < Duration::from_secs(30), "no {what}");
        app.update();
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn recording(app: &App) -> &Recording {
    app.world().resource::<Recording>()
}

#[test]
fn a_recording_begun_in_the_middle_of_a_session_holds_what_was_known_and_who_began_and_ended_it() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        plant: true,
        watch: false,
        store: StorePlace::Nowhere,
        operator: "ada".into(),
        ..Options::new(super::BOTTLING)
    };
    let mut app = App::new();
    session::open(&mut app, options, Arc::new(|| {})).unwrap();
    app.finish();
    app.cleanup();
    let heard = |app: &App| app.world().resource::<pollux::analysis::Analysis>().lock().samples();
    frames(&mut app, "samples", |app| heard(app) > 200);
    assert!(recording(&app).is_possible && recording(&app).status().is_none());

    // A folder that is not there is refused with a reason, and nothing is recorded.
    let nowhere = folder.path().join("gone").join("a.mcap");
    app.world_mut().write_message(OperatorCommand::Recording(RecordingCommand::Start { path: Some(nowhere) }));
    frames(&mut app, "refusal", |app| recording(app).refused.is_some());
    assert!(recording(&app).refused.as_ref().is_some_and(|why| why.ends_with("choose another place")));
    assert!(recording(&app).status().is_none());

    // A folder gets a file of a usual name.
    app.world_mut()
        .write_message(OperatorCommand::Recording(RecordingCommand::Start { path: Some(folder.path().to_owned()) }));
    frames(&mut app, "recording", |app| {
        recording(app).status().is_some_and(|status| status.state == RecordState::Recording && status.messages > 100)
    });
    assert_eq!(recording(&app).refused, None);
    let status = recording(&app).status().unwrap();
    let file = status.file.clone().unwrap();
    assert!(status.file_name().starts_with("Bottling") && status.file_name().ends_with("Z.mcap"), "{status:?}");
    app.world_mut().write_message(OperatorCommand::Recording(RecordingCommand::Stop));
    frames(&mut app, "end", |app| recording(app).finished.is_some());
    assert!(recording(&app).status().is_none());
    let finished = recording(&app).finished.clone().unwrap();
    assert_eq!((finished.state, finished.dropped, finished.lost), (RecordState::Ended, 0, 0));

    let read = check_whole(&file);
    assert_eq!(read.messages.len() as u64, finished.messages);
    let keyframe = &read.keyframes[0];
    assert!(!keyframe.signals.is_empty(), "it begins with what was known");
    let first = read.messages.iter().map(|message| message.log_time).min().unwrap();
    assert!(keyframe.time.0 as u64 >= first.saturating_sub(1_000_000_000), "as of when it began");
    let told: Vec<(Option<&str>, String)> =
        read.events.iter().map(|event| (event.by.as_deref(), event.summary())).collect();
    for what in ["recording begins", "recording ends"] {
        assert!(told.iter().any(|(by, text)| *by == Some("ada") && text.contains(what)), "{what}: {told:?}");
    }

    // Once more, and the end of the session finishes the file.
    let again = folder.path().join("again.mcap");
    app.world_mut().write_message(OperatorCommand::Recording(RecordingCommand::Start { path: Some(again.clone()) }));
    frames(&mut app, "second recording", |app| recording(app).status().is_some_and(|status| status.messages > 20));
    drop(app);
    assert!(!check_whole(&again).keyframes[0].signals.is_empty());
}
