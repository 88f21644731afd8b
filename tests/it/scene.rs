//! Scene files: what good ones become, and what bad ones say, word for word.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pollux::network::Feed;
use pollux::scene::commands::{Evidence, ParameterKind, Payload, Piece};
use pollux::scene::{self, SignalSource, Significance};
use pollux::value::{TwinIndex, Value};
use proptest::prelude::*;

/// The scenes in `tests/scenes/bad` beside what they must say. `UPDATE_EXPECT=1` writes what they say now.
#[test]
fn every_bad_scene_says_exactly_what_is_wrong() {
    let mut scenes: Vec<PathBuf> = std::fs::read_dir("tests/scenes/bad").unwrap().map(|e| e.unwrap().path()).collect();
    scenes.retain(|path| path.extension().is_some_and(|e| e == "ron"));
    scenes.sort();
    assert!(scenes.len() >= 25, "{} fixtures", scenes.len());
    for path in scenes {
        let loaded = scene::load(&path);
        assert!(!loaded.issues.is_empty(), "{} has nothing to complain about", path.display());
        let text = scene::render(&loaded.issues, &loaded.sources, false);
        assert!(!text.contains("geheim"), "{} shows a secret: {text}", path.display());
        expect_test::expect_file![std::env::current_dir().unwrap().join(path.with_extension("txt"))].assert_eq(&text);
    }
}

#[test]
fn a_scene_with_every_field_of_format_1_0_loads_whole() {
    let loaded = scene::load(Path::new("tests/scenes/v1_0.ron"));
    // It names a plant that was built in then.
    let rules: Vec<&str> = loaded.issues.iter().map(|issue| issue.rule).collect();
    assert_eq!(rules, ["old-plant"], "{}", loaded.render(false));
    let scene = loaded.scene.unwrap();
    assert_eq!(loaded.files.len(), 2, "the scene and its library");
    let flow = scene.signal("P-101", "flow").unwrap();
    let SignalSource::Mqtt(binding) = &flow.source else { panic!("{flow:?}") };
    assert_eq!(binding.topic, "hall/B/P-101/Pump/flow");
    assert!(binding.conversion.scale() == 0.06, "litres per minute become cubic metres per hour");
    assert_eq!((flow.limits.low, flow.limits.high), (Some(2.5), Some(70.0)), "a twin changes one limit");
    let SignalSource::Derived(half) = &scene.signal("P-101", "half").unwrap().source else { panic!() };
    let SignalSource::Derived(quarter) = &scene.signal("P-101", "quarter").unwrap().source else { panic!() };
    assert_eq!((half.rank, quarter.rank), (0, 1));
    assert_eq!(half.inputs.len(), 3);
    assert_eq!(scene.twin("P-102").unwrap().look.as_ref().unwrap().parts.len(), 8);
    assert_eq!(scene.links.len(), 2);
}

#[test]
fn a_scene_with_every_field_of_format_1_2_loads_whole() {
    let loaded = scene::load(Path::new("tests/scenes/v1_2.ron"));
    assert_eq!(scene::render(&loaded.issues, &loaded.sources, false), "");
    let scene = loaded.scene.unwrap();
    let derivation = |twin: &str, name: &str| match &scene.signal(twin, name).unwrap().source {
        SignalSource::Derived(derivation) => derivation.clone(),
        other => panic!("{twin}.{name}: {other:?}"),
    };
    assert_eq!(derivation("P-102", "difference").settle, Duration::from_millis(50));
    assert_eq!(derivation("P-101", "difference").settle, Duration::from_millis(100), "a twin waits longer");
    assert_eq!(derivation("P-101", "mean_run").settle, Duration::ZERO, "the rest do not wait");
    for function in ["mean", "integral", "min", "max", "count", "duration"] {
        for stretch in ["window", "when", "run"] {
            let aggregates = derivation("P-101", &format!("{function}_{stretch}")).compiled.aggregates().len();
            assert_eq!(aggregates, 1, "{function} over {stretch}");
        }
    }
}

