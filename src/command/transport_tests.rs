use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::command::{AttentionCommand, HandleCommands, JournalCommand, OperatorCommand, Remarks};
use crate::event::{Draft, Kind};
use crate::scene::LoadedScene;
use crate::schedule::TwinSet;
use crate::source::Batch;
use crate::value::{Origin, Quality, Sample, TwinIndex, Value};

const SCENE: &str = r#"
Scene(
    format: (1, 0),
    name: "Two pumps",
    types: {"Pump": (signals: {"flow": (unit: "m3/h", topic: "hall/{id}", json: "/flow")})},
    twins: [(id: "P-101", type: "Pump"), (id: "P-102", type: "Pump")],
)
"#;

/// A minute of a session, or of a recording.
struct Desk {
    app: App,
}

fn secs(at: f64) -> Timestamp {
    Timestamp((at * 1e9).round() as i64)
}

impl Desk {
    fn new(extent: Extent) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("scene.ron");
        std::fs::write(&file, SCENE).expect("a scene file");
        let scene = Arc::new(crate::scene::load(&file).scene.expect("a scene without issues"));
        let analysis = Analysis::new(scene.clone(), 1, 1 << 20, secs(0.0));
        let mut samples: Vec<Sample> = (0..=60).map(|at| sample(0, at as f64, at as f64 + 0.25)).collect();
        samples.push(sample(1, 20.5, 20.5));
        for sample in samples {
            analysis.lock().learn(Batch::of_message(1, vec![sample]));
        }
        for (at, known) in [(10.0, 10.25), (30.0, 30.0)] {
            analysis.lock().record(Draft::new(secs(at), secs(known), Kind::Birth));
        }
        let mut app = App::new();
        let rooms = (crate::source::plugin, crate::analysis::plugin, crate::history::plugin, crate::command::plugin);
        app.configure_sets(Update, (TwinSet::Command, TwinSet::Receive).chain())
            .add_plugins(rooms)
            .insert_resource(analysis)
            .insert_resource(LoadedScene { scene, generation: 1, issues: Vec::new() })
            .insert_resource(ViewTime { now: secs(60.25), shown: secs(60.25), session_start: secs(0.0) })
            .insert_resource(extent)
            .handle_commands(|In(command): In<JournalCommand>, remarks: Remarks| match command {
                JournalCommand::Note { text, twin, at } => remarks.write(Kind::Note { text }, twin, at),
                JournalCommand::Bookmark { text, twin, at } => remarks.write(Kind::Bookmark { text }, twin, at),
                JournalCommand::Export { .. } => {}
            });
        app.finish();
        app.cleanup();
        app.update();
        Self { app }
    }

    fn live() -> Self {
        Self::new(Extent::Live)
    }

    fn recorded() -> Self {
        let mut desk = Self::new(Extent::Recorded { start: secs(0.0), end: secs(60.25), density: Arc::default() });
        desk.stand(Cursor::Paused(secs(0.0)));
        desk
    }

    fn stand(&mut self, cursor: Cursor) {
        *self.app.world_mut().resource_mut::<Cursor>() = cursor;
    }

    fn does(&mut self, command: impl Into<OperatorCommand>) -> Cursor {
        self.app.world_mut().write_message(command.into());
        self.app.update();
        let cursor = *self.app.world().resource::<Cursor>();
        let moment = *self.app.world().resource::<ViewTime>();
        assert_eq!(moment.shown, cursor.shown(moment.now), "the frame shows where the cursor stands");
        cursor
    }

    fn steps(&mut self, by: StepBy, forward: bool, count: usize) -> Vec<f64> {
        let step = |_| self.does(TimeCommand::Step { by, forward }).shown(secs(60.25)).as_secs_f64();
        (0..count).map(step).collect()
    }
}

fn sample(signal: u32, source: f64, receive: f64) -> Sample {
    Sample {
        signal: SignalIndex(signal),
        source_time: secs(source),
        receive_time: secs(receive),
        value: Value::Number(source),
        quality: Quality::GOOD,
        origin: Origin::Measured,
    }
}

fn playing(at: f64, speed: f64) -> Cursor {
    Cursor::Playing { at: secs(at), speed }
}

#[test]
fn going_elsewhere_keeps_a_pause_and_keeps_playing() {
    let mut desk = Desk::live();
    assert_eq!(desk.does(TimeCommand::Seek(secs(12.0))), Cursor::Paused(secs(12.0)), "from live");
    assert_eq!(desk.does(TimeCommand::Seek(secs(15.0))), Cursor::Paused(secs(15.0)));
    desk.stand(playing(15.0, 2.0));
    assert_eq!(desk.does(TimeCommand::Seek(secs(40.0))), playing(40.0, 2.0));
    assert_eq!(desk.does(TimeCommand::Pause), Cursor::Paused(secs(40.0)));
}

#[test]
fn the_end_is_live_and_in_a_recording_the_end() {
    let mut live = Desk::live();
    live.stand(Cursor::Paused(secs(5.0)));
    assert_eq!(live.does(TimeCommand::GoLive), Cursor::Live);
    let mut recorded = Desk::recorded();
    assert_eq!(recorded.does(TimeCommand::GoLive), Cursor::Paused(secs(60.25)));
    let second = StepBy::Time(Duration::from_secs(1));
    assert_eq!(recorded.steps(second, true, 2), [60.25, 60.25], "there is nothing behind the end");
}

