//! Where the record of a session is kept, and what is said when it cannot be.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::program::{Program, STATE_HOME, run, scene_file};
use super::{TWINS, hall};

/// A session with a broker of its own: nothing but its record matters.
fn session(arrange: impl FnOnce(&mut Command) -> &mut Command) -> Program {
    Program::live_with(&hall(None, TWINS), |command| arrange(command.args(["-v", "--for", "60s"])))
}

fn kinds(state: &Value) -> Vec<&str> {
    state["events"].as_array().unwrap().iter().filter_map(|event| event["kind"].as_str()).collect()
}

fn entries(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn a_second_program_on_the_same_store_ends_and_says_who_holds_it_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("hall.store");
    let first = session(|command| command.arg("--store").arg(&store)).subscribed();
    let scene = scene_file(folder.path(), &hall(None, TWINS));
    let store = store.to_str().unwrap();
    let (code, said) = run(&["live", &scene, "--headless", "--for", "10s", "--store", store]);
    assert_eq!(code, Some(3), "{said}");
    for part in [
        format!("the store {store} is in use by another Pollux (process "),
        format!("holds the lock {store}.lock: close that one"),
        "a store of its own with --store FILE".to_owned(),
    ] {
        assert!(said.contains(&part), "`{part}` is not in: {said}");
    }
    let state = first.stop().state();
    assert_eq!((kinds(&state), &state["troubles"]), (vec!["connection"], &json!([])), "the first one goes on");
    let state = session(|command| command.arg("--store").arg(store)).subscribed().stop().state();
    assert_eq!(kinds(&state), ["connection", "gap", "connection"], "the lock ends with its owner");
}

#[test]
fn the_usual_store_is_in_the_state_folder_of_the_user() {
    let home = tempfile::tempdir().unwrap();
    session(|command| command.env(STATE_HOME, home.path())).subscribed().stop().state();
    let names = entries(&home.path().join("pollux"));
    assert!(
        matches!(&names[..], [store, _] if store.starts_with("Pump-hall-") && store.ends_with(".store")),
        "{names:?}"
    );
}

#[test]
fn where_the_usual_store_cannot_be_the_session_runs_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    // A folder without rights would not stop an administrator; a file in the place of the folder stops everyone.
    let home = folder.path().join("home");
    std::fs::write(&home, "").unwrap();
    let end = session(|command| command.env(STATE_HOME, &home)).subscribed().stop();
    let state = end.state();
    let [trouble] = &state["troubles"].as_array().unwrap()[..] else { panic!("{}", state["troubles"]) };
    let trouble = trouble.as_str().unwrap();
    let said = format!(
        "alarms and events will not survive a restart: the folder {} of the store cannot be made",
        home.join("pollux").display()
    );
    assert!(trouble.starts_with(&said) && trouble.ends_with("choose another place with --store FILE"), "{trouble}");
    assert!(end.said.contains(trouble), "{}", end.said);
    assert_eq!(kinds(&state), ["connection"], "it is recorded all the same");
}

#[test]
fn a_store_or_an_events_file_that_was_asked_for_and_cannot_be_had_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let scene = scene_file(folder.path(), &hall(None, TWINS));
    let missing = folder.path().join("missing/events.jsonl").display().to_string();
    let (code, said) = run(&["live", &scene, "--headless", "--for", "10s", "--no-store", "--events", &missing]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains(&format!("the events file {missing} cannot be opened (No such file")), "{said}");
    assert!(said.contains("choose another with --events FILE"), "{said}");
    // The scene itself is no store.
    let (code, said) = run(&["live", &scene, "--headless", "--for", "10s", "--store", &scene]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("is no file of Pollux (it holds another text): choose another place"), "{said}");
    assert_eq!(std::fs::read_to_string(&scene).unwrap(), hall(None, TWINS), "it is not touched");
}

#[test]
fn a_damaged_store_is_kept_aside_and_what_can_be_read_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("hall.store");
    let watch = || session(|command| command.arg("--store").arg(&store)).subscribed().stop();
    watch();
    watch();
    let text = std::fs::read_to_string(&store).unwrap();
    let damaged = text.replacen("\"gap\"", "\"gat\"", 1);
    assert_ne!(text, damaged, "{text}");
    std::fs::write(&store, &damaged).unwrap();
    let end = watch();
    let aside =
        entries(folder.path()).into_iter().find(|name| name.starts_with("hall.store.damaged-")).expect("a copy");
    assert_eq!(std::fs::read_to_string(folder.path().join(&aside)).unwrap(), damaged);
    assert!(end.said.contains("the store was damaged in 1 line(s)") && end.said.contains(&aside), "{}", end.said);
    let troubles = end.state()["troubles"].to_string();
    assert!(troubles.contains("the store was damaged in 1 line(s)") && troubles.contains(&aside), "{troubles}");
    assert!(!kinds(&end.state()).is_empty());
    let end = watch();
    assert!(!end.said.contains("damaged"), "once: {}", end.said);
    assert_eq!(end.state()["troubles"], serde_json::json!([]), "said in the session that found it");
}