#[test]
fn a_scene_with_every_field_of_format_1_3_loads_whole() {
    let loaded = scene::load(Path::new("tests/scenes/v1_3.ron"));
    assert_eq!(scene::render(&loaded.issues, &loaded.sources, false), "");
    let scene = loaded.scene.unwrap();
    let look = |id: &str| scene.twin(id).unwrap().look.clone().unwrap();
    assert_eq!([look("T-1").node_of("outlet"), look("T-1").node_of("mains")], ["bottom", "mains"]);
    assert_eq!(
        [look("T-2").node_of("outlet"), look("T-2").node_of("inlet")],
        ["drain", "top"],
        "a subtype changes one"
    );
    assert_eq!(look("T-2").node_of("tank.outlet"), "drain", "as a port of one of several models");
    let blueprint = scene.blueprint.clone().unwrap();
    let machine = |id: &str| blueprint.machines.iter().find(|machine| machine.id == id).unwrap();
    let parameter = |id: &str, name: &str| {
        let at = machine(id).model.description().parameter(name).unwrap();
        machine(id).parameters[at]
    };
    assert_eq!([parameter("T-1", "start_level"), parameter("T-2", "elevation")], [1.5, 8.0]);
    assert_eq!([parameter("V-1.valve", "stiction"), parameter("V-2.valve", "stiction")], [0.01, 0.0]);
    assert_eq!(
        (machine("T-1").step, &machine("V-1.program").tables[0][..]),
        (Some(200_000_000), &[0.0, 0.2, 60.0, 0.8][..])
    );
    let ambient = machine("T-2").model.description().input("ambient").unwrap();
    assert!(matches!(machine("T-2").inputs[ambient], Feed::Constant(x) if (x - 16.85).abs() < 1e-9));
    assert!(matches!(machine("V-2.valve").inputs[0], Feed::Output { scale: 0.5, offset: 0.1, delayed: true, .. }));
    assert_eq!(scene.measures.len(), 2);
    assert_eq!([scene.watched.len(), scene.commanded.len()], [1, 1]);
    assert_eq!((scene.commanded[0].of(&Value::Number(30.0)), scene.machines[5].twin), (Some(0.3), Some(TwinIndex(3))));
    let [profile] = &scene.profiles[..] else { panic!("{:?}", scene.profiles) };
    assert_eq!((profile.item.as_str(), profile.to_input.apply(32.0)), ("L-12.ambient", 0.5));
    assert!(matches!(machine("L-12").inputs[0], Feed::Outside(0)) && scene.machines[6].twin.is_none());
}