#[test]
fn catching_up_plays_fast_until_live() {
    let mut desk = Desk::live();
    desk.stand(Cursor::Paused(secs(10.25)));
    assert_eq!(desk.does(TimeCommand::CatchUp), playing(10.25, 6.0));
    desk.stand(Cursor::Live);
    assert_eq!(desk.does(TimeCommand::CatchUp), Cursor::Live);
    let mut recorded = Desk::recorded();
    assert_eq!(recorded.does(TimeCommand::CatchUp), Cursor::Paused(secs(0.0)), "with nothing to catch up with");
}

#[test]
fn steps_by_sample_stand_still_where_the_next_one_is_seen() {
    let mut desk = Desk::live();
    desk.stand(playing(20.1, 1.0));
    assert_eq!(desk.steps(StepBy::Sample, true, 3), [20.25, 20.5, 21.25], "both signals: none is chosen");
    assert_eq!(desk.steps(StepBy::Sample, false, 3), [20.5, 20.25, 19.25]);
    desk.does(AttentionCommand::Select(Some(TwinIndex(1))));
    assert_eq!(desk.steps(StepBy::Sample, true, 2), [20.5, 20.5], "the other pump has one sample only");
}

#[test]
fn steps_by_event_go_where_an_event_became_known() {
    let mut desk = Desk::live();
    desk.stand(playing(0.0, 2.0));
    desk.app.world_mut().resource_mut::<Marks>().looping = false;
    // The births of both pumps are events as well.
    assert_eq!(desk.steps(StepBy::Event, true, 4), [0.25, 10.25, 20.5, 30.0]);
    assert_eq!(desk.steps(StepBy::Event, false, 3), [20.5, 10.25, 0.25]);
    assert!(matches!(*desk.app.world().resource::<Cursor>(), Cursor::Playing { .. }), "playing goes on");
}

#[test]
fn steps_in_time_end_live_and_at_the_beginning() {
    let mut desk = Desk::live();
    let ten = StepBy::Time(Duration::from_secs(10));
    assert_eq!(desk.steps(ten, false, 2), [50.25, 40.25]);
    assert_eq!(desk.steps(ten, true, 2), [50.25, 60.25]);
    assert!(desk.app.world().resource::<Cursor>().is_live());
    desk.stand(Cursor::Paused(secs(4.0)));
    assert_eq!(desk.steps(ten, false, 1), [0.0]);
}

#[test]
fn marks_enclose_a_stretch_that_a_loop_plays() {
    let mut desk = Desk::recorded();
    let mark = |end, at: f64| TimeCommand::Mark { end, at: Some(secs(at)) };
    desk.does(mark(MarkEnd::In, 20.0));
    desk.does(mark(MarkEnd::Out, 30.0));
    desk.does(TimeCommand::Loop(true));
    assert_eq!(desk.app.world().resource::<Marks>().span(), Some((secs(20.0), secs(30.0))));
    desk.stand(Cursor::Paused(secs(45.0)));
    assert_eq!(desk.does(TimeCommand::Play { speed: 1.0 }), playing(20.0, 1.0), "into the loop");
    desk.does(mark(MarkEnd::Out, 10.0));
    let marks = *desk.app.world().resource::<Marks>();
    assert_eq!((marks.start, marks.end), (None, Some(secs(10.0))), "the one that is set last counts");
    desk.does(TimeCommand::Mark { end: MarkEnd::Out, at: None });
    assert_eq!(desk.app.world().resource::<Marks>().end, None);
}

#[test]
fn a_recording_that_has_ended_plays_from_its_beginning() {
    let mut desk = Desk::recorded();
    desk.stand(Cursor::Paused(secs(60.25)));
    assert_eq!(desk.does(TimeCommand::Play { speed: 2.0 }), playing(0.0, 2.0));
    desk.stand(Cursor::Paused(secs(0.0)));
    assert_eq!(desk.does(TimeCommand::Play { speed: -2.0 }), playing(60.25, -2.0));
}

#[test]
fn playing_jumps_over_a_hole_if_that_is_wanted() {
    let density: Arc<[u32]> = [1, 1, 0, 0, 0, 1].into();
    let mut desk = Desk::new(Extent::Recorded { start: secs(0.0), end: secs(60.0), density });
    desk.stand(playing(25.0, 1.0));
    assert_eq!(desk.does(TimeCommand::SkipGaps(Some(Duration::from_secs(5)))), playing(50.0, 1.0));
    desk.stand(playing(25.0, -1.0));
    assert_eq!(desk.does(TimeCommand::SkipGaps(None)), playing(25.0, -1.0));
}

#[test]
fn remarks_are_about_the_moment_that_is_shown_or_that_they_name() {
    let mut desk = Desk::live();
    desk.stand(Cursor::Paused(secs(12.0)));
    desk.does(JournalCommand::Bookmark { text: "trip".into(), twin: Some(TwinIndex(0)), at: None });
    desk.does(JournalCommand::Note { text: "again".into(), twin: None, at: Some(secs(33.0)) });
    let knowledge = desk.app.world().resource::<Analysis>().lock();
    let remarks: Vec<_> = knowledge
        .chronicle()
        .journal()
        .iter()
        .filter(|event| matches!(event.kind, Kind::Bookmark { .. } | Kind::Note { .. }))
        .map(|event| (event.time, event.twin.as_deref(), event.summary()))
        .collect();
    assert_eq!(remarks, [(secs(12.0), Some("P-101"), "bookmark: trip".into()), (secs(33.0), None, "again".into())]);
}
