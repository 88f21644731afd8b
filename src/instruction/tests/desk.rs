//! Many commands at once: their tokens, their answers, and that none is forgotten on its way.

use super::*;

/// Prepares, arms and sends a command of a desk.
fn sent_at(desk: &mut Desk, scene: &Scene, name: &str) -> Result<u64, String> {
    let command = scene.command("D-1", name).expect("a command").clone();
    let id = desk.prepare(command, scene, Vec::new(), destination(), "ann", secs(100.0))?.id;
    desk.get_mut(id).expect("it is there").arm("ann", now(100.0))?;
    desk.send(id, leave(), Link::Up, scene, &|_| Reading::default(), "ann", "", now(100.0))?;
    Ok(id)
}

#[test]
fn two_commands_whose_answers_look_alike_are_not_under_way_at_once() {
    let (mut desk, scene) = (Desk::new(7), scene());
    let first = sent_at(&mut desk, &scene, "ask").unwrap();
    for second in ["ask", "call"] {
        let why = sent_at(&mut desk, &scene, second).unwrap_err();
        assert!(why.contains("D-1.ask waits for an answer on d/D-1/answer too"), "{why}");
    }
    assert!(sent_at(&mut desk, &scene, "beep").is_ok(), "it waits for no answer");
    desk.get_mut(first).unwrap().delivered(secs(100.1));
    desk.hear("plant", "d/D-1/answer", b"1", secs(101.0));
    assert!(sent_at(&mut desk, &scene, "call").is_ok() && sent_at(&mut desk, &scene, "call").is_ok(), "tokens differ");
}

#[test]
fn tokens_are_those_of_the_seed_and_of_no_other_command() {
    let scene = scene();
    let tokens = |seed: u64| -> Vec<String> {
        let mut desk = Desk::new(seed);
        for _ in 0..50 {
            sent_at(&mut desk, &scene, "call").unwrap();
        }
        desk.iter().map(|one| one.token.clone()).collect()
    };
    let mut all = [tokens(1), tokens(2)].concat();
    assert_eq!(all[..50], tokens(1));
    assert!(all.iter().all(|token| token.len() == "pollux-".len() + 16));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 100);
}

#[test]
fn what_is_under_way_is_never_forgotten() {
    let (mut desk, scene) = (Desk::default(), scene());
    let ids: Vec<u64> = (0..200).map(|_| sent_at(&mut desk, &scene, "call").unwrap()).collect();
    let why = sent_at(&mut desk, &scene, "call").unwrap_err();
    assert_eq!(why, "200 commands are prepared or under way: cancel some, or wait");
    desk.get_mut(ids[7]).unwrap().lost("lost".into(), secs(101.0));
    assert!(sent_at(&mut desk, &scene, "call").is_err(), "the journal does not know its end yet");
    desk.take_news();
    sent_at(&mut desk, &scene, "call").unwrap();
    assert!(desk.get(ids[7]).is_none() && desk.get(ids[0]).is_some());
}