#[test]
fn a_scene_with_every_field_of_format_1_4_loads_whole() {
    let loaded = scene::load(Path::new("tests/scenes/v1_4.ron"));
    assert_eq!(scene::render(&loaded.issues, &loaded.sources, false), "");
    let scene = loaded.scene.unwrap();
    assert_eq!([scene.brokers["plant"].commands, scene.brokers["weather"].commands], [true, false]);
    let names = |id: &str| {
        let twin = scene.twin(id).unwrap();
        scene.commands_of(twin.index).iter().map(|command| command.name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(names("T-1"), ["stop", "reset", "set_speed"]);
    assert_eq!(names("T-2"), ["stop", "set_speed", "fill"], "a twin takes one away and has one of its own");
    let stop = scene.command("T-1", "stop").unwrap();
    assert_eq!((stop.significance, stop.qos, stop.topic.as_str()), (Significance::Critical, 2, "line1/T-1/stop"));
    assert_eq!(stop.payload, Payload::Raw(Piece::Constant(Value::Text("STOP T-1".into()))));
    assert_eq!(stop.arming, Duration::from_secs(10));
    assert_eq!(stop.constraints.iter().map(|one| one.source.as_str()).collect::<Vec<_>>(), ["speed > 0"], "of Drive");
    let high = |id: &str| match scene.command(id, "set_speed").unwrap().parameters[0].kind {
        ParameterKind::Number { high, .. } => high,
        _ => panic!("speed is a number"),
    };
    assert_eq!([high("T-1"), high("T-2")], [50.0, 40.0]);
    let Payload::Json(pieces) = &scene.command("T-1", "set_speed").unwrap().payload else { panic!("JSON") };
    let Piece::Parameter { at: 0, to_payload } = pieces[0].1 else { panic!("{pieces:?}") };
    assert_eq!(to_payload.apply(30.0), 1800.0, "Hz become rpm");
    let evidence = |id: &str| scene.command(id, "set_speed").unwrap().verify.clone().unwrap();
    assert!(matches!(evidence("T-1").by, Evidence::That(_)), "{:?}", evidence("T-1"));
    assert!(matches!(&evidence("T-2").by, Evidence::Answer(answer) if answer.equals == Value::Bool(true)));
    assert_eq!(evidence("T-2").within, Duration::from_secs(60), "as the type says");
    assert_eq!(scene.answers_from("plant").count(), 3);
    assert_eq!(scene.answers_from("weather").count(), 0);
}

#[test]
fn what_we_write_reads_back_equal_and_the_ron_crate_agrees() {
    for path in ["v1_0.ron", "v1_1.ron", "v1_2.ron", "v1_3.ron", "v1_4.ron", "four_machines.ron"]
        .map(|name| format!("tests/scenes/{name}"))
    {
        let text = std::fs::read_to_string(path).unwrap();
        let (file, issues) = scene::parse(&text);
        assert_eq!(issues, []);
        let file = file.unwrap();
        let written = scene::write(&file).unwrap();
        assert_eq!(scene::parse(&written), (Some(file.clone()), vec![]), "{written}");
        if file.format.value >= (1, 3) {
            // Names of models are words that the ron crate does not know.
            continue;
        }
        use ron::extensions::Extensions;
        let options =
            ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES);
        // A plant is a text or fields, of which the ron crate reads the fields.
        let (text, file) = (text.replace("plant: \"bottling\",", ""), scene::SceneFile { plant: None, ..file });
        assert_eq!(options.from_str::<scene::SceneFile>(&text).unwrap(), file);
    }
}

#[test]
fn ten_thousand_twins_with_a_hundred_thousand_signals_and_alarms_load_quickly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.ron");
    let mut text = "Scene(format: (1, 0), types: {\"Pump\": (signals: {".to_owned();
    for n in 0..10 {
        text += &format!("\"s{n}\": (unit: \"kPa\", topic: \"hall/{{id}}\", json: \"/s{n}\", limits: (high: 9),");
        text += "alarms: {\"high\": (unless: \"s0 < 1\", cause: \"a leak\", action: \"close the valve\")}),";
    }
    text += "})}, twins: [";
    for n in 0..10_000 {
        text += &format!("(id: \"P-{n}\", type: \"Pump\", at: ({n}, 0, 0)),\n");
    }
    std::fs::write(&path, text + "])").unwrap();
    let start = Instant::now();
    let scene = scene::load(&path).scene.unwrap();
    assert_eq!((scene.twins.len(), scene.signals.len(), scene.alarms.len()), (10_000, 100_000, 100_000));
    assert_eq!(scene.twin("P-9999").unwrap().id, "P-9999");
    println!("loaded in {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
        scene::parse(&text);
    }

    #[test]
    fn no_garbled_scene_makes_the_reader_panic(cut in 0usize..4000, insert in "[\\[\\](){}:,\"'0-9a-zA-Z#/* .\\\\-]{0,6}") {
        let text = include_str!("../scenes/v1_0.ron");
        let at = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let (head, tail) = text.split_at(at);
        let mut rest = tail.chars();
        rest.next();
        scene::parse(&format!("{head}{insert}{}", rest.as_str()));
    }
}
